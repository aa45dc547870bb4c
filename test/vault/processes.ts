import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { onTestFinished } from "vitest";
import { temporaryDirectory } from "../directory.ts";

export interface Running {
  child: ChildProcess;
  /** What it says, line by line. */
  lines: AsyncIterator<string>;
}

/** Makes one runnable file of a TypeScript source of the tests, for processes that share a vault. */
export async function bundled(source: URL): Promise<string> {
  const outfile = join(temporaryDirectory(), "bundle.mjs");
  // Native code stays where it is installed; the bundle rests where no node_modules is in sight.
  const sqlite = createRequire(import.meta.url).resolve("better-sqlite3");
  await build({
    entryPoints: [fileURLToPath(source)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    alias: { "better-sqlite3": sqlite },
    external: [sqlite],
    banner: {
      js: "import{createRequire as jcRequire}from'node:module';const require=jcRequire(import.meta.url);",
    },
  });
  return outfile;
}

/** Starts it with a JSON argument; it ends with the test at the latest. */
export function start(file: string, argument: object): Running {
  const child = spawn(process.execPath, [file, JSON.stringify(argument)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  // What it has not read when it ends is refused to us.
  child.stdin.on("error", () => {});
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
}

/** Throws when the process ends without another line. */
export async function nextLine({ child, lines }: Running): Promise<string> {
  const { value, done } = await lines.next();
  if (done) throw new Error(`the process ended with ${child.exitCode ?? child.signalCode}`);
  return value;
}

export async function kill({ child }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
