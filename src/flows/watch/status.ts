import { accessSync, constants, statfsSync } from "node:fs";
import {
  logsCommand,
  NEW_LOG_COMMAND,
  replayCommand,
  RETRY_COMMAND,
  rotateCommand,
  setSecretCommand,
  webhooksLogCommand,
} from "../../core/advice/command-lines.ts";
import { versionTrouble } from "../../core/advice/api-version.ts";
import { sharedAccountTrouble } from "../../core/advice/account-taken.ts";
import { leftOutWords } from "../../core/advice/left-out.ts";
import { backupTrouble } from "../../core/advice/backup-overdue.ts";
import { loginTrouble } from "../../core/advice/login-age.ts";
import { confirmWords } from "../../core/advice/not-confirmed.ts";
import { refusedSources, refusedWords } from "../../core/advice/refused-sources.ts";
import { refusalWords } from "../../core/advice/refusal.ts";
import { stuckInAll, stuckTroubles } from "../../core/advice/stuck.ts";
import { subscriptionTrouble } from "../../core/advice/subscription.ts";
import {
  type Connection,
  type ConnectionState,
  type Environment,
  type Outage,
  otherOwner,
  type VaultTrouble,
} from "../../core/connection.ts";
import { isDegraded } from "../../core/delivery/outage-record.ts";
import { DEFAULT_VENDOR } from "../../core/default-vendor.ts";
import { dailyDue } from "../../core/due-times.ts";
import { type Clock, isoTime } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import { secretWarnings } from "./secret-warnings.ts";
import { openToOthers } from "../../shared/private-files.ts";
import { count, plain, shortTime } from "../../shared/text.ts";
import { withoutEffect } from "../../shared/settings.ts";
import { settingsOf } from "../../shared/vendor-settings.ts";
import type { ConnectionCounts, Overview, PushCounts, Store } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import type { ServeFault } from "./serve-faults.ts";
import { apiVersionOf, versionsOf } from "./api-version.ts";
import { nobodyAlerted } from "./alert-chat.ts";
import { lastBackup } from "./last-backup.ts";
import { hasFaults } from "./faults-file.ts";

const REFUSALS_SHOWN_MS = 24 * 3_600_000;
const MOST_REFUSALS = 1_000;
const MINUTE_MS = 60_000;

export interface StatusContext {
  /** Null where there is no store yet: who looks creates none. */
  storeToRead(): Promise<Store | null>;
  clock: Pick<Clock, "now">;
  config: Config;
  vendors: readonly VendorDeclaration[];
  stateDir: string;
  secretNames(): Promise<readonly string[] | null>;
}

/** One glance at an org: what `status` prints and the admin page will show. */
export async function statusOf(
  { storeToRead, clock, config, vendors: declared, stateDir, secretNames }: StatusContext,
  { org, environment }: { org: string; environment: Environment },
) {
  const now = clock.now();
  const { overview, services, running, refusals, sources, known, all, isThere, problem } = await lookIfThere(
    storeToRead,
    {
      org,
      environment,
      now,
    },
  );
  // Loaded only where something is wrong: nearly always nothing is.
  const faults = hasFaults(stateDir) ? (await import("./serve-faults.ts")).serveFaults(stateDir) : [];
  const said = isThere
    ? null
    : await (await import("./ask-serve.ts")).askServe(config["serve.listen"], {
        isTls: config["serve.tls_cert"] !== "",
      });
  const backup = await lastBackup({ config, stateDir }, now);
  const { orgs } = overview;
  const links = new Map(
    overview.consents.filter((link) => link.environment === environment).map((link) => [link.vendor, link]),
  );
  const vendors = new Set([
    DEFAULT_VENDOR,
    ...declared.filter(isSetUp(config, { org, environment })).map(({ vendor }) => vendor),
    ...known.map(({ connection }) => connection.vendor),
    ...links.keys(),
  ]);
  const connections = [...vendors].map((vendor) => {
    const { label, isAts } = wordsOf(vendor, declared);
    const found = known.find(({ connection }) => connection.vendor === vendor);
    const connection = found?.connection;
    const link = links.get(vendor);
    const linkExpiresAt = link?.expiresAt ?? null;
    const state = stateWith(connection?.state, linkExpiresAt);
    return {
      vendor,
      label,
      environment,
      state,
      tokens: tokensOf(connection),
      /** By whom it is, while we are refused: what no waiting mends. */
      refusedFor: connection?.state === "connected" ? refusedFor(connection) : null,
      account: connection?.account ? `${connection.account.name} (${connection.account.id})` : null,
      scopes: connection?.scopes ?? [],
      missingScopes: connection?.missingScopes ?? [],
      /** What of every result the account cannot take, and why. */
      leftOut: (connection?.leftOut ?? []).map(({ name, reason }) => ({ name, reason })),
      ...versionIn(config, {
        declared: declared.find((each) => each.vendor === vendor),
        org,
        environment,
        now,
        state,
      }),
      tokenExpiresAt: timeOrNull(connection?.tokenExpiresAt),
      login: connection?.login
        ? { since: isoTime(connection.login.since), endsAt: isoTime(connection.login.endsAt) }
        : null,
      lastSyncAt: timeOrNull(connection?.lastSyncAt),
      subscription: isAts ? subscriptionOf(connection) : null,
      /** What it was never told of, as `connect` or the last `backfill` counted it. */
      unsent: connection?.state === "connected" ? (connection.unsent ?? 0) : 0,
      /** Of a link for consent that is open; null when none is. */
      linkExpiresAt: timeOrNull(linkExpiresAt),
      /** How the last answer to it ended, where it brought no connection. */
      linkRefusal: link?.refusal ? { at: timeOrNull(link.refusedAt), reason: link.refusal } : null,
      banner:
        state === "waiting_for_consent" && linkExpiresAt !== null
          ? `waiting for consent, link valid until ${shortTime(linkExpiresAt)}${linkRefusalWords(link)}`
          : bannerOf(label, found, { now, isServed: services.length > 0, all }),
      pushes: found
        ? { ...found.pushes, stuck: stuckInAll(found.stuck) }
        : { pending: 0, delivered: 0, rejected: 0, held: 0, stuck: 0 },
    };
  });
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
    /** Why nobody hears of trouble; null where somebody does, or there is nothing yet to tell of. */
    nobodyAlerted: connections.some(({ state }) => state !== "not_connected")
      ? await nobodyAlerted({ config, org }, secretNames)
      : null,
    retention: retentionOf(overview.removed, config.orgs[org]?.retention_days ?? config["retention.days"]),
    nextSweepAt: isoTime(dailyDue(config["schedule.sweep_at"]).next(now)),
    secretWarnings: secretWarnings(stateDir),
    /** What other users of the machine can read or change of the state, in words. */
    openToOthers: openToOthers(stateDir),
    /** Settings that nothing heeds, in words. */
    settingWarnings: withoutEffect(config, declared),
    service: services.length > 0 || faults.length > 0 ? "running" : "not running",
    services: running,
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
    /** What is wrong with the log itself, or keeps the service from writing it. */
    storage: [
      ...storageOf(
        problem,
        faults.filter(({ kind }) => kind !== "secrets"),
      ),
      ...(services.length > 0 && isReadOnly(stateDir) ? [readOnly(stateDir)] : []),
      ...(said === "storage" ? [elsewhere(stateDir, config)] : []),
    ],
  };
}

/** How long the org keeps what it has, and what was removed for its age within 30 days. */
function retentionOf(removed: Overview["removed"], days: number) {
  const { invites = 0, rejected = 0, lastAt = null } = removed ?? {};
  return { days, invites, rejected, lastAt: timeOrNull(lastAt) };
}

/** There a service cannot even tell of it. */
function isReadOnly(stateDir: string): boolean {
  try {
    accessSync(stateDir, constants.W_OK);
    return false;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EROFS";
  }
}

function readOnly(stateDir: string) {
  return {
    isWarning: false,
    since: null,
    message: `the file system of ${stateDir} cannot be written: serve refuses events with 503`,
    hint: "Find out why (dmesg says what the disk met), then: mount -o remount,rw. All goes on by itself.",
  };
}

function elsewhere(stateDir: string, config: Config) {
  return {
    isWarning: false,
    since: null,
    message: `serve runs on another file: no log is in ${stateDir}, and the one that listens on ${config["serve.listen"]} has lost its own`,
    hint: `Bring the directory back. To begin with an empty log: ${NEW_LOG_COMMAND}`,
  };
}

/** As whoever looks finds the log, and as a running service knows it: they may look at different files. */
function storageOf(problem: AppError | null, faults: readonly ServeFault[]) {
  const found = problem
    ? [{ isWarning: false, since: null, message: problem.message, hint: problem.hint ?? null }]
    : [];
  const told = faults.map(({ since, kind, message, hint }) => ({
    isWarning: kind === "held-up",
    since: isoTime(since),
    message: kind === "lost" ? `serve runs on another file: ${message}` : message,
    hint,
  }));
  return told.length > 0 ? told : found;
}

function diskOf(stateDir: string): { freeBytes: number } | null {
  try {
    const { bavail, bsize } = statfsSync(stateDir);
    return { freeBytes: bavail * bsize };
  } catch {
    return null;
  }
}

async function look(store: Store, { org, environment, now }: Place) {
  const [overview, all, services, refusals, sources] = await Promise.all([
    store.overview(org, now),
    store.connections(),
    store.runningServices(),
    store.refusals(null, now - REFUSALS_SHOWN_MS, MOST_REFUSALS),
    store.sources(),
  ]);
  const known = overview.connections.filter(({ connection }) => connection.environment === environment);
  const running = services.length > 0 ? (await import("./services.ts")).asRunning(services, now) : [];
  return { overview, services, running, refusals, sources, known, all };
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
  },
  services: [],
  running: [],
  refusals: [],
  sources: [],
  known: [],
  all: [],
};

/** One that results go to is shown before it was ever connected where the org has an app there. */
function isSetUp(config: Config, of: { org: string; environment: Environment }) {
  return (vendor: VendorDeclaration): boolean =>
    vendor.destination !== undefined && Boolean(settingsOf(config, vendor, of).client_id);
}

/** The API version that the vendor is asked in, and what to do before its end, where it is in use. */
function versionIn(
  config: Config,
  {
    declared,
    now,
    state,
    ...of
  }: Place & { declared: VendorDeclaration | undefined; state: ConnectionState },
) {
  const apiVersion = apiVersionOf(declared, config, of);
  if (!declared || !apiVersion) return { apiVersion: null, versionWarning: null };
  const { vendor, label } = declared;
  const known = versionsOf(declared);
  const isUsed = state !== "not_connected";
  return {
    apiVersion,
    versionWarning: isUsed ? versionTrouble(apiVersion, { vendor, label, known, now }) : null,
  };
}

/** The link is good again: whoever has it may try once more. */
function linkRefusalWords(link: { refusedAt: number | null; refusal: string | null } | undefined): string {
  if (!link?.refusal || link.refusedAt === null) return "";
  return `. The last answer, at ${shortTime(link.refusedAt)}, was refused: ${plain(link.refusal)}`;
}

/** One that is not known any more is named as the store has it. */
function wordsOf(vendor: string, declared: readonly VendorDeclaration[]): { label: string; isAts: boolean } {
  const known = declared.find((each) => each.vendor === vendor);
  return { label: known?.label ?? vendor, isAts: known?.destination?.isAts ?? false };
}

/** How the webhooks of an applicant tracking system reach us; null where nobody can look. */
function subscriptionOf(connection: Connection | undefined) {
  if (connection?.state !== "connected") return null;
  const { subscription } = connection;
  if (!subscription) return { state: "none", checkedAt: null } as const;
  return { state: subscription.state, checkedAt: isoTime(subscription.checkedAt) };
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

/** An open link changes nothing about a connection that works, or that must be mended. */
function stateWith(state: ConnectionState = "not_connected", linkExpiresAt: number | null): ConnectionState {
  return state === "not_connected" && linkExpiresAt !== null ? "waiting_for_consent" : state;
}

interface Moment {
  now: number;
  /** Does a service run, that tries again by itself? */
  isServed: boolean;
  /** Of every org: two may share an account since a version that allowed it. */
  all: readonly Connection[];
}

/** What stands in the way: before all else that results might come to the wrong people. */
function bannerOf(label: string, found: ConnectionCounts | undefined, moment: Moment): string | null {
  if (!found) return null;
  const { connection } = found;
  const isLive = connection.state !== "not_connected";
  const other =
    isLive && connection.account ? otherOwner(moment.all, connection, connection.account.id) : null;
  const words = [
    other && sharedAccountTrouble(connection, other),
    connection.state === "connected" && !connection.isConfirmed ? confirmWords(connection) : null,
    troubleOf(label, found, moment),
    connection.state === "connected" ? leftOutWords(connection) : null,
  ];
  return words.filter((each) => each !== null).join(". ") || null;
}

/** What stands in the way, first what a person must mend. */
function troubleOf(label: string, found: ConnectionCounts, moment: Moment): string | null {
  if (isUnreadable(found.connection)) return unreadableWords(found.connection.vaultTrouble);
  const { state, refusal } = found.connection;
  if (state === "connected" && refusal) return refusalWords(refusal);
  if (found.connection.banner !== null) return found.connection.banner;
  const unsubscribed =
    found.connection.state === "connected" ? subscriptionTrouble(found.connection, label) : null;
  if (unsubscribed !== null) return unsubscribed;
  const ending = loginTrouble(found.connection, label, moment.now);
  if (ending !== null) return ending;
  return [...waitingWords(found, moment), ...rejectedWords(found)].join(". ") || null;
}

function waitingWords({ connection, pushes, stuck }: ConnectionCounts, moment: Moment): string[] {
  const troubles = stuckTroubles(connection, stuck);
  if (troubles.length > 0)
    return [...troubles.map(({ words }) => words), ...nextProbeWords(connection.outage, moment)];
  const words = outageWords(connection.outage, pushes, moment);
  if (pushes.held > 0 && connection.isConfirmed && connection.state === "connected")
    words.push(`${count(pushes.held, "result")} held; ${logsCommand(connection, "held")} says why`);
  return words;
}

/** Read behind the vendor's label. */
function outageWords(outage: Outage | null, { pending }: PushCounts, moment: Moment): string[] {
  if (outage === null) return [];
  const why = outage.reason ? ` (${outage.reason})` : "";
  if (isDegraded(outage))
    return [`fails at the moment${why}, nothing is lost; ${nextTryWords(outage, moment)}`];
  return pending > 0 ? [`did not take the last call${why}; ${nextTryWords(outage, moment)}`] : [];
}

function nextTryWords({ restUntil, notBefore = 0 }: Outage, { now, isServed }: Moment): string {
  if (isServed && restUntil <= now + MINUTE_MS) return "it is tried again within a minute";
  if (notBefore > now) return `it asked to be left in peace until ${shortTime(notBefore)}`;
  const next = isServed ? `the next try is due at ${shortTime(restUntil)}; ` : "";
  return `${next}${RETRY_COMMAND} asks now`;
}

function nextProbeWords(outage: Outage | null, { now }: Moment): string[] {
  if (!isDegraded(outage) || outage.restUntil <= now) return [];
  return [`The next try is due at ${shortTime(outage.restUntil)}`];
}

function rejectedWords({ connection, pushes: { rejected } }: ConnectionCounts): string[] {
  if (rejected === 0) return [];
  const again = replayCommand(connection, "rejected");
  return [
    `${count(rejected, "result")} rejected; see ${logsCommand(connection, "rejected")}, mend, then: ${again}`,
  ];
}

function refusedFor({ refusal }: Connection): "our configuration" | "the vendor" | null {
  if (!refusal) return null;
  return refusal.isOurs ? "our configuration" : "the vendor";
}

type Unreadable = Connection & { vaultTrouble: VaultTrouble };

function isUnreadable(connection: Connection | undefined): connection is Unreadable {
  return connection?.state === "connected" && connection.vaultTrouble !== null;
}

/** Null where there are none that serve. */
function tokensOf(connection: Connection | undefined): "readable" | "unreadable" | null {
  if (connection?.state !== "connected") return null;
  return isUnreadable(connection) ? "unreadable" : "readable";
}

function unreadableWords({ since, reason, fix }: VaultTrouble): string {
  return `tokens cannot be read since ${shortTime(since)}: ${reason}.${fix === null ? "" : ` ${fix.replace(/[.]?$/, ".")}`} Results wait; serve looks every minute and goes on by itself`;
}

function timeOrNull(at: number | null | undefined): string | null {
  return typeof at === "number" ? isoTime(at) : null;
}
