/** Of whatever the vault writes: its file, a lock, a key. */
export const DISK_FULL = { what: "the disk is full", hint: "Free space on that file system." } as const;

export function isDiskFull(cause: unknown): boolean {
  return (
    cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "SQLITE_FULL")
  );
}
