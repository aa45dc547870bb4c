import { existsSync, readdirSync, readFileSync } from "node:fs";
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
  return { directory, hasSources, trouble: troubleIn(distUrl) };
}

const ENDING = ".cjs.code";

function troubleIn(distUrl: URL): string | null {
  const kept = namesIn(distUrl).filter((name) => name.endsWith(ENDING));
  if (kept.length === 0) return "the code that was kept of it is missing";
  return kept.map((name) => troubleOf(distUrl, name)).find((trouble) => trouble !== null) ?? null;
}

/** As the loader judges it: by the line of JSON, the text and the code, which is there twice. */
function troubleOf(distUrl: URL, name: string): string | null {
  try {
    const [file, text] = [name, name.slice(0, -".code".length)].map((each) =>
      readFileSync(new URL(each, distUrl)),
    );
    if (!file || !text) return null;
    const from = file.indexOf("\n") + 1;
    const { node, length }: { node?: unknown; length?: unknown } = Object(
      JSON.parse(file.toString("latin1", 0, from)),
    );
    const ours = [version, platform, arch].join(" ");
    if (node !== ours) return `the code that was kept of it is of Node ${String(node)}, and this is ${ours}`;
    const [middle, half] = [from + text.length, from + text.length + Number(length)];
    const isSound =
      text.equals(file.subarray(from, middle)) && file.subarray(middle, half).equals(file.subarray(half));
    return isSound ? null : "the code that was kept of it is damaged, or of another program";
  } catch {
    return "the code that was kept of it is damaged";
  }
}

function namesIn(directory: URL): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
