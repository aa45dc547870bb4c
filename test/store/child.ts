/** Child processes for tests of what happens between processes: small scripts from `children/`, bundled and spawned. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build } from "esbuild";
import { afterAll, beforeAll, onTestFinished } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const SCRIPTS = join(import.meta.dirname, "children");

export interface Child {
  process: ChildProcess;
  /** The next thing the child says, as JSON. Rejects when it ends without having said it. */
  next(): Promise<unknown>;
  /** All that it says until it ends well. */
  rest(): Promise<unknown[]>;
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
}

/** To be called once in a test file. Returns how to start one of the scripts; `wrapper` is a command to run it under. */
export function children(): (script: string, args: readonly string[], wrapper?: readonly string[]) => Child {
  let directory = "";
  beforeAll(async () => {
    // Below node_modules, so that the bundles find better-sqlite3.
    const cache = join(ROOT, "node_modules/.cache");
    mkdirSync(cache, { recursive: true });
    directory = mkdtempSync(join(cache, "jc-store-"));
    await build({
      entryPoints: readdirSync(SCRIPTS).map((name) => join(SCRIPTS, name)),
      outdir: directory,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      format: "esm",
      platform: "node",
      external: ["better-sqlite3", "vitest"],
      logLevel: "error",
    });
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return (script, args, wrapper = []) => {
    const [command = "", ...rest] = [...wrapper, process.execPath, join(directory, `${script}.mjs`), ...args];
    return startChild(command, rest);
  };
}

function startChild(command: string, args: readonly string[]): Child {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  // What it has not read when it ends is refused to us.
  child.stdin.on("error", () => {});
  const ended = once(child, "exit");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  const next = async (): Promise<unknown> => {
    const { done, value } = await lines.next();
    if (done) throw new Error("the child ended without a word");
    return JSON.parse(value);
  };
  return {
    process: child,
    next,
    rest: async () => {
      const said: unknown[] = [];
      for (let line = await lines.next(); !line.done; line = await lines.next())
        said.push(JSON.parse(line.value));
      const [code] = await ended;
      if (code !== 0) throw new Error(`the child ended with ${code}`);
      return said;
    },
    kill,
  };
}
