import { setSecretCommand } from "../core/advice/command-lines.ts";
import { AppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import type { Secret } from "../shared/secret.ts";
import type { DeclaredSecret } from "../core/declared-secret.ts";

export const BOT_TOKEN: DeclaredSecret = { name: "telegram.bot-token", isOrgs: false, rotates: false };

/** One message to one chat by the Bot API (https://core.telegram.org/bots/api#sendmessage). Throws `VENDOR_*`, `CONFIG_INVALID`. */
export async function sendTelegram(
  { http, apiBase, token }: { http: Http; apiBase: string; token: Secret },
  message: { chatId: string; text: string; signal: AbortSignal },
): Promise<void> {
  const { status } = await http.request({
    method: "POST",
    url: `${apiBase.replace(/\/+$/, "")}/bot${token.reveal()}/sendMessage`,
    json: { chat_id: message.chatId, text: message.text },
    timeoutMs: 10_000,
    signal: message.signal,
  });
  if (status >= 200 && status < 300) return;
  if (status === 401 || status === 404) {
    throw new AppError("CONFIG_INVALID", "Telegram does not know this bot token", {
      hint: `Set it again: ${setSecretCommand("telegram.bot-token")}`,
    });
  }
  if (status === 400 || status === 403) {
    throw new AppError("CONFIG_INVALID", `Telegram does not let the bot write to the chat (${status})`, {
      hint: "Check alerts.telegram.chat_id, and let its owner start a chat with the bot.",
    });
  }
  throw new AppError("VENDOR_UNAVAILABLE", `Telegram answered ${status}`, {
    hint: "It is tried again by itself.",
  });
}
