import * as v from "valibot";
import { setSecretCommand } from "../core/advice/command-lines.ts";
import { AppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import { type HttpAnswer, jsonOf } from "../shared/http-answer.ts";
import type { Secret } from "../shared/secret.ts";
import { plain } from "../shared/text.ts";
import { BOT_TOKEN } from "./bot-token.ts";

export interface TelegramMessage {
  chatId: string;
  /** Where the chat's id is configured, as people write it: it may have to be changed. */
  setting: string;
  text: string;
  signal: AbortSignal;
}

/** Why a message is not in its chat; `waitMs`: how long Telegram wants to be left in peace, 0 where it does not say. */
export interface Unsent {
  problem: AppError;
  waitMs: number;
}

/**
 * One message to one chat by the Bot API (https://core.telegram.org/bots/api#sendmessage); null once Telegram has it.
 * Throws what stood in the way of asking.
 */
export async function sendTelegram(
  { http, apiBase, token }: { http: Http; apiBase: string; token: Secret },
  message: TelegramMessage,
): Promise<Unsent | null> {
  const answer = await http.request({
    method: "POST",
    url: `${apiBase.replace(/\/+$/, "")}/bot${token.reveal()}/sendMessage`,
    json: { chat_id: message.chatId, text: message.text },
    timeoutMs: 10_000,
    signal: message.signal,
  });
  const said = v.safeParse(Reply, jsonOf(answer));
  if (!said.success) return { problem: notTelegrams(answer), waitMs: 0 };
  if (said.output.ok && answer.status < 300) return null;
  const waitMs = (said.output.parameters?.retry_after ?? 0) * 1_000;
  return { problem: refusal(answer.status, said.output, message), waitMs };
}

/**
 * Asks whether the bot may see the chat, and writes nothing (https://core.telegram.org/bots/api#getchat); null where it
 * may. Throws as `sendTelegram` does.
 */
export async function askForChat(
  { http, apiBase, token }: { http: Http; apiBase: string; token: Secret },
  { chatId, setting, signal }: Omit<TelegramMessage, "text">,
): Promise<AppError | null> {
  const answer = await http.request({
    method: "POST",
    url: `${apiBase.replace(/\/+$/, "")}/bot${token.reveal()}/getChat`,
    json: { chat_id: chatId },
    timeoutMs: 10_000,
    signal,
  });
  const said = v.safeParse(Reply, jsonOf(answer));
  if (!said.success) return notTelegrams(answer);
  if (said.output.ok && answer.status < 300) return null;
  return refusal(answer.status, said.output, { setting });
}

const Reply = v.object({
  ok: v.boolean(),
  description: v.fallback(v.optional(v.string()), undefined),
  parameters: v.fallback(
    v.optional(
      v.object({
        retry_after: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(86_400))),
        migrate_to_chat_id: v.optional(v.union([v.pipe(v.number(), v.integer()), v.string()])),
      }),
    ),
    undefined,
  ),
});

/** A proxy's page, or another program at that address. */
function notTelegrams({ status }: HttpAnswer): AppError {
  return new AppError("VENDOR_UNEXPECTED", `what answered (${status}) is not Telegram's Bot API`, {
    hint: "Check alerts.telegram.api_base, and whether a proxy or a login page is in the way.",
  });
}

function refusal(
  status: number,
  { description, parameters }: v.InferOutput<typeof Reply>,
  { setting }: Pick<TelegramMessage, "setting">,
): AppError {
  const words = quoted(description);
  const movedTo = parameters?.migrate_to_chat_id;
  if (movedTo !== undefined) {
    return new AppError("CONFIG_INVALID", `the Telegram chat has another id now${words}`, {
      hint: `Set ${setting} = "${plain(String(movedTo)).slice(0, 40)}".`,
    });
  }
  if (status === 401 || status === 404) {
    return new AppError("CONFIG_INVALID", `Telegram does not know this bot token${words}`, {
      hint: `Set it again: ${setSecretCommand(BOT_TOKEN.name)}`,
    });
  }
  if (status === 400 || status === 403) {
    return new AppError(
      "CONFIG_INVALID",
      `Telegram does not let the bot write to the chat (${status})${words}`,
      { hint: `Check ${setting}, and let the chat's owner start a chat with the bot.` },
    );
  }
  const code = status === 429 ? "VENDOR_RATE_LIMITED" : "VENDOR_UNAVAILABLE";
  return new AppError(code, `Telegram answered ${status}${words}`, { hint: "It is tried again by itself." });
}

/** Telegram's own words, harmless and short, behind ours. */
function quoted(description = ""): string {
  const words = plain(description).replace(/\s+/g, " ").trim().slice(0, 200);
  return words === "" ? "" : ` (${words})`;
}
