/** What monitoring scrapes: counted where it happens, by observers that hold no opinion, and read from the log when asked. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type LastBackup, lastBackup } from "../../flows/watch/last-backup.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { isAppError } from "../../shared/errors.ts";
import type { CallSeen } from "../../shared/observed-http.ts";
import { BUILD, VERSION } from "../../shared/version.ts";
import type { Certificate } from "../http/certificate.ts";
import type { AnsweredWebhook } from "../receiving/answers.ts";
import { createLook, type Looked, setConnectionGauges } from "./connection-gauges.ts";
import { createInstruments, type Instruments } from "./instruments.ts";

export interface Observers {
  answered(webhook: AnsweredWebhook): void;
  called(call: CallSeen): void;
  /** A push reached that vendor, so long after the oldest change that it carries. */
  delivered(vendor: string, undeliveredMs: number): void;
  /** `partly`: some of its tasks are tried again. */
  jobEnded(job: string, outcome: "done" | "partly" | "failed"): void;
  /** To be called again and again, by the event loop: about once a second while somebody scrapes. */
  ticked(lateMs: number): void;
}

export interface Metrics extends Observers {
  scrape(gauged: Gauged): Promise<{ type: string; text: string }>;
  /** Does somebody scrape, now and then? */
  isScraped(): boolean;
}

/** What is asked when somebody scrapes. */
export interface Gauged {
  isReady: boolean;
}

type MetricsContext = Parameters<typeof createLook>[0] & {
  config: Config;
  clock: Clock;
  stateDir: string;
  certificate: Pick<Certificate, "standing"> | null;
  onScrape(): void;
};

export function createMetrics(context: MetricsContext): Metrics {
  const { config, clock, stateDir, certificate, onScrape } = context;
  const isByOrg = config["metrics.org_label"];
  const instruments = createInstruments({ isByOrg });
  instruments.buildInfo.set({ version: VERSION, build: BUILD }, 1);
  instruments.startedAt.set(clock.now() / 1_000);
  let scrapedMs = Number.NEGATIVE_INFINITY;
  const atLog = patient(createLook(context));
  const atBackups = patient(() => lastBackup(context, clock.now()));
  return {
    ...observersOf(instruments, clock),
    isScraped: () => performance.now() - scrapedMs < SCRAPED_WITHIN_MS,
    scrape: async ({ isReady }) => {
      scrapedMs = performance.now();
      onScrape();
      const [looked, backups] = await Promise.all([atLog(), atBackups()]);
      instruments.isReadable.set(looked ? 1 : 0);
      setConnectionGauges(instruments, looked ?? NOTHING, isByOrg);
      setBackup(instruments, backups);
      instruments.isReady.set(isReady ? 1 : 0);
      instruments.logBytes.set(sizeOf(join(stateDir, "log.db")));
      instruments.walBytes.set(sizeOf(join(stateDir, "log.db-wal")));
      setCertificate(instruments, certificate);
      const { registry } = instruments;
      return { type: registry.contentType, text: await registry.metrics() };
    },
  };
}

/** Few scrape more rarely. */
const SCRAPED_WITHIN_MS = 5 * 60_000;

function setBackup({ backupAt }: Instruments, found: LastBackup | null): void {
  backupAt.reset();
  if (found === null || found.since === null) return;
  const { newest, since } = found;
  backupAt.set({ is: newest === null ? "missing" : "there" }, since / 1_000);
}

function setCertificate(
  { certificateEndsAt }: Instruments,
  certificate: MetricsContext["certificate"],
): void {
  certificateEndsAt.reset();
  if (certificate === null) return;
  const { names, endsAt } = certificate.standing();
  certificateEndsAt.set({ names }, endsAt / 1_000);
}

/** A scraper waits for 10 s itself, and a disk may stall for longer. */
const LONGEST_LOOK_MS = 3_000;

/**
 * Null for what cannot be read now: its figures are then missing from the scrape, and nothing else. However many ask at
 * once, and however long it takes, it is looked at once.
 */
function patient<Found>(look: () => Promise<Found>): () => Promise<Found | null> {
  let underWay: Promise<Found | null> | null = null;
  const begin = () =>
    look()
      .catch((error: unknown) => {
        if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
        return null;
      })
      .finally(() => {
        underWay = null;
      });
  return async () => {
    underWay ??= begin();
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), LONGEST_LOOK_MS);
    });
    return await Promise.race([underWay, tooLong]).finally(() => clearTimeout(timer));
  };
}

const NOTHING: Looked = {
  now: 0,
  connections: [],
  windows: new Map(),
  figures: { pushes: [], oldestPending: [], calls: [] },
};

function observersOf(instruments: Instruments, clock: Clock): Observers {
  const sources = new Map<string, ReturnType<typeof sourceOf>>();
  /** Intake is counted thousands of times a second: its labels are put together once. */
  const sourceOf = (source: string) => ({
    stored: instruments.acknowledged.labels({ source, outcome: "stored" }),
    known: instruments.acknowledged.labels({ source, outcome: "known" }),
    erased: instruments.acknowledged.labels({ source, outcome: "refused for an erased person" }),
    took: instruments.ingest.labels({ source }),
    notStored: instruments.notStored.labels({ source }),
  });
  const known = (source: string) => {
    const found = sources.get(source) ?? sourceOf(source);
    sources.set(source, found);
    return found;
  };
  return {
    answered: (webhook) => {
      const { source } = webhook;
      if (webhook.became === "refused") return instruments.refused.inc({ source, reason: webhook.why });
      const of = known(source);
      if (webhook.became === "checked") return instruments.checked.inc({ source });
      if (webhook.became === "not stored") return of.notStored.inc();
      of[webhook.became].inc();
      of.took.observe(webhook.tookMs / 1_000);
    },
    called: ({ vendor, status, tookMs }) => {
      instruments.calls.inc({ vendor, status: status === null ? "none" : String(status) });
      instruments.callTimes.observe({ vendor }, tookMs / 1_000);
    },
    delivered: (vendor, undeliveredMs) =>
      instruments.webhookToContact.observe({ vendor }, undeliveredMs / 1_000),
    jobEnded: (job, outcome) => {
      instruments.jobRuns.inc({ job, outcome });
      if (outcome === "done") instruments.jobDone.set({ job }, clock.now() / 1_000);
    },
    ticked: (lateMs) => instruments.loopDelay.observe(Math.max(0, lateMs) / 1_000),
  };
}

/** 0 where there is none, or nobody can tell. */
function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
