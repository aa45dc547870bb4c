/** Looks whether our subscriptions still serve, takes what was missed, and mends what a vendor suspended. */
import { subscriptionTrouble } from "../../core/advice/subscription.ts";
import type { Connection, SubscriptionHealth } from "../../core/connection.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { AccountContext } from "../account/context.ts";
import { markMustReconnect } from "../account/must-reconnect.ts";
import { takeMissed } from "./missed.ts";
import { activate, saveHealth, subscribe } from "./subscribe.ts";
import {
  planSubscribe,
  type SubscribePlan,
  type SubscriptionContext,
  webhookUrl,
} from "./subscription-plan.ts";

/** Looks after the subscriptions of all connections. Returns what is wrong, in words. */
export async function checkSubscriptions(
  account: AccountContext & { vault(): Promise<Vault> } & Required<Pick<SubscriptionContext, "take">>,
  store: Store,
  signal: AbortSignal,
): Promise<{ checked: number; failed: string[] }> {
  const outcome = { checked: 0, failed: [] as string[] };
  for (const connection of await store.connections()) {
    if (connection.state !== "connected" || !connection.isConfirmed) continue;
    try {
      const { ats, label } = await account.destination(connection);
      const access = await account.access(connection, { store, signal });
      if (!ats) continue;
      const targetUrl = webhookUrl(account.config["serve.public_url"], ats);
      const { clock } = account;
      const vault = await account.vault();
      const context = { store, clock, vault, ats, access, take: account.take, targetUrl };
      const subscription = await checkSubscription(context, connection);
      outcome.checked += 1;
      const known = connection.subscription === null ? null : subscription;
      const trouble = subscriptionTrouble({ ...connection, subscription: known }, label);
      if (trouble) outcome.failed.push(trouble);
    } catch (error) {
      if (!isAppError(error)) throw error;
      if (error.code === "RECONNECT_NEEDED") await markMustReconnect(store, connection, error);
      outcome.failed.push(error.message);
    }
  }
  return outcome;
}

/**
 * Keeps what was found for `status` and the alerts. Who never subscribed, or has unsubscribed, misses nothing; and what
 * was found while somebody subscribed is of before.
 */
export async function checkSubscription(
  context: SubscriptionContext,
  connection: Connection,
): Promise<SubscriptionHealth> {
  const plan = await planSubscribe(context, connection);
  const health = await lookedAfter(context, connection, plan);
  const now = await context.store.connection(connection.id);
  if (now && isAnother(now.subscription, connection.subscription)) return now.subscription ?? health;
  if (connection.subscription !== null || health.state === "active")
    await saveHealth(context, connection, health);
  return health;
}

/** What was missed is taken, and what the vendor suspended is mended; not by who only looks. */
async function lookedAfter(
  context: SubscriptionContext,
  connection: Connection,
  plan: SubscribePlan,
): Promise<SubscriptionHealth> {
  if (!context.take) return plan.health;
  const read = await readMissed(context, connection, plan.health);
  return (await mendSuspended(context, connection, plan)) ?? { ...plan.health, ...read };
}

/** What was sent to ours and not taken since the last look. */
async function readMissed(
  context: SubscriptionContext,
  connection: Connection,
  { id, state, readUntil }: SubscriptionHealth,
): Promise<Partial<SubscriptionHealth>> {
  const isThere = state === "active" || state === "inactive";
  if (id === null || !isThere || !context.ats.missed) return {};
  const now = context.clock.now();
  await takeMissed(context, connection, { id, readUntil });
  return { readUntil: now };
}

/** Made, removed or begun since; that it was only looked at meanwhile makes it no other. */
function isAnother(now: SubscriptionHealth | null, before: SubscriptionHealth | null): boolean {
  return now?.id !== before?.id || now?.begun !== before?.begun;
}

/**
 * One of ours that the vendor switched off is switched on again, else made anew: what it could not deliver meanwhile is
 * read from its log. Null where nothing was mended.
 */
async function mendSuspended(
  context: SubscriptionContext,
  connection: Connection,
  plan: SubscribePlan,
): Promise<SubscriptionHealth | null> {
  const { ats, clock, store } = context;
  const { id, state } = plan.health;
  const isOurs = id !== null && connection.subscription?.id === id && !connection.subscription.begun;
  if (state !== "inactive" || !isOurs || (ats.onSuspension ?? "tell") === "tell") return null;
  const mended = async () => {
    const now = (await store.connection(connection.id))?.subscription ?? plan.health;
    const health = { ...now, mendedAt: clock.now() };
    await saveHealth(context, connection, health);
    return health;
  };
  if (ats.onSuspension === "reactivate" && (await reactivated(context, connection, plan.health)))
    return await mended();
  await subscribe(context, connection, plan);
  return await mended();
}

async function reactivated(
  context: SubscriptionContext,
  connection: Connection,
  health: SubscriptionHealth,
): Promise<boolean> {
  try {
    await activate(context, connection, health);
    return true;
  } catch (error) {
    if (!isAppError(error, "VENDOR_REJECTED")) throw error;
    await saveHealth(context, connection, health);
    return false;
  }
}
