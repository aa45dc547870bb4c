import { BOT_TOKEN, sendTelegram } from "../../alerts/telegram.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { Incident, Overview, QuestionCounts, Store } from "../../store/contract/store.ts";
import { STUCK_AFTER_MS } from "../../core/push.ts";
import { loginTrouble } from "../../core/advice/login-age.ts";
import { readSecret, type SecretReader } from "../../vault/secrets.ts";
import { stuckTroubles, unansweredWords } from "../../core/advice/stuck.ts";
import { subscriptionTrouble } from "../../core/advice/subscription.ts";

/**
 * One alert per incident. Incidents are read off the rows, so whoever looks finds the same ones; an alert is kept
 * until it was sent, and nothing waits for it.
 */
export interface AlertContext {
  clock: Clock;
  config: Config;
  store: Pick<Store, "overview" | "keepIncidents" | "noteAlert">;
  vault(): Promise<SecretReader>;
  http(): Promise<Http>;
}

const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 3_600_000;

/** Looks for new incidents, closes those that are over, and sends what is due. Returns how many alerts went out. */
export async function alertOwners(
  context: AlertContext,
  signal: AbortSignal,
): Promise<{ sent: number; failed: string[] }> {
  const { store, clock } = context;
  const due = await store.keepIncidents(await incidentsOf(context), clock.now());
  const outcome = { sent: 0, failed: [] as string[] };
  for (const alert of due) {
    signal.throwIfAborted();
    try {
      await send(context, { org: alert.org, text: alert.text, signal });
      await store.noteAlert(alert.id, { sentAt: clock.now() });
      outcome.sent += 1;
    } catch (error) {
      if (!isAppError(error)) throw error;
      // The bot token's own return is waited for by nobody but us.
      const isLocked = error.code === "VAULT_UNAVAILABLE";
      const waitMs = isLocked ? 0 : Math.min(FIRST_WAIT_MS * 2 ** alert.tries, LONGEST_WAIT_MS);
      await store.noteAlert(alert.id, { dueAt: clock.now() + waitMs });
      outcome.failed.push(error.message);
    }
  }
  return outcome;
}

export async function sendTestAlert(context: AlertContext, org: string, signal: AbortSignal): Promise<void> {
  await send(context, { org, text: `jc-integrations: a test alert for ${org}. Alerts reach you.`, signal });
}

async function incidentsOf(context: AlertContext): Promise<Incident[]> {
  const { store, clock } = context;
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
    if (unsubscribed) incidents.push({ key: `subscription/${id}`, org, text: `${org}: ${unsubscribed}` });
    const ending = loginTrouble(connection, vendor, clock.now());
    if (ending) incidents.push({ key: `login/${id}`, org, text: `${org}: ${ending}` });
    if (connection.state === "connected" && connection.vaultTrouble) {
      const { reason, fix } = connection.vaultTrouble;
      const known = unreadable.get(chatOf(context, org)) ?? { org, reasons: new Set() };
      known.reasons.add(fix === null ? `${reason}.` : `${reason}. ${fix}`);
      unreadable.set(chatOf(context, org), known);
    }
    for (const { cause, words } of stuckTroubles(connection, stuck))
      incidents.push({ key: `stuck/${id}/${cause}`, org, text: `${org}: ${words}` });
  }
  incidents.push(...unanswered(overview, clock.now()));
  // One vault serves all orgs: each chat hears of it once.
  for (const [chat, { org, reasons }] of unreadable)
    incidents.push({
      key: `vault/${chat}`,
      org,
      text: `jc-integrations cannot read its tokens: ${[...reasons].join(" ")} Results are kept and go out by themselves afterwards.`,
    });
  return incidents;
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

/** Empty where none is configured. */
function chatOf({ config }: Pick<AlertContext, "config">, org: string): string {
  return config.orgs[org]?.telegram_chat_id ?? config["alerts.telegram.chat_id"];
}

async function send(
  context: AlertContext,
  { org, text, signal }: { org: string; text: string; signal: AbortSignal },
): Promise<void> {
  const { config } = context;
  const chatId = chatOf(context, org);
  if (!chatId) {
    throw new AppError("CONFIG_INVALID", `no Telegram chat is configured for ${org}`, {
      hint: 'Set [alerts.telegram] chat_id = "…", or telegram_chat_id under [orgs.<org>].',
    });
  }
  const token = await readSecret(await context.vault(), {
    name: BOT_TOKEN.name,
    org,
    environment: "production",
  });
  const apiBase = config["alerts.telegram.api_base"];
  await sendTelegram({ http: await context.http(), apiBase, token }, { chatId, text, signal });
}
