import type { Connection, SubscriptionHealth } from "../core/connection.ts";

/** What is wrong with a subscription and what to type; null when nothing is. */
export function subscriptionTrouble(connection: Connection, label: string): string | null {
  const fault = subscriptionFault(connection, label);
  return fault && `${fault.words}; results still go there. Run: ${fault.mend}`;
}

/** The same, in its two parts. */
export function subscriptionFault(
  { subscription, org, environment }: Pick<Connection, "subscription" | "org" | "environment">,
  label: string,
): { words: string; mend: string } | null {
  if (!subscription || subscription.state === "active") return null;
  const words: Record<Exclude<SubscriptionHealth["state"], "active">, string> = {
    missing: `${label} has no webhook subscription for us`,
    inactive: `${label} has switched our webhook subscription off`,
    elsewhere: `${label}'s webhook subscription sends to another address`,
    "without secret": `the secret of ${label}'s webhook subscription is not set here`,
  };
  const mend = `jc-integrations webhooks subscribe --org ${org}${environment === "sandbox" ? " --sandbox" : ""}`;
  return { words: words[subscription.state], mend };
}
