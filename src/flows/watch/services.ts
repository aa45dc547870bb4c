import { readFileSync } from "node:fs";
import { join } from "node:path";
import { driftWords } from "../../core/advice/service-drift.ts";
import { isoTime } from "../../shared/clock.ts";
import { digestOf } from "../../shared/digest.ts";
import type { ServiceFacts } from "../../store/contract/store.ts";

/** A running service, with what a restart of it would change. */
export interface RunningService {
  since: string;
  version: string;
  build: string;
  config: ServiceFacts["config"];
  lostLines: number;
  advice: string[];
}

/** Those that say what they run; one of an older version says nothing. */
export function asRunning(all: readonly (ServiceFacts | null)[]): RunningService[] {
  return all.filter((facts) => facts !== null).map(serviceOf);
}

function serviceOf({
  startedAt,
  version,
  build,
  directory,
  config,
  lostLines,
}: ServiceFacts): RunningService {
  const running = { version, build };
  const advice = driftWords({
    running,
    // What runs from its sources has no build to compare.
    installed: build === "source" ? running : installedIn(directory),
    config: { before: config?.digest ?? null, now: config === null ? null : digestNow(config.file) },
    lostLines,
  });
  return { since: isoTime(startedAt), ...running, config, lostLines, advice };
}

/** The program that stands there now; null when there is none. */
function installedIn(directory: string): { version: string; build: string } | null {
  try {
    const { version, build }: Record<string, unknown> = Object(
      JSON.parse(readFileSync(join(directory, "dist/build.json"), "utf8")),
    );
    return { version: String(version), build: String(build) };
  } catch {
    return null;
  }
}

function digestNow(file: string): string | null | "unknown" {
  try {
    return digestOf(readFileSync(file, "utf8"));
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isGone ? null : "unknown";
  }
}
