import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { certificateTrouble } from "../../core/advice/certificate.ts";
import { unreadVaultWords } from "../../core/advice/unread-vault.ts";
import { driftWords } from "../../core/advice/service-drift.ts";
import { isoTime } from "../../shared/clock.ts";
import { digestOfValues } from "../../shared/config-digest.ts";
import type { ServiceCertificate, ServiceFacts } from "../../store/contract/store.ts";

/** A running service, with what a restart of it would change. */
export interface RunningService {
  since: string;
  /** The machine that it runs on; null where an older version did not say it. */
  host: string | null;
  /** Null where an older version did not say it, as with the addresses. */
  pid: number | null;
  listen: string | null;
  admin: string | null;
  version: string;
  build: string;
  config: ServiceFacts["config"];
  lostLines: number;
  /** The certificate that it shows; null where it speaks no TLS. */
  tls: { names: string; endsAt: string; problem: string | null } | null;
  advice: string[];
}

/** Those that say what they run; one of an older version says nothing. */
export function asRunning(all: readonly (ServiceFacts | null)[], now: number): RunningService[] {
  return all
    .filter((facts) => facts !== null)
    .map((facts) => serviceOf(facts, { now, unread: unreadVaultWords(facts, all) }));
}

function serviceOf(
  facts: ServiceFacts,
  { now, unread }: { now: number; unread: string | null },
): RunningService {
  const { startedAt, host = null, version, build, directory, config, lostLines, tls = null } = facts;
  const { pid = null, listen = null, admin = null } = facts;
  // What another machine has in its files nobody sees from here.
  const isElsewhere = host !== null && host !== hostname();
  const before = config?.digest ?? null;
  const running = { version, build };
  const drift = driftWords({
    running,
    // What runs from its sources has no build to compare.
    installed: build === "source" || isElsewhere ? running : installedIn(directory),
    config: { before, now: config === null || isElsewhere ? before : digestNow(config.file) },
    lostLines,
  });
  return {
    since: isoTime(startedAt),
    host,
    ...{ pid, listen, admin },
    ...running,
    config,
    lostLines,
    tls: tls && { ...tls, endsAt: isoTime(tls.endsAt) },
    advice: [...drift, ...certificateWords(tls, now), ...(unread === null ? [] : [unread])].map((words) =>
      isElsewhere ? `on ${host}: ${words}` : words,
    ),
  };
}

function certificateWords(tls: ServiceCertificate | null, now: number): string[] {
  if (tls === null) return [];
  const words = certificateTrouble(tls, now)?.words;
  const { problem } = tls;
  return [
    ...(words === undefined ? [] : [words]),
    ...(problem === null ? [] : [`the new certificate is not taken, the old one stays in use: ${problem}`]),
  ];
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
    return digestOfValues(readFileSync(file, "utf8"));
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ENOENT";
    return isGone ? null : "unknown";
  }
}
