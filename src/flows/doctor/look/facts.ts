/** All that `doctor` judges by, looked at in one place and at once: each look has its own time, and fails by itself. */
import type { Connection, Environment } from "../../../core/connection.ts";
import { type AppError, isAppError } from "../../../shared/errors.ts";
import { type KeptCode, lookAtKeptCode } from "../../../shared/kept-code.ts";
import type { Environment as Variables } from "../../../shared/config.ts";
import type { DatabaseLook } from "../../../store/contract/database-look.ts";
import type { LogLook } from "../../../store/contract/log-look.ts";
import type { SourceStanding } from "../../../store/contract/store.ts";
import type { Program } from "../../../systemd/places.ts";
import { chatOf } from "../../watch/alert-chat.ts";
import { askChat } from "../../alerting/chat.ts";
import { type StatusContext, statusOf } from "../../status/status.ts";
import { unreadTokens } from "../../watch/unread-tokens.ts";
import { type AccountFacts, type AccountLookContext, lookAtAccount } from "./account.ts";
import { lookAtClock } from "./clock.ts";
import { type Looked, type Looker, SKIPPED, foundIn } from "./looker.ts";
import { lookAtPorts, type TakenPort } from "./taken-ports.ts";
import { lookAtReceiver, type ReceiverFacts } from "./receiver.ts";
import { lookAtUnit, type UnitFacts } from "./service.ts";

export type Status = Awaited<ReturnType<typeof statusOf>>;

export type DoctorContext = StatusContext &
  AccountLookContext & {
    asTypedHere(text: string): string;
    lookAtLog(options: { longestMs: number }): Promise<LogLook | null>;
    lookAtDatabase(): Promise<DatabaseLook | null>;
  };

export interface DoctorRequest {
  org: string;
  environment: Environment;
  /** Only this vendor's account; null for all that are in use. */
  vendor: string | null;
  env: Variables;
  distUrl: URL;
  program: Program;
}

export interface Facts {
  now: number;
  stateDir: string;
  publicUrl: string;
  status: Looked<Status>;
  /** Where it could not be, or is elsewhere, nobody here knows who is connected. */
  isLogRead: boolean;
  keptCode: KeptCode;
  log: Looked<LogLook | null>;
  /** Null where the log is a file. */
  database: Looked<DatabaseLook | null>;
  /** Null where there is none yet. */
  vault: Looked<{ where: string; items: number } | null>;
  /** By how much our clock is ahead of a vendor's; null where none tells. */
  clock: { of: string; aheadMs: number } | null;
  unit: Looked<UnitFacts | null>;
  receiver: Looked<ReceiverFacts>;
  /** Where no service runs and none is installed, whose sockets would answer. */
  takenPorts: readonly TakenPort[];
  /** Why no alert would arrive; null where it would. */
  chat: Looked<AppError | null>;
  sources: readonly SourceStanding[];
  /** Senders that somebody relies on, each with whether a secret of theirs is set; null where nobody can tell. */
  senders: readonly Sender[];
  accounts: readonly AccountFacts[];
  /** When the newest trial that passed began, by vendor. */
  trials: ReadonlyMap<string, number>;
}

export interface Sender {
  source: string;
  label: string;
  secretName: string;
  /** We subscribe to its webhooks, and get their secret there. */
  isAts: boolean;
  hasSecret: boolean | null;
}

/** Half of what a look may take: what is found until then is told. */
const LOG_LOOK_MS = 5_000;

export async function lookAtAll(
  context: DoctorContext,
  looker: Looker,
  request: DoctorRequest,
): Promise<Facts> {
  const { config, stateDir, clock } = context;
  const { org, env, distUrl, program } = request;
  const [status, connections, vault, log, database, unit, names, sources] = await Promise.all([
    looker.look(() => statusOf(context, request)),
    looker.look(async () => (await (await context.storeToRead())?.connections()) ?? []),
    looker.look(() => lookAtVault(context, looker, request)),
    looker.look(() => context.lookAtLog({ longestMs: LOG_LOOK_MS })),
    looker.look(() => context.lookAtDatabase()),
    looker.look(() => lookAtUnit({ env, stateDir, program, vendors: context.vendors })),
    looker.look(() => context.secretNames()),
    looker.look(async () => (await (await context.storeToRead())?.sources()) ?? []),
  ]);
  // Of a log that is elsewhere now the file knows nothing that counts.
  const isLogRead = connections.is === "known" && (foundIn(status)?.log.copiedTo ?? null) === null;
  const all = isLogRead ? (foundIn(connections) ?? []) : [];
  // What a vault lacks beside the tokens of a connected account is no want of its own.
  const secretNames = vault.is === "failed" ? null : foundIn(names);
  const isServed = foundIn(status)?.service === "running";
  const isHeard = isLogRead && chatOf(config, org).id !== "" && foundIn(status)?.nobodyAlerted === null;
  const isInUse = all.some(({ state }) => state !== "not_connected");
  const isUnserved = foundIn(status)?.service === "not running" && foundIn(unit) === null;
  const [accounts, receiver, chat, takenPorts] = await Promise.all([
    isLogRead
      ? lookAtAccounts(context, looker, { ...request, all, secretNames, status: foundIn(status) })
      : [],
    isServed && isInUse
      ? looker.look((signal) => lookAtReceiver(context, { publicUrl: config["serve.public_url"], signal }))
      : SKIPPED,
    isHeard ? looker.look((signal) => askChat(context, org, signal)) : SKIPPED,
    isUnserved ? looker.look((signal) => lookAtPorts(config, signal)) : SKIPPED,
  ]);
  return {
    now: clock.now(),
    stateDir,
    publicUrl: config["serve.public_url"],
    status,
    isLogRead,
    keptCode: lookAtKeptCode(distUrl),
    log,
    database,
    vault,
    clock: await comparedClock(context, looker, accounts),
    unit,
    receiver,
    takenPorts: foundIn(takenPorts) ?? [],
    chat,
    sources: foundIn(sources) ?? [],
    senders: sendersOf(context, all, secretNames),
    accounts,
    trials: trialsOf(all, org),
  };
}

/** Throws where it lacks the tokens of an account that is connected: without them none is asked. */
async function lookAtVault(
  { vault, vendors, storeToRead, lookAtItem }: DoctorContext,
  looker: Looker,
  { org, environment }: DoctorRequest,
) {
  const opened = await vault();
  const names = await opened.names("");
  // Where nothing is kept yet, a locked keychain holds nobody up; a part of the program that is not built does.
  await opened.read(names).catch((error: unknown) => {
    if (names.length > 0 || !isAppError(error, "VAULT_UNAVAILABLE")) throw error;
  });
  // A log that cannot be read is told as the log's trouble.
  const read = await looker.look(async () => (await (await storeToRead())?.connections(org)) ?? []);
  const connections = foundIn(read) ?? [];
  for (const connection of connections.filter((each) => each.environment === environment)) {
    const label = vendors.find(({ vendor }) => vendor === connection.vendor)?.label ?? connection.vendor;
    const problem = await unreadTokens(lookAtItem, connection, { label, isServed: true });
    if (problem) throw problem;
  }
  return names.length === 0 ? null : { where: opened.describe(), items: names.length };
}

async function lookAtAccounts(
  context: DoctorContext,
  looker: Looker,
  {
    org,
    environment,
    vendor,
    all,
    secretNames,
    status,
  }: DoctorRequest & {
    all: readonly Connection[];
    secretNames: readonly string[] | null;
    status: Status | null;
  },
): Promise<AccountFacts[]> {
  const rows = new Map(status?.connections.map((row) => [row.vendor, row]));
  const wanted = context.vendors.filter((declared) => {
    if (!declared.destination) return false;
    return vendor === null ? rows.has(declared.vendor) : declared.vendor === vendor;
  });
  return await Promise.all(
    wanted.map((declared) => {
      const name = { org, environment, vendor: declared.vendor };
      const { linkExpiresAt = null, isExpected = true } = rows.get(declared.vendor) ?? {};
      const connection = all.find(
        (each) => each.org === org && each.environment === environment && each.vendor === declared.vendor,
      );
      return lookAtAccount(context, looker, {
        ...name,
        declared,
        isNamed: vendor !== null,
        isExpected,
        connection: connection ?? null,
        linkExpiresAt: linkExpiresAt === null ? null : Date.parse(linkExpiresAt),
        secretNames,
      });
    }),
  );
}

/** Whoever answers first in the order of the vendors: one clock that is right is enough. */
async function comparedClock(
  context: DoctorContext,
  looker: Looker,
  accounts: readonly AccountFacts[],
): Promise<Facts["clock"]> {
  const found = await Promise.all(
    accounts.map(async ({ label, destination }) => {
      const address = foundIn(destination)?.authorization.tokenUrl;
      const looked = address
        ? await looker.look((signal) => lookAtClock(context, { address, signal }))
        : SKIPPED;
      const aheadMs = foundIn(looked);
      return aheadMs === null ? null : { of: label, aheadMs };
    }),
  );
  return found.find((each) => each !== null) ?? null;
}

/** Who tells us only is relied on as soon as anybody is connected in production. */
function sendersOf(
  { vendors }: DoctorContext,
  all: readonly Connection[],
  secretNames: readonly string[] | null,
): Facts["senders"] {
  const live = all.filter(({ state }) => state !== "not_connected");
  return vendors.flatMap(({ vendor, label, source, destination, secrets }) => {
    const secret = secrets.find(({ rotates }) => rotates);
    const users = live.filter((each) =>
      destination ? each.vendor === vendor : each.environment === "production",
    );
    if (!source || !secret || users.length === 0) return [];
    const hasSecret = secretNames?.some((name) => name.split("/")[2]?.split("@")[0] === secret.name) ?? null;
    // That nobody subscribed yet is the account's own finding.
    const isAsked = !destination?.isAts || users.some(({ subscription }) => subscription !== null);
    if (!isAsked && hasSecret === false) return [];
    return [
      { source: vendor, label, secretName: secret.name, isAts: destination?.isAts ?? false, hasSecret },
    ];
  });
}

function trialsOf(all: readonly Connection[], org: string): ReadonlyMap<string, number> {
  return new Map(
    all.flatMap(({ vendor, environment, marks, ...each }) => {
      const passedAt = marks["trial passed"];
      const isOurs = each.org === org && environment === "sandbox";
      return isOurs && passedAt !== undefined ? [[vendor, passedAt] as const] : [];
    }),
  );
}
