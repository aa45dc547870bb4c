import { existsSync, readFileSync } from "node:fs";
import { arch, platform, version } from "node:process";
import { fileURLToPath } from "node:url";

/** The code that V8 kept of the program when it was built (bin/load.js): without it every command starts later. */
export interface KeptCode {
  /** Where the program is installed. */
  directory: string;
  /** Can it be built anew there? */
  hasSources: boolean;
  /** Why it is not used; null where it is. */
  trouble: string | null;
}

export function lookAtKeptCode(distUrl: URL): KeptCode {
  const directory = fileURLToPath(new URL("../", distUrl)).replace(/\/$/, "");
  const hasSources = existsSync(new URL("../src/start.ts", distUrl));
  return { directory, hasSources, trouble: troubleOf(new URL("kept-code", distUrl)) };
}

function troubleOf(file: URL): string | null {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch {
    return "the code that was kept of it is missing";
  }
  const half = bytes.length / 2;
  const one = bytes.subarray(0, half);
  if (!one.equals(bytes.subarray(half))) return "the code that was kept of it is damaged";
  try {
    const { node }: { node?: unknown } = Object(JSON.parse(one.subarray(0, one.indexOf("\n")).toString()));
    const ours = [version, platform, arch].join(" ");
    return node === ours
      ? null
      : `the code that was kept of it is of Node ${String(node)}, and this is ${ours}`;
  } catch {
    return "the code that was kept of it is damaged";
  }
}
