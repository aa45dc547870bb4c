import { sendTelegram } from "../alerts/telegram.ts";
import type { Clock } from "../shared/clock.ts";
import type { Config } from "../shared/config.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import type { Incident, Store } from "../store/contract.ts";
import type { Vault } from "../vault/contract.ts";
import { loginTrouble } from "./login.ts";
import { readSecret } from "./secrets.ts";
import { stuckWords } from "./stuck.ts";
import { subscriptionTrouble } from "./subscription-trouble.ts";

/**
 * One alert per incident. Incidents are read off the rows, so whoever looks finds the same ones; an alert is kept
 * until it was sent, and nothing waits for it.
 */
export interface AlertContext {
  clock: Clock;
  config: Config;
  store: Pick<Store, "connections" | "overview" | "keepIncidents" | "dueAlerts" | "noteAlert">;
  vault(): Promise<Vault>;
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
  await store.keepIncidents(await incidentsOf(context), clock.now());
  const outcome = { sent: 0, failed: [] as string[] };
  for (const alert of await store.dueAlerts(clock.now())) {
    signal.throwIfAborted();
    try {
      await send(context, { org: alert.org, text: alert.text, signal });
      await store.noteAlert(alert.id, { sentAt: clock.now() });
      outcome.sent += 1;
    } catch (error) {
      if (!isAppError(error)) throw error;
      const waitMs = Math.min(FIRST_WAIT_MS * 2 ** alert.tries, LONGEST_WAIT_MS);
      await store.noteAlert(alert.id, { dueAt: clock.now() + waitMs });
      outcome.failed.push(error.message);
    }
  }
  return outcome;
}

export async function sendTestAlert(context: AlertContext, org: string, signal: AbortSignal): Promise<void> {
  await send(context, { org, text: `jc-integrations: a test alert for ${org}. Alerts reach you.`, signal });
}

async function incidentsOf({ store, clock }: AlertContext): Promise<Incident[]> {
  const incidents: Incident[] = [];
  const connections = await store.connections();
  for (const org of new Set(connections.map((connection) => connection.org))) {
    const overview = await store.overview(org, clock.now());
    for (const { connection, pushes } of overview.connections) {
      const { id, vendor } = connection;
      if (connection.environment !== "production") continue;
      if (connection.state === "must_reconnect") {
        incidents.push({
          key: `reconnect/${id}`,
          org,
          text: `${org}: ${vendor} was disconnected on its side. Results are kept. To go on: jc-integrations connect ${vendor} --org ${org}`,
        });
      }
      const unsubscribed = connection.state === "connected" ? subscriptionTrouble(connection, vendor) : null;
      if (unsubscribed) incidents.push({ key: `subscription/${id}`, org, text: `${org}: ${unsubscribed}` });
      const ending = loginTrouble(connection, vendor, clock.now());
      if (ending) incidents.push({ key: `login/${id}`, org, text: `${org}: ${ending}` });
      if (pushes.stuck > 0)
        incidents.push({ key: `stuck/${id}`, org, text: `${org}: ${stuckWords(pushes.stuck, vendor)}` });
    }
  }
  return incidents;
}

async function send(
  context: AlertContext,
  { org, text, signal }: { org: string; text: string; signal: AbortSignal },
): Promise<void> {
  const { config } = context;
  const chatId = config.orgs[org]?.telegram_chat_id ?? config["alerts.telegram.chat_id"];
  if (!chatId) {
    throw new AppError("CONFIG_INVALID", `no Telegram chat is configured for ${org}`, {
      hint: 'Set [alerts.telegram] chat_id = "…", or telegram_chat_id under [orgs.<org>].',
    });
  }
  const token = await readSecret(await context.vault(), {
    name: "telegram.bot-token",
    org,
    environment: "production",
  });
  const apiBase = config["alerts.telegram.api_base"];
  await sendTelegram({ http: await context.http(), apiBase, token }, { chatId, text, signal });
}
