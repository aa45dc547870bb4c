/** The built program at a terminal of its own, for which a machine needs `script`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { onTestFinished } from "vitest";
import { temporaryDirectory } from "../directory.ts";
import { until, type World } from "../world.ts";
import { BIN } from "./program.ts";

const hasScript = (process.env.PATH ?? "")
  .split(delimiter)
  .some((directory) => existsSync(join(directory, "script")));
export const missingForTerminal = hasScript || process.env.JC_TEST_ALL_PARTS === "1" ? null : "script";

/** The program on a terminal of its own, and what a person sees and types there. */
export function atTerminal(world: World, argv: readonly string[], env: Record<string, string> = {}) {
  const pidFile = join(temporaryDirectory(), "pid");
  const quoted = [process.execPath, BIN, ...argv].map((word) => `'${word}'`).join(" ");
  const script = spawn("script", ["-qefc", `echo $$ > '${pidFile}'; exec ${quoted}`, "/dev/null"], {
    env: { PATH: process.env.PATH, HOME: world.dir, TERM: "xterm", SHELL: "/bin/sh", ...world.env, ...env },
  });
  // What it has not read when it ends is refused to us.
  script.stdin.on("error", () => {});
  let screen = "";
  for (const stream of [script.stdout, script.stderr])
    stream.on("data", (chunk) => {
      screen += chunk;
    });
  const ended = once(script, "close").then(([code]: unknown[]) => code);
  /** As when its window is closed: the program's own end is all that is left to see. */
  const close = async () => {
    script.kill("SIGKILL");
    await ended;
    const pid = pidIn(pidFile);
    if (pid !== null) await until("the program has ended", () => !isRunning(pid));
  };
  // The program outlives its terminal for as long as its own end takes, and writes meanwhile.
  onTestFinished(close);
  return {
    ended,
    shows: (text: string) => until(`the terminal shows "${text}"`, () => screen.includes(text)),
    screen: () => screen,
    type: (keys: string) => script.stdin.write(keys),
    pid: () => pidIn(pidFile),
    close,
  };
}

/** Null until the shell has written the whole of it. */
function pidIn(file: string): number | null {
  const written = existsSync(file) ? readFileSync(file, "utf8") : "";
  return written.endsWith("\n") ? Number(written) : null;
}

function isRunning(pid: number): boolean {
  try {
    // Without a signal it only asks. A process that has ended but was not reaped yet is a zombie, state Z.
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
