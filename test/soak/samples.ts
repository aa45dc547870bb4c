/** What a process holds, as the kernel tells it. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

export interface Sample {
  /** Which start of the service it is of. */
  life: number;
  residentBytes: number;
  descriptors: number;
  walBytes: number;
}

/** Null for one that has ended. */
export function sample(pid: number, { stateDir, life }: { stateDir: string; life: number }): Sample | null {
  try {
    const [, kilobytes = "0"] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return {
      life,
      residentBytes: Number(kilobytes) * 1024,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      walBytes: statSync(join(stateDir, "log.db-wal"), { throwIfNoEntry: false })?.size ?? 0,
    };
  } catch {
    return null;
  }
}

/** The most of each life, first to last. */
export function peaks(
  samples: readonly Sample[],
  of: "residentBytes" | "descriptors" | "walBytes",
): number[] {
  const lives = [...new Set(samples.map(({ life }) => life))];
  return lives.map((life) =>
    Math.max(...samples.filter((each) => each.life === life).map((each) => each[of])),
  );
}
