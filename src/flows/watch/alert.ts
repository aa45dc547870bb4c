import { BOT_TOKEN } from "../../alerts/bot-token.ts";
import { askForChat, sendTelegram, type Unsent } from "../../alerts/telegram.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { Incident, Overview, QuestionCounts, ServiceFacts, Store } from "../../store/contract/store.ts";
import { STUCK_AFTER_MS } from "../../core/push.ts";
import { testAlertCommand } from "../../core/advice/command-lines.ts";
import { count } from "../../shared/text.ts";
import { chatOf, chatsOf, NO_CHAT_HINT } from "./alert-chat.ts";
import { certificateTrouble } from "../../core/advice/certificate.ts";
import { refusalWords } from "../../core/advice/refusal.ts";
import { loginTrouble } from "../../core/advice/login-age.ts";
import { readSecret, type SecretReader } from "../../vault/secrets.ts";
import type { InviteRequest } from "../../core/invite-request.ts";
import { stuckTroubles, unansweredWords, unaskedWords } from "../../core/advice/stuck.ts";
import { subscriptionMended, subscriptionTrouble } from "../../core/advice/subscription.ts";

/**
 * One alert per incident. Incidents are read off the rows, so whoever looks finds the same ones; an alert is kept
 * until it was sent, and nothing waits for it.
 */
export interface AlertContext extends ChatContext {
  clock: Clock;
  store: Pick<Store, "overview" | "runningServices" | "keepIncidents" | "noteAlert" | "inviteRequests">;
}

/** What it takes to write into a chat. */
export interface ChatContext {
  /** Commands in a text, as they are to be typed where other places than the usual ones were given. */
  asTypedHere(text: string): string;
  config: Config;
  vault(): Promise<SecretReader>;
  http(): Promise<Http>;
}

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 3_600_000;

export interface AlertsOutcome {
  sent: number;
  /** Why those of this run could not be sent. */
  failed: string[];
  /** The org of each that is still to be sent. */
  waiting: string[];
}

/** Looks for new incidents, closes those that are over, and sends what is due. */
export async function alertOwners(context: AlertContext, signal: AbortSignal): Promise<AlertsOutcome> {
  const { store, clock } = context;
  const unsent = await store.keepIncidents(await incidentsOf(context), clock.now());
  const outcome: AlertsOutcome = { sent: 0, failed: [], waiting: [] };
  for (const alert of unsent) {
    if (alert.dueAt > clock.now()) {
      outcome.waiting.push(alert.org);
      continue;
    }
    signal.throwIfAborted();
    const failure = await trySending(context, { org: alert.org, text: alert.text, signal });
    if (failure === null) {
      await store.noteAlert(alert.id, { sentAt: clock.now() });
      outcome.sent += 1;
    } else {
      const { problem, waitMs } = failure;
      // The bot token's own return is waited for by nobody but us.
      const isLocked = problem.code === "VAULT_UNAVAILABLE";
      const ownWaitMs = isLocked ? 0 : Math.min(FIRST_WAIT_MS * 2 ** alert.tries, LONGEST_WAIT_MS);
      await store.noteAlert(alert.id, { dueAt: clock.now() + Math.max(ownWaitMs, waitMs) });
      outcome.failed.push(problem.message);
      outcome.waiting.push(alert.org);
    }
  }
  return outcome;
}

/** What a run ends with while alerts wait, those that were put off included; null when all were sent. */
export function unsentAlerts(
  { sent, failed, waiting }: AlertsOutcome,
  { config }: Pick<AlertContext, "config">,
): AppError | null {
  if (waiting.length === 0) return null;
  // Nobody will ever hear of them: that is no trouble of Telegram's.
  const isChatless = waiting.every((org) => !chatOf(config, org).id);
  if (isChatless && sent === 0) {
    const whose = [...new Set(waiting)].join(", ");
    const words = `${count(waiting.length, "alert")} not sent: no Telegram chat is configured for ${whose}`;
    return new AppError("CONFIG_INVALID", words, { hint: NO_CHAT_HINT });
  }
  const why = failed[0] === undefined ? "" : `: ${failed[0]}`;
  const trials = [...new Set(waiting)].map((org) => testAlertCommand({ org }));
  return new AppError(
    sent > 0 ? "PARTIAL" : "VENDOR_UNAVAILABLE",
    `${count(waiting.length, "alert")} not sent${why}`,
    { hint: `Each is kept for a day and tried again by serve. Try the chat: ${trials.join("; ")}` },
  );
}

/** Null once Telegram has it. Throws what is a bug. */
export async function trySending(
  context: ChatContext,
  alert: { org: string; text: string; signal: AbortSignal },
): Promise<Unsent | null> {
  try {
    return await send(context, alert);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { problem: error, waitMs: 0 };
  }
}

export async function sendTestAlert(context: ChatContext, org: string, signal: AbortSignal): Promise<void> {
  const text = `jc-integrations: a test alert for ${org}. Alerts reach you.`;
  const unsent = await send(context, { org, text, signal });
  if (unsent) throw unsent.problem;
}

/** Whether an alert would arrive, without one; null where it would. Throws as `sendTestAlert` does. */
export async function askChat(
  context: ChatContext,
  org: string,
  signal: AbortSignal,
): Promise<AppError | null> {
  const { chatId, setting, ...at } = await chatWay(context, org);
  return await askForChat(at, { chatId, setting, signal });
}

/** What there is to alert of now. */
export async function incidentsOf(context: AlertContext): Promise<Incident[]> {
  const { store, clock, config } = context;
  const incidents: Incident[] = [];
  const unreadable = new Map<string, { org: string; reasons: Set<string> }>();
  const overview = await store.overview(null, clock.now());
  for (const { connection, stuck } of overview.connections) {
    const { id, org, vendor } = connection;
    if (connection.environment !== "production") continue;
    if (connection.state === "must_reconnect") {
      incidents.push({
        key: `reconnect/${id}`,
        org,
        text: `${org}: ${vendor} ${connection.banner ?? "must reconnect"}. Results are kept.`,
      });
    }
    const unsubscribed = connection.state === "connected" ? subscriptionTrouble(connection, vendor) : null;
    const mended = subscriptionMended(connection, vendor, clock.now());
    if (mended) incidents.push({ key: `mended/${id}/${mended.at}`, org, text: `${org}: ${mended.words}` });
    if (unsubscribed) incidents.push({ key: `subscription/${id}`, org, text: `${org}: ${unsubscribed}` });
    if (connection.state === "connected" && connection.refusal)
      incidents.push({
        key: `refused/${id}`,
        org,
        text: `${org}: ${vendor} ${refusalWords(connection.refusal)}.`,
      });
    const ending = loginTrouble(connection, vendor, clock.now());
    if (ending) incidents.push({ key: `login/${id}`, org, text: `${org}: ${ending}` });
    if (connection.state === "connected" && connection.vaultTrouble) {
      const { reason, fix } = connection.vaultTrouble;
      const chat = chatOf(config, org).id;
      const known = unreadable.get(chat) ?? { org, reasons: new Set() };
      known.reasons.add(fix === null ? `${reason}.` : `${reason}. ${fix}`);
      unreadable.set(chat, known);
    }
    for (const { cause, words } of stuckTroubles(connection, stuck))
      incidents.push({ key: `stuck/${id}/${cause}`, org, text: `${org}: ${words}` });
  }
  incidents.push(...unanswered(overview, clock.now()));
  if (config["jobcannon.invites_url"] !== "")
    incidents.push(...unasked(await waitingRequests(store), overview, clock.now()));
  // One vault serves all orgs: each chat hears of it once.
  for (const [chat, { org, reasons }] of unreadable)
    incidents.push({
      key: `vault/${chat}`,
      org,
      text: `jc-integrations cannot read its tokens: ${[...reasons].join(" ")} Results are kept and go out by themselves afterwards.`,
    });
  incidents.push(...certificates(context, await store.runningServices()));
  return incidents;
}

/** Whose certificate ends or has ended; each chat hears of it once, as it serves all orgs. */
function certificates(
  { config, clock }: AlertContext,
  services: readonly (ServiceFacts | null)[],
): Incident[] {
  const troubles = services.flatMap((facts) =>
    facts?.tls ? [certificateTrouble(facts.tls, clock.now())] : [],
  );
  const found = new Map(troubles.flatMap((trouble) => (trouble ? [[trouble.kind, trouble.words]] : [])));
  return [...found].flatMap(([kind, words]) =>
    [...chatsOf(config)].map(([chat, org]) => ({
      key: `certificate/${kind}/${chat}`,
      org,
      text: `jc-integrations: ${words}.`,
    })),
  );
}

/** Events that wait to be looked up for longer than results may be undelivered. */
function unanswered({ questions, connections }: Overview, now: number): Incident[] {
  // Where a connection must be mended first, that is told already.
  const broken = connections.filter(({ connection }) => connection.state !== "connected");
  const isTold = (question: QuestionCounts) =>
    broken.some(({ connection: { org, vendor } }) => org === question.org && vendor === question.vendor);
  return questions
    .filter((question) => question.environment === "production" && !isTold(question))
    .filter(({ since }) => now - since > STUCK_AFTER_MS)
    .map((question) => ({
      key: `questions/${question.org}/${question.vendor}`,
      org: question.org,
      text: `${question.org}: ${unansweredWords(question)}`,
    }));
}

/** More of them are one trouble all the same. */
const MOST_REQUESTS = 1_000;

async function waitingRequests(store: AlertContext["store"]): Promise<InviteRequest[]> {
  return await store.inviteRequests({ states: ["open"], limit: MOST_REQUESTS });
}

/** Invites that JobCannon is asked for in vain, for longer than results may be undelivered. */
function unasked(requests: readonly InviteRequest[], { connections }: Overview, now: number): Incident[] {
  const broken = connections.filter(({ connection }) => connection.state !== "connected");
  const isTold = ({ org, vendor, environment }: InviteRequest) =>
    broken.some(
      ({ connection: each }) =>
        each.org === org && each.vendor === vendor && each.environment === environment,
    );
  const failing = requests.filter(
    (each) =>
      each.environment === "production" &&
      each.reason !== null &&
      now - each.askedAt > STUCK_AFTER_MS &&
      !isTold(each),
  );
  const keyOf = ({ org, vendor }: InviteRequest) => `requests/${org}/${vendor}`;
  return [...new Set(failing.map(keyOf))].flatMap((key) => {
    const all = failing.filter((each) => keyOf(each) === key);
    const [oldest] = all;
    if (!oldest) return [];
    const { org, askedAt: since, reason } = oldest;
    return [{ key, org, text: `${org}: ${unaskedWords({ org, n: all.length, since, reason })}` }];
  });
}

async function send(
  context: ChatContext,
  { org, text, signal }: { org: string; text: string; signal: AbortSignal },
): Promise<Unsent | null> {
  const { chatId, setting, ...at } = await chatWay(context, org);
  return await sendTelegram(at, { chatId, setting, text: context.asTypedHere(text), signal });
}

/** Throws `CONFIG_INVALID` where no chat or no token is set. */
async function chatWay(context: ChatContext, org: string) {
  const { config } = context;
  const { id: chatId, setting } = chatOf(config, org);
  if (!chatId) {
    throw new AppError("CONFIG_INVALID", `no Telegram chat is configured for ${org}`, { hint: NO_CHAT_HINT });
  }
  const token = await readSecret(await context.vault(), {
    name: BOT_TOKEN.name,
    org,
    environment: "production",
  });
  return { chatId, setting, token, http: await context.http(), apiBase: config["alerts.telegram.api_base"] };
}
