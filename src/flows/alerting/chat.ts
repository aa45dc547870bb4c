/** Writes into the chat that an org's owner reads. */
import { BOT_TOKEN } from "../../alerts/bot-token.ts";
import { askForChat, sendTelegram, type Unsent } from "../../alerts/telegram.ts";
import type { Config } from "../../shared/config.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import { readSecret, type SecretReader } from "../../vault/secrets.ts";
import { chatOf, NO_CHAT_HINT } from "../watch/alert-chat.ts";

/** What it takes to write into a chat. */
export interface ChatContext {
  /** Commands in a text, as they are to be typed where other places than the usual ones were given. */
  asTypedHere(text: string): string;
  config: Config;
  vault(): Promise<SecretReader>;
  http(): Promise<Http>;
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
