import { join } from "node:path";
import { rotateCommand, setSecretCommand, webhooksLogCommand } from "../../core/advice/command-lines.ts";
import { backupTrouble } from "../../core/advice/backup-overdue.ts";
import { refusedSources, refusedWords } from "../../core/advice/refused-sources.ts";
import type { Connection, Environment } from "../../core/connection.ts";
import { DEFAULT_VENDOR } from "../../core/default-vendor.ts";
import { type InviteRequest, WANTED } from "../../core/invite-request.ts";
import { dailyDue } from "../../core/due-times.ts";
import { type Clock, isoTime } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { isAppError } from "../../shared/errors.ts";
import { openToOthers } from "../../shared/private-files.ts";
import { orgsIn, regionWarnings } from "../../core/advice/residency.ts";
import { settingsOf } from "../../shared/vendor-settings.ts";
import type { TlsFiles } from "../../shared/tls-files.ts";
import type { Overview, Store } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import { nobodyAlerted } from "./alert-chat.ts";
import { connectionStatus, timeOrNull, wordsOf } from "./connection-status.ts";
import { hasFaults } from "./faults-file.ts";
import { isPostgres } from "../../shared/store-url.ts";
import { lastBackup } from "./last-backup.ts";
import { diskOf, storageOf } from "./log-standing.ts";
import { secretWarnings } from "./secret-warnings.ts";
import { tlsTrouble } from "./tls-standing.ts";

const REFUSALS_SHOWN_MS = 24 * 3_600_000;
const MOST_REFUSALS = 1_000;
const MOST_WANTED = 1_000;

export interface StatusContext {
  /** Null where there is no store yet: who looks creates none. */
  storeToRead(): Promise<Store | null>;
  clock: Pick<Clock, "now">;
  config: Config;
  vendors: readonly VendorDeclaration[];
  stateDir: string;
  secretNames(): Promise<readonly string[] | null>;
  /** Null where `serve` speaks no TLS. Throws `CONFIG_INVALID` where half of a pair is set. */
  tlsFiles(): TlsFiles | null;
}

/** One glance at an org: what `status` prints and the admin page will show. */
export async function statusOf(
  { storeToRead, clock, config, vendors: declared, stateDir, secretNames, tlsFiles }: StatusContext,
  { org, environment }: { org: string; environment: Environment },
) {
  const now = clock.now();
  const { overview, services, running, refusals, sources, known, all, wanted, isThere, problem } =
    await lookIfThere(storeToRead, {
      org,
      environment,
      now,
    });
  // Loaded only where something is wrong: nearly always nothing is.
  const faults = hasFaults(stateDir) ? (await import("./serve-faults.ts")).serveFaults(stateDir) : [];
  const inUse = declared.filter(isSetUp(config, { org, environment }));
  // Where no app is named no service has anything to carry.
  const isAsked = !isThere && inUse.length > 0;
  const said = isAsked ? await serveSays(config) : null;
  const backup = await lastBackup({ config, stateDir }, now);
  const { orgs } = overview;
  const links = new Map(
    overview.consents.filter((link) => link.environment === environment).map((link) => [link.vendor, link]),
  );
  const vendors = new Set([
    DEFAULT_VENDOR,
    ...inUse.map(({ vendor }) => vendor),
    ...known.map(({ connection }) => connection.vendor),
    ...links.keys(),
  ]);
  const place = { org, environment, now, isServed: services.length > 0, all };
  const connections = [...vendors].map((vendor) =>
    connectionStatus(vendor, {
      ...place,
      config,
      declared,
      found: known.find(({ connection }) => connection.vendor === vendor),
      link: links.get(vendor),
    }),
  );
  const sum = (key: keyof (typeof connections)[number]["pushes"]) =>
    connections.reduce((total, { pushes }) => total + pushes[key], 0);
  return {
    org,
    isKnown: orgs.includes(org) || Object.hasOwn(config.orgs, org),
    /** Those that have something here. */
    orgs,
    connections,
    pushes: {
      pending: sum("pending"),
      delivered: sum("delivered"),
      rejected: sum("rejected"),
      held: sum("held"),
      stuck: sum("stuck"),
    },
    events: overview.events,
    /** What vendors are still to be asked about events that only name what happened. */
    questions: overview.questions
      .filter((each) => each.environment === environment)
      .map(({ vendor, n, since, reason }) => ({
        vendor,
        label: wordsOf(vendor, declared).label,
        n,
        since: isoTime(since),
        reason,
      })),
    /** What was refused of each source since it was last taken from, within a day. */
    refused: refusedSources(refusals, sources).map((each) => ({
      source: each.source,
      n: each.n,
      reason: each.reasons[0]?.reason ?? "",
      reasons: each.reasons,
      lastAt: isoTime(each.lastAt),
      banner: each.isTold ? refusedWords(each, adviceFor(each.source, { declared, org })) : null,
    })),
    invites: overview.invites,
    /** Invites that stages ask for and that are not sent yet. */
    wanted: wantedOf(wanted, config),
    /** Why nobody hears of trouble; null where somebody does, or there is nothing yet to tell of. */
    nobodyAlerted: connections.some(({ state }) => state !== "not_connected")
      ? await nobodyAlerted({ config, org }, secretNames)
      : null,
    /** People, and the later events of theirs that were refused within 30 days. */
    erased: overview.erased,
    retention: retentionOf(overview.removed, config.orgs[org]?.retention_days ?? config["retention.days"]),
    nextSweepAt: isoTime(dailyDue(config["schedule.sweep_at"]).next(now)),
    secretWarnings: secretWarnings(stateDir),
    /** What other users of the machine can read or change of the state, in words. */
    openToOthers: openToOthers(stateDir),
    /** What of the settings does not go together, in words; of a connection its own line says it. */
    settingWarnings: regionWarnings(
      config,
      orgsIn(config).filter((each) => !all.some(isLiveOf(each))),
    ),
    service: services.length > 0 || faults.length > 0 ? "running" : "not running",
    services: running,
    /** What is wrong with the certificate that senders are to be shown; null where nothing is. */
    tls: await tlsTrouble(tlsFiles, { running, now }),
    /** Whose affair its disk and its backups are: this machine's, or the database's. The URL has no password in it. */
    log: isPostgres(config["store.url"])
      ? { kind: "postgres" as const, place: config["store.url"] }
      : { kind: "sqlite" as const, place: join(stateDir, "log.db") },
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
    /** Sources that have no secret to judge their webhooks by, in a service that runs. */
    secrets: faults
      .filter(({ kind }) => kind === "secrets")
      .map(({ since, message, hint }) => ({ since: isoTime(since), message, hint })),
    storage: storageOf({
      stateDir,
      config,
      problem,
      faults: faults.filter(({ kind }) => kind !== "secrets"),
      isServed: services.length > 0,
      said,
    }),
  };
}

/** By what they wait for: JobCannon's answer, or a person. */
function wantedOf(wanted: readonly InviteRequest[], config: Config) {
  const isAsked = config["jobcannon.invites_url"] !== "";
  const waiting = wanted.filter(({ state }) => state === "open" && isAsked);
  const failed = waiting.find(({ reason }) => reason !== null);
  return {
    n: wanted.length,
    forPerson: wanted.length - waiting.length,
    since: timeOrNull(wanted[0]?.askedAt),
    reason: failed?.reason ?? null,
  };
}

const isLiveOf = (org: string) => (each: Connection) => each.org === org && each.state !== "not_connected";

/** How long the org keeps what it has, and what was removed for its age within 30 days. */
function retentionOf(removed: Overview["removed"], days: number) {
  const { invites = 0, rejected = 0, lastAt = null } = removed ?? {};
  return { days, invites, rejected, lastAt: timeOrNull(lastAt) };
}

async function look(store: Store, { org, environment, now }: Place) {
  const [overview, all, services, refusals, sources, wanted] = await Promise.all([
    store.overview(org, now),
    store.connections(),
    store.runningServices(),
    store.refusals(null, now - REFUSALS_SHOWN_MS, MOST_REFUSALS),
    store.sources(),
    store.inviteRequests({ org, states: WANTED, limit: MOST_WANTED }),
  ]);
  const known = overview.connections.filter(({ connection }) => connection.environment === environment);
  const running = services.length > 0 ? (await import("./services.ts")).asRunning(services, now) : [];
  return {
    ...{ overview, services, running, refusals, sources, known, all },
    wanted: wanted.filter((request) => request.environment === environment),
  };
}

interface Place {
  org: string;
  environment: Environment;
  now: number;
}

/** A log that cannot be read keeps nobody from seeing the rest. */
async function lookIfThere(storeToRead: StatusContext["storeToRead"], place: Place) {
  try {
    const store = await storeToRead();
    if (store) return { ...(await look(store, place)), isThere: true, problem: null };
    return { ...NOTHING_YET, isThere: false, problem: null };
  } catch (error) {
    if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
    return { ...NOTHING_YET, isThere: true, problem: error };
  }
}

const NOTHING_YET: Awaited<ReturnType<typeof look>> = {
  overview: {
    events: { total: 0, unmatched: 0, ignored: 0, conflicts: 0 },
    orgs: [],
    invites: 0,
    connections: [],
    questions: [],
    consents: [],
    removed: null,
    erased: { people: 0, refused: 0 },
  },
  services: [],
  running: [],
  refusals: [],
  sources: [],
  wanted: [],
  known: [],
  all: [],
};

/** What a service says that nobody could find by the log; loaded when it is asked. */
async function serveSays(config: Config): Promise<string | null> {
  const { askServe } = await import("./ask-serve.ts");
  return await askServe(config["serve.listen"], { isTls: config["serve.tls_cert"] !== "" });
}

/** One that results go to is shown before it was ever connected where the org has an app there. */
function isSetUp(config: Config, of: { org: string; environment: Environment }) {
  return (vendor: VendorDeclaration): boolean =>
    vendor.destination !== undefined && Boolean(settingsOf(config, vendor, of).client_id);
}

/** What is no HTTP has no vendor that anybody could name. */
function adviceFor(
  source: string,
  { declared, org }: { declared: readonly VendorDeclaration[]; org: string },
): { label: string; command: string } {
  const vendor = declared.find((each) => each.vendor === source);
  if (!vendor) return { label: "nobody we know", command: `See: ${webhooksLogCommand({ vendor: source })}` };
  const secret = vendor.secrets.find(({ rotates }) => rotates);
  const isAts = vendor.destination?.isAts ?? false;
  const cure = isAts ? rotateCommand({ vendor: source, org }) : secret && setSecretCommand(secret.name, {});
  const changed = cure === undefined ? "" : `; where its secret was changed: ${cure}`;
  return { label: vendor.label, command: `See: ${webhooksLogCommand({ vendor: source, org })}${changed}` };
}
