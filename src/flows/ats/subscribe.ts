/** Makes our subscription at the vendor, gives it another secret, and removes it. */
import type { Connection, SubscriptionHealth } from "../../core/connection.ts";
import { addSecret } from "../../vault/secrets.ts";
import type { Subscription } from "../../vendors/contract/ats.ts";
import { fillGap, takeMissed } from "./missed.ts";
import {
  oursIn,
  planSubscribe,
  type SubscribePlan,
  type SubscriptionContext,
  uselessIn,
} from "./subscription-plan.ts";

/** Makes one if none serves, then removes ours that do not: there is no moment without. */
export async function subscribe(
  context: SubscriptionContext,
  connection: Connection,
  plan: SubscribePlan,
): Promise<{ subscription: Subscription; isNew: boolean; removed: number; caughtUp: number }> {
  const before = connection.subscription;
  const subscription = plan.keep ?? (await create(context, connection));
  await saveActive(context, connection, subscription);
  const { removed, taken } = await removeAll(context, connection, uselessIn(plan));
  // Where the old one still stood, its own log told what was missed.
  const isGap = plan.keep === null && plan.remove.length === 0;
  const filled = isGap ? await fillGap(context, connection, before) : 0;
  return { subscription, isNew: plan.keep === null, removed: removed.length, caughtUp: taken + filled };
}

/** How long a vendor may take to greet our receiver, and a little more. */
const ACTIVATING_MS = 60_000;

/** The receiver answers the vendor's greeting as long as the row says that it is being activated. */
export async function activate(
  context: SubscriptionContext,
  connection: Connection,
  health: SubscriptionHealth,
): Promise<void> {
  const { ats, access, clock } = context;
  if (!ats.activate || health.id === null) return;
  await saveHealth(context, connection, { ...health, activatingUntil: clock.now() + ACTIVATING_MS });
  await ats.activate(access, health.id);
  const now = clock.now();
  await saveHealth(context, connection, { ...health, state: "active", checkedAt: now, activeAt: now });
}

/**
 * The same subscription gets one more secret, or a new one with a new secret takes its place. The old secret stays: the
 * vendor sends again what it could not deliver, as it was signed.
 */
export async function rotateSecret(
  context: SubscriptionContext,
  connection: Connection,
): Promise<{ subscription: Subscription; replaced: string[]; isSame: boolean }> {
  const { ats, access, vault } = context;
  const plan = await planSubscribe(context, connection);
  const { org, environment } = connection;
  if (ats.makeSecret && plan.keep) {
    await vault.write(new Map());
    const secret = await ats.makeSecret(access, plan.keep.id);
    await addSecret(vault, { name: ats.webhookSecretName, org, environment }, secret);
    return { subscription: plan.keep, replaced: [], isSame: true };
  }
  const subscription = await create(context, connection);
  await saveActive(context, connection, subscription);
  const { removed } = await removeAll(context, connection, oursIn(plan));
  return { subscription, replaced: removed, isSame: false };
}

/** Removes ours. The secrets stay for what is still on its way. Returns how many there were. */
export async function unsubscribe(
  context: SubscriptionContext,
  connection: Connection,
  plan: SubscribePlan,
): Promise<number> {
  const { removed } = await removeAll(context, connection, oursIn(plan));
  await saveHealth(context, connection, null);
  return removed.length;
}

/** With a subscription goes its log: it is read before. Returns those that were there, and how many events it brought. */
async function removeAll(
  context: SubscriptionContext,
  connection: Connection,
  ids: readonly string[],
): Promise<{ removed: string[]; taken: number }> {
  const { ats, access } = context;
  const known = connection.subscription;
  const outcome = { removed: [] as string[], taken: 0 };
  for (const id of ids) {
    const readUntil = known?.id === id ? known.readUntil : undefined;
    outcome.taken += await takeMissed(context, connection, { id, readUntil });
    if (await ats.unsubscribe(access, id)) outcome.removed.push(id);
  }
  return outcome;
}

/** The secret is in the vault before anything relies on it. */
async function create(context: SubscriptionContext, connection: Connection): Promise<Subscription> {
  const { vault, ats, access, targetUrl, clock } = context;
  const { org, environment } = connection;
  // The secret is told once: whether it can be kept shows before.
  await vault.write(new Map());
  const before = connection.subscription;
  const missing = { id: null, state: "missing", checkedAt: clock.now() } as const;
  await saveHealth(context, connection, { ...(before ?? missing), begun: true });
  const { subscription, secret } = await ats.subscribe(access, targetUrl).catch(async (error: unknown) => {
    await saveHealth(context, connection, before);
    throw error;
  });
  try {
    await addSecret(vault, { name: ats.webhookSecretName, org, environment }, secret);
    await activate(context, connection, { ...missing, id: subscription.id, begun: true });
  } catch (error) {
    // One whose secret nobody knows, or that was not switched on, would look as if it served.
    await ats.unsubscribe(access, subscription.id).then(
      () => saveHealth(context, connection, before),
      () => {},
    );
    throw error;
  }
  return subscription;
}

async function saveActive(context: SubscriptionContext, connection: Connection, { id }: Subscription) {
  const now = context.clock.now();
  const { readUntil } = connection.subscription?.id === id ? connection.subscription : { readUntil: now };
  await saveHealth(context, connection, {
    ...{ id, state: "active", checkedAt: now, activeAt: now },
    ...(readUntil === undefined ? {} : { readUntil }),
  });
}

export async function saveHealth(
  { store }: SubscriptionContext,
  connection: Connection,
  subscription: SubscriptionHealth | null,
): Promise<void> {
  await store.saveConnection(connection, { subscription });
}
