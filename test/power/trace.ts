/** What a program did to the files of its state directory, as recorder.c noted it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Operation {
  kind: "write" | "truncate" | "sync" | "create" | "unlink" | "rename";
  /** Below the state directory, which itself is ".". */
  path: string;
  /** Of a write its first byte, of a truncate the length. */
  offset: number;
  /** Of a write what was written, of a rename the new path. */
  data: Buffer;
  /** `process.hrtime`, ns. */
  startedAt: number;
  endedAt: number;
}

const KINDS: Readonly<Record<string, Operation["kind"]>> = {
  W: "write",
  T: "truncate",
  S: "sync",
  C: "create",
  U: "unlink",
  R: "rename",
};
const HEADER_BYTES = 31;

/** What a shell exports before it becomes the program that is to be recorded. Throws where there is no gcc. */
export function recording(options: { into: string; stateDir: string; directory: string }): string {
  const library = join(options.directory, "recorder.so");
  const source = fileURLToPath(new URL("recorder.c", import.meta.url));
  execFileSync("gcc", ["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl"]);
  return `export LD_PRELOAD='${library}' POWER_DIR='${options.stateDir}' POWER_TRACE='${options.into}'`;
}

export function readTrace(path: string): Operation[] {
  const bytes = readFileSync(path);
  const operations: Operation[] = [];
  for (let at = 0; at < bytes.length; ) {
    const kind = KINDS[bytes.toString("latin1", at, at + 1)];
    if (kind === undefined) throw new Error(`no operation at ${at} of ${path}`);
    const [pathEnd, dataBytes] = [at + HEADER_BYTES + bytes.readUInt16LE(at + 1), bytes.readUInt32LE(at + 3)];
    const [offset = 0, startedAt = 0, endedAt = 0] = [7, 15, 23].map((place) =>
      Number(bytes.readBigUInt64LE(at + place)),
    );
    operations.push({
      kind,
      path: bytes.toString("utf8", at + HEADER_BYTES, pathEnd),
      offset,
      data: bytes.subarray(pathEnd, pathEnd + dataBytes),
      startedAt,
      endedAt,
    });
    at = pathEnd + dataBytes;
  }
  return operations;
}
