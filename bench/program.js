// The built program's commands, and the benchmarks' own scripts, as child processes: each has an end in sight, and
// none outlives the benchmark.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../bin/jc-integrations.js", import.meta.url));
const LOOK_EVERY_MS = 25;

const living = new Set();
process.on("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});

/** `input`: an iterable of text for its stdin. `exits`: the exit codes that are no surprise. */
export function startProgram(argv, options) {
  return startScript([...profiling(), PROGRAM, ...argv], options);
}

const profiling = () =>
  process.env.BENCH_PROFILE ? ["--cpu-prof", "--cpu-prof-dir", process.env.BENCH_PROFILE] : [];

export function startScript(argv, { env, timeoutMs = 600_000, input, exits = [0] } = {}) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, argv, { env, stdio: [input ? "pipe" : "ignore", "pipe", "pipe"] });
  living.add(child);
  const guard = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
  const written = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"])
    child[name].setEncoding("utf8").on("data", (text) => {
      written[name] += text;
    });
  const memory = { peak: 0, own: 0 };
  const looking = setInterval(() => Object.assign(memory, memoryOf(child.pid, memory)), LOOK_EVERY_MS);
  if (input) pipeline(input, child.stdin).catch(() => {});

  const finished = new Promise((resolve, reject) => {
    child.once("close", (code) => {
      clearTimeout(guard);
      clearInterval(looking);
      living.delete(child);
      const seconds = (performance.now() - startedAt) / 1_000;
      if (exits.includes(code)) resolve({ ...written, seconds, memory });
      else reject(new Error(`${argv.join(" ")} ended with ${code}: ${written.stderr || written.stdout}`));
    });
  });
  finished.catch(() => {});
  const line = (name, matching) =>
    new Promise((resolve, reject) => {
      createInterface(child[name]).on("line", (text) => {
        if (matching.test(text)) resolve(text);
      });
      finished.then(() => reject(new Error(`${argv.join(" ")} ended without a word`)), reject);
    });
  return {
    pid: child.pid,
    memory,
    finished,
    line,
    stop: async () => {
      child.kill("SIGTERM");
      await finished;
    },
  };
}

/**
 * In MB. `peak` is all that was ever resident, the mapped part of the store's file included; `own` the most of what
 * only this process holds. Zeros where the system does not tell.
 */
function memoryOf(pid, before) {
  try {
    const text = readFileSync(`/proc/${pid}/status`, "utf8");
    const read = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) / 1024;
    return {
      peak: Math.max(before.peak, read("VmHWM")),
      own: Math.max(before.own, read("RssAnon")),
    };
  } catch {
    return before;
  }
}
