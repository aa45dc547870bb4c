import { execFileSync } from "node:child_process";
import { execPath } from "node:process";

/** The -wal's pages, and how many of them were written into the log. */
export interface Checkpoint {
  log: number;
  checkpointed: number;
}

/**
 * Was some process killed within a checkpoint? It wrote into the log and moved no number that SQLite tells. How far it
 * meant to come stands in the -shm (sqlite.org/walformat.html: `nBackfillAttempted`). Some 40 ms.
 */
export function isCutOff({ log, checkpointed }: Checkpoint, shmPath: string): boolean {
  if (log <= checkpointed) return false;
  try {
    // Read by another process: to close a descriptor of that file here would drop all locks that we hold on it.
    return (
      Number(execFileSync(execPath, ["-e", PRINT_ATTEMPTED, shmPath], { timeout: 5_000 })) > checkpointed
    );
  } catch {
    return false;
  }
}

/** A number of 32 bits at byte 128, in the machine's own order. */
const PRINT_ATTEMPTED = `
  const { argv, stdout } = process;
  const bytes = new Uint32Array(1);
  fs.readSync(fs.openSync(argv[1]), bytes, 0, 4, 128);
  stdout.write(String(bytes[0]));
`;
