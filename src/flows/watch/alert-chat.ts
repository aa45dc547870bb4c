import { BOT_TOKEN } from "../../alerts/bot-token.ts";
import { setSecretCommand } from "../../core/advice/command-lines.ts";
import type { Config } from "../../shared/config.ts";

export const NO_CHAT_HINT =
  'Set [alerts.telegram] chat_id = "…" in the configuration, or telegram_chat_id under [orgs.<org>].';

/** Who hears of an org's trouble, and where that is configured; the id is empty where nobody is. */
export function chatOf(config: Config, org: string): { id: string; setting: string } {
  const own = config.orgs[org]?.telegram_chat_id;
  if (own) return { id: own, setting: `[orgs.${org}] telegram_chat_id` };
  return { id: config["alerts.telegram.chat_id"], setting: "[alerts.telegram] chat_id" };
}

/** Each chat that is configured, with an org whose it is. */
export function chatsOf(config: Config): Map<string, string> {
  const chats = new Map<string, string>();
  for (const org of [config.org, ...Object.keys(config.orgs)]) {
    const { id } = chatOf(config, org);
    if (id && !chats.has(id)) chats.set(id, org);
  }
  return chats;
}

/** Why nobody hears of an org's trouble, and what to do about it; null where somebody does, or nobody can tell. */
export async function nobodyAlerted(
  { config, org }: { config: Config; org: string },
  /** Null where they cannot be read; asked only where there is a chat. */
  secretNames: () => Promise<readonly string[] | null>,
): Promise<{ reason: string; hint: string } | null> {
  if (!chatOf(config, org).id) return { reason: "no chat id is set", hint: NO_CHAT_HINT };
  const names = await secretNames();
  if (names === null) return null;
  const isSet = [org, "-"].some((owner) =>
    names.some((name) => name.startsWith(`secret/${owner}/${BOT_TOKEN.name}/`)),
  );
  return isSet ? null : { reason: "no bot token is set", hint: setSecretCommand(BOT_TOKEN.name) };
}
