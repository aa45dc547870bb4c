import type { Connection, SubscriptionHealth } from "../connection.ts";
import { subscribeCommand } from "./command-lines.ts";
import { possessive } from "../../shared/text.ts";

/** What is wrong with a subscription and what to type; null when nothing is. */
export function subscriptionTrouble(connection: Connection, label: string): string | null {
  const fault = subscriptionFault(connection, label);
  return fault && `${fault.words}; results still go to ${label}. Run: ${fault.mend}`;
}

/** The same, in its two parts. */
export function subscriptionFault(
  connection: Pick<Connection, "subscription" | "vendor" | "org" | "environment">,
  label: string,
): { words: string; mend: string } | null {
  const { subscription } = connection;
  if (!subscription || subscription.state === "active") return null;
  const words: Record<Exclude<SubscriptionHealth["state"], "active">, string> = {
    missing: `${label} has no webhook subscription for us`,
    inactive: `${label} has switched our webhook subscription off`,
    elsewhere: `${possessive(label)} webhook subscription sends to another address than ours`,
    "without secret": `the secret of ${possessive(label)} webhook subscription is not set here`,
  };
  return { words: words[subscription.state], mend: subscribeCommand(connection) };
}

const TOLD_FOR_MS = 24 * 3_600_000;

/** For a day: the vendor had suspended it, and the hourly check mended that; null where nothing was. */
export function subscriptionMended(
  { subscription }: Pick<Connection, "subscription">,
  label: string,
  now: number,
): { at: number; words: string } | null {
  const at = subscription?.mendedAt;
  if (at === undefined || now - at > TOLD_FOR_MS) return null;
  const words = `${label} had suspended our webhook subscription; it serves again, and what was missed was read. Is the receiver reachable from outside?`;
  return { at, words };
}
