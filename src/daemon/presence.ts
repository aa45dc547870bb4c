import { hostname } from "node:os";
import type { Clock } from "../shared/clock.ts";
import type { Config } from "../shared/config.ts";
import { digestOfValues } from "../shared/config-digest.ts";
import type { Log } from "../shared/log.ts";
import { thisProcess } from "../shared/process-identity.ts";
import { BUILD, VERSION } from "../shared/version.ts";
import type { ServiceFacts, Store } from "../store/contract/store.ts";
import type { OwnProcess } from "./context.ts";
import type { Certificate } from "./http/certificate.ts";
import type { StoreTrouble } from "./trouble/store-trouble.ts";

/** Keeps in the store that this service runs, and with what: for `status`, which may be of a newer program by then. */
export interface Presence {
  /** Tells the store, now; where it is full or locked, later. */
  tell(): Promise<void>;
  /** The configuration with this digest of its values is the one that runs. */
  runs(digest: string | null): Promise<void>;
  /** Both listeners are open, the admin's unless there is none. */
  listens(address: string, admin: string | null): void;
  /** To be called again and again: tells what could not be told yet, and which lines of the journal are missing. */
  look(): Promise<void> | undefined;
}

interface PresenceContext {
  config: Config;
  store: Pick<Store, "runningServices">;
  clock: Clock;
  log: Log;
  trouble: StoreTrouble;
  certificate: Pick<Certificate, "standing"> | null;
  /** Undefined before the first look. */
  vaultTrouble(): ServiceFacts["vaultTrouble"];
}

export function createPresence(
  { config, store, clock, log, trouble, certificate, vaultTrouble }: PresenceContext,
  { directory, lost }: Pick<OwnProcess, "directory" | "lost">,
): Presence {
  const startedAt = clock.now();
  let runningDigest = config.text === null ? null : digestOfValues(config.text);
  let listen: string | null = null;
  let admin: string | null = null;
  let isNew = true;
  let isTold = false;
  let toldLines = 0;
  let noticedLines = 0;

  const facts = (lostLines: number, ofVault = vaultTrouble()): ServiceFacts => ({
    startedAt,
    pid: thisProcess().pid,
    host: hostname(),
    version: VERSION,
    build: BUILD,
    directory,
    config:
      config.file === null || runningDigest === null ? null : { file: config.file, digest: runningDigest },
    lostLines,
    tls: certificate?.standing() ?? null,
    listen,
    admin,
    ...(ofVault === undefined ? {} : { vaultTrouble: ofVault }),
  });
  /** Two are no fault, each job runs once all the same; but whoever started the second may not know of the first. */
  const nameOthers = (services: readonly (ServiceFacts | null)[]) => {
    if (isNew)
      for (const { pid, address, admin } of othersHere(services))
        log.warn("another serve works on this log too", { pid, address, admin });
    isNew = false;
  };
  const tell = async () => {
    const { lines } = lost();
    isTold = false;
    await store.runningServices({ enter: facts(lines) }).then((services) => {
      isTold = true;
      toldLines = lines;
      nameOthers(services);
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
    runs: async (digest) => {
      runningDigest = digest;
      await tell();
    },
    listens: (publicAddress, adminAddress) => {
      listen = publicAddress;
      admin = adminAddress;
    },
    look: () => {
      noticeGap();
      return !isTold || lost().lines !== toldLines ? tell() : undefined;
    },
  };
}

/** On this machine; one of an older version has no pid to tell. */
function othersHere(services: readonly (ServiceFacts | null)[]) {
  const own = thisProcess().pid;
  return services.flatMap((facts) => {
    if (facts === null || facts.host !== hostname() || facts.pid === undefined || facts.pid === own)
      return [];
    const { pid, listen, admin } = facts;
    return [{ pid, address: listen ?? "not open yet", admin: admin ?? "none" }];
  });
}
