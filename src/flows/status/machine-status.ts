/** What `status` says of this machine, whichever org it is asked about: its service, its log and the files beside it. */
import { join } from "node:path";
import { backupTrouble } from "../../core/advice/backup-overdue.ts";
import { orgsIn, regionWarnings } from "../../core/advice/residency.ts";
import type { Connection } from "../../core/connection.ts";
import { dailyDue } from "../../core/due-times.ts";
import { isoTime } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { copiedMark } from "../../shared/copied-log.ts";
import { openToOthers } from "../../shared/private-files.ts";
import { isPostgres } from "../../shared/store-url.ts";
import type { TlsFiles } from "../../shared/tls-files.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import { timeOrNull } from "./connection-status.ts";
import { hasFaults } from "../watch/faults-file.ts";
import type { FoundInLog } from "./found-in-log.ts";
import { lastBackup } from "../watch/last-backup.ts";
import { diskOf, storageOf } from "./log-standing.ts";
import { secretWarnings } from "../watch/secret-warnings.ts";
import { type ShownPlace, vendorsSetUp } from "./shown-connections.ts";
import { tlsTrouble } from "./tls-standing.ts";

export interface MachineContext {
  config: Config;
  vendors: readonly VendorDeclaration[];
  stateDir: string;
  /** Null where `serve` speaks no TLS. Throws `CONFIG_INVALID` where half of a pair is set. */
  tlsFiles(): TlsFiles | null;
}

export async function machineStatus(context: MachineContext, place: ShownPlace, found: FoundInLog) {
  const { config, stateDir, tlsFiles } = context;
  const { now } = place;
  const { all, services, running, isThere, problem } = found;
  const isServed = services.length > 0;
  const { faults, said } = await heardOfServe(context, place, found);
  const backup = await lastBackup({ config, stateDir }, now);
  const log = logPlace(config, stateDir);
  return {
    nextSweepAt: isoTime(dailyDue(config["schedule.sweep_at"]).next(now)),
    secretWarnings: secretWarnings(stateDir),
    /** What other users of the machine can read or change of the state, in words. */
    openToOthers: openToOthers(stateDir),
    /** What of the settings does not go together, in words; of a connection its own line says it. */
    settingWarnings: regionWarnings(
      config,
      orgsIn(config).filter((each) => !all.some(isLiveOf(each))),
    ),
    service: serviceWord({
      isHeardOf: isServed || faults.length > 0 || said === "storage",
      isToldByLog: problem === null && log.copiedTo === null,
    }),
    services: running,
    /** What is wrong with the certificate that senders are to be shown; null where nothing is. */
    tls: await tlsTrouble(tlsFiles, { running, now }),
    /** Whose affair its disk and its backups are: this machine's, or the database's. The URL has no password in it. */
    log,
    /** The newest good one: what was looked through after it was written. */
    backup: {
      directory: backup.directory,
      file: backup.newest?.file ?? null,
      lastAt: timeOrNull(backup.newest?.at),
      trouble: isThere ? backupTrouble(backup, now) : null,
    },
    /** Whether the log could be read: what it does not tell of connections nobody knows. */
    isLogRead: problem === null && said !== "storage",
    /** Where the log is; null where there is none yet, or nobody can tell. */
    disk: isThere ? diskOf(stateDir) : null,
    /** Sources that have no secret to judge their webhooks by, in a service that runs; `isStep`: none is sent yet. */
    secrets: faults
      .filter(({ kind }) => kind === "secrets")
      .map(({ since, message, hint, isStep = false }) => ({ since: isoTime(since), message, hint, isStep })),
    storage: storageOf({
      ...{ stateDir, config, problem, isServed, said },
      faults: faults.filter(({ kind }) => kind !== "secrets"),
    }),
  };
}

/** What a service tells beside the log, and `said` without one. The code for it is loaded only where it is needed: nearly never. */
async function heardOfServe(
  { config, vendors, stateDir }: MachineContext,
  place: ShownPlace,
  { isThere }: FoundInLog,
) {
  const faults = hasFaults(stateDir) ? (await import("../watch/serve-faults.ts")).serveFaults(stateDir) : [];
  // Where no app is named no service has anything to carry.
  const isAsked = !isThere && vendorsSetUp(config, vendors, place).length > 0;
  return { faults, said: isAsked ? await serveSays(config) : null };
}

async function serveSays(config: Config): Promise<string | null> {
  const { askServe } = await import("./ask-serve.ts");
  return await askServe(config["serve.listen"], { isTls: config["serve.tls_cert"] !== "" });
}

/** Services are entered in the log: without it nobody knows of one on another machine, or with another state directory. */
function serviceWord({ isHeardOf, isToldByLog }: { isHeardOf: boolean; isToldByLog: boolean }) {
  if (isHeardOf) return "running" as const;
  return isToldByLog ? ("not running" as const) : ("not known" as const);
}

/** `copiedTo`: the database that the log is in now, where the configuration names a file that was copied there. */
function logPlace(config: Config, stateDir: string) {
  const url = config["store.url"];
  if (isPostgres(url)) return { kind: "postgres" as const, place: url, copiedTo: null };
  const copiedTo = copiedMark(stateDir)?.to ?? null;
  return { kind: "sqlite" as const, place: join(stateDir, "log.db"), copiedTo };
}

const isLiveOf = (org: string) => (each: Connection) => each.org === org && each.state !== "not_connected";
