// How long a command takes, from the shell's view, beside a Node that does nothing.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./table.js";

const PROGRAM = fileURLToPath(new URL("../bin/jc-integrations.js", import.meta.url));
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 25);

export async function startup({ log }) {
  const stateDir = mkdtempSync(join(tmpdir(), "jc-bench-"));
  const commands = [
    { what: "node -e 0", argv: ["-e", "0"] },
    { what: "--version", argv: [PROGRAM, "--version"], goal: 1.3 },
    { what: "--help", argv: [PROGRAM, "--help"], goal: 1.3 },
    { what: "status, empty store", argv: [PROGRAM, "status", "--state-dir", stateDir], goal: 2 },
  ].map((command) => ({ ...command, times: [] }));
  try {
    // `status` creates no store, and without one has nothing to look at.
    timed([PROGRAM, "run", "retry", "--state-dir", stateDir], stateDir);
    if (!existsSync(join(stateDir, "log.db"))) throw new Error("there is no store to look at");
    for (const { argv } of commands) timed(argv, stateDir);
    for (let round = 0; round < ROUNDS; round++) {
      for (const { what, argv, times } of commands) {
        const ms = timed(argv, stateDir);
        times.push(ms);
        log({ what, round, ms });
      }
    }
  } finally {
    rmSync(stateDir, { recursive: true });
  }
  const bare = median(commands[0].times);
  return commands.map(({ what, times, goal }) => {
    const ratio = median(times) / bare;
    return {
      what: `startup: ${what}`,
      median: `${median(times).toFixed(1)} ms`,
      spread: `${Math.min(...times).toFixed(1)}–${Math.max(...times).toFixed(1)}`,
      ...(goal ? { ratio: `${ratio.toFixed(2)} ×`, goal: `≤ ${goal} ×`, isHeld: ratio <= goal } : {}),
    };
  });
}

/** With an empty environment: what the machine tells Node to load besides would be counted on both sides. */
function timed(argv, home) {
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8", env: { HOME: home } });
  const ms = performance.now() - startedAt;
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}: ${stderr}`);
  return ms;
}
