import type { Clock } from "../shared/clock.ts";
import type { Config } from "../shared/config.ts";
import { digestOf } from "../shared/digest.ts";
import type { Log } from "../shared/log.ts";
import { BUILD, VERSION } from "../shared/version.ts";
import type { ServiceFacts, Store } from "../store/contract/store.ts";
import type { OwnProcess } from "./context.ts";
import type { Certificate } from "./http/certificate.ts";
import type { StoreTrouble } from "./trouble/store-trouble.ts";

/** Keeps in the store that this service runs, and with what: for `status`, which may be of a newer program by then. */
export interface Presence {
  /** Tells the store, now; where it is full or locked, later. */
  tell(): Promise<void>;
  /** The configuration with this text is the one that runs. */
  runs(text: string | null): Promise<void>;
  /** The admin listener is open at this address, or there is none. */
  listens(admin: string | null): void;
  run(signal: AbortSignal): Promise<void>;
}

const LOOK_EVERY_MS = 20_000;

interface PresenceContext {
  config: Config;
  store: Pick<Store, "runningServices">;
  clock: Clock;
  log: Log;
  trouble: StoreTrouble;
  certificate: Pick<Certificate, "standing"> | null;
}

export function createPresence(
  { config, store, clock, log, trouble, certificate }: PresenceContext,
  { directory, lost }: Pick<OwnProcess, "directory" | "lost">,
): Presence {
  const startedAt = clock.now();
  let runningText = config.text;
  let admin: string | null = null;
  let isTold = false;
  let toldLines = 0;
  let noticedLines = 0;

  const facts = (lostLines: number): ServiceFacts => ({
    startedAt,
    version: VERSION,
    build: BUILD,
    directory,
    config:
      config.file === null || runningText === null
        ? null
        : { file: config.file, digest: digestOf(runningText) },
    lostLines,
    tls: certificate?.standing() ?? null,
    admin,
  });
  const tell = async () => {
    const { lines } = lost();
    isTold = false;
    await store.runningServices({ enter: facts(lines) }).then(() => {
      isTold = true;
      toldLines = lines;
    }, trouble.hear);
  };
  /** Once the log can be written again: what is missing from it. */
  const noticeGap = () => {
    const { lines, isOver } = lost();
    if (lines === noticedLines || !isOver) return;
    log.warn("lines of this log could not be written and are lost", { lines: lines - noticedLines });
    noticedLines = lines;
  };
  return {
    tell,
    runs: async (text) => {
      runningText = text;
      await tell();
    },
    listens: (address) => {
      admin = address;
    },
    run: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
        if (signal.aborted) return;
        noticeGap();
        if (!isTold || lost().lines !== toldLines) await tell();
      }
    },
  };
}
