/** Neither a file nor a connection can be opened: this process has too many, or the whole machine has. */
export function isOutOfDescriptors(error: unknown): error is Error & { code: "EMFILE" | "ENFILE" } {
  return error instanceof Error && "code" in error && (error.code === "EMFILE" || error.code === "ENFILE");
}

export const OUT_OF_DESCRIPTORS_HINT =
  "Raise the limit: LimitNOFILE= in the unit, or `ulimit -n` in the shell that starts serve.";
