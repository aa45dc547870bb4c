import type { Connection, SubscriptionHealth } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import { checkBaseUrl } from "../../shared/url.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Ats, Subscription } from "../../vendors/contract/ats.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { AccountContext } from "../account/context.ts";
import { subscriptionTrouble } from "../../core/advice/subscription.ts";
import { markMustReconnect } from "../account/must-reconnect.ts";
import { addSecret, readWebhookSecrets } from "../../vault/secrets.ts";

/**
 * One subscription per connection: to our receiver, active, its secret in our vault. What differs from that is found
 * by `checkSubscription` and mended by `subscribe`; those of others are left alone.
 */
export interface SubscriptionContext {
  store: Pick<Store, "saveConnection" | "connection">;
  clock: Pick<Clock, "now">;
  vault: Vault;
  ats: Ats;
  access: Access;
  /** Our receiver, as the vendor reaches it. */
  targetUrl: string;
}

export interface SubscribePlan {
  /** The one that serves; null when one must be made. */
  keep: Subscription | null;
  /** Ours, and of no use: the new one takes their place. */
  remove: Subscription[];
  /** The one that we made, where the vendor's list does not show it: removed by its id all the same. */
  unlisted: string | null;
  health: SubscriptionHealth;
}

/** Throws `CONFIG_INVALID` where the vendor could not reach it. */
export function webhookUrl(publicUrl: string, { webhookPath }: Ats): string {
  return checkBaseUrl(publicUrl, "serve.public_url").href.replace(/\/+$/, "") + webhookPath;
}

/** Looks, and changes nothing. */
export async function planSubscribe(
  context: SubscriptionContext,
  connection: Connection,
): Promise<SubscribePlan> {
  const { ats, access, clock, targetUrl } = context;
  const known = connection.subscription?.id ?? null;
  const hasSecret = await holdsSecret(context, connection);
  const found = (await ats.subscriptions(access)).filter(
    (each) => each.id === known || each.targetUrl === targetUrl,
  );
  const serves = (each: Subscription) => each.isActive && each.targetUrl === targetUrl && hasSecret;
  // Of one that was made and cut off nobody knows the secret; any other that comes to us is the customer's own work.
  const isCutOff = connection.subscription?.begun === true;
  const serving = isCutOff ? undefined : found.find(serves);
  const keep = found.find((each) => each.id === known && serves(each)) ?? serving ?? null;
  const health: SubscriptionHealth = {
    id: keep?.id ?? known,
    state: stateOf(found, { keep, targetUrl }),
    checkedAt: clock.now(),
    ...(isCutOff ? { begun: true } : {}),
  };
  const unlisted = found.some(({ id }) => id === known) ? null : known;
  return { keep, remove: found.filter((each) => each !== keep), unlisted, health };
}

function stateOf(
  ours: readonly Subscription[],
  { keep, targetUrl }: { keep: Subscription | null; targetUrl: string },
): SubscriptionHealth["state"] {
  if (keep) return "active";
  const here = ours.filter((each) => each.targetUrl === targetUrl);
  if (here.some(({ isActive }) => isActive)) return "without secret";
  if (here.length > 0) return "inactive";
  return ours.length > 0 ? "elsewhere" : "missing";
}

async function holdsSecret({ vault, ats }: SubscriptionContext, { org, environment }: Connection) {
  const secrets = await readWebhookSecrets(vault, ats.webhookSecretName);
  return secrets.some((each) => each.org === org && each.environment === environment);
}

/**
 * Keeps what was found for `status` and the alerts. Who never subscribed, or has unsubscribed, misses nothing; and what
 * was found while somebody subscribed is of before.
 */
export async function checkSubscription(
  context: SubscriptionContext,
  connection: Connection,
): Promise<SubscriptionHealth> {
  const { health } = await planSubscribe(context, connection);
  const now = await context.store.connection(connection.id);
  if (now && isAnother(now.subscription, connection.subscription)) return now.subscription ?? health;
  if (connection.subscription !== null || health.state === "active")
    await saveHealth(context, connection, health);
  return health;
}

/** Made, removed or begun since; that it was only looked at meanwhile makes it no other. */
function isAnother(now: SubscriptionHealth | null, before: SubscriptionHealth | null): boolean {
  return now?.id !== before?.id || now?.begun !== before?.begun;
}

/** Makes one if none serves, then removes ours that do not: there is no moment without. */
export async function subscribe(
  context: SubscriptionContext,
  connection: Connection,
  plan: SubscribePlan,
): Promise<{ subscription: Subscription; isNew: boolean; removed: number }> {
  const subscription = plan.keep ?? (await create(context, connection));
  await saveActive(context, connection, subscription);
  const removed = await removeAll(context, useless(plan));
  return { subscription, isNew: plan.keep === null, removed: removed.length };
}

/**
 * A new subscription with a new secret takes the place of the old one. The old secret stays: the vendor sends again
 * what it could not deliver, as it was signed.
 */
export async function rotateSecret(
  context: SubscriptionContext,
  connection: Connection,
): Promise<{ subscription: Subscription; replaced: string[] }> {
  const old = oursIn(await planSubscribe(context, connection));
  const subscription = await create(context, connection);
  await saveActive(context, connection, subscription);
  return { subscription, replaced: await removeAll(context, old) };
}

/** Removes ours. The secrets stay for what is still on its way. Returns how many there were. */
export async function unsubscribe(
  context: SubscriptionContext,
  connection: Connection,
  plan: SubscribePlan,
): Promise<number> {
  const removed = await removeAll(context, oursIn(plan));
  await saveHealth(context, connection, null);
  return removed.length;
}

/** The ids of all that are ours, whether they serve or not. */
export function oursIn(plan: SubscribePlan): string[] {
  return [...(plan.keep ? [plan.keep.id] : []), ...useless(plan)];
}

function useless({ remove, unlisted }: SubscribePlan): string[] {
  return [...remove.map(({ id }) => id), ...(unlisted === null ? [] : [unlisted])];
}

/** Returns those that were there. */
async function removeAll({ ats, access }: SubscriptionContext, ids: readonly string[]): Promise<string[]> {
  const removed: string[] = [];
  for (const id of ids) if (await ats.unsubscribe(access, id)) removed.push(id);
  return removed;
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
  } catch (error) {
    // One whose secret nobody knows would look as if it served.
    await ats.unsubscribe(access, subscription.id).then(
      () => saveHealth(context, connection, before),
      () => {},
    );
    throw error;
  }
  return subscription;
}

async function saveActive(context: SubscriptionContext, connection: Connection, { id }: Subscription) {
  await saveHealth(context, connection, { id, state: "active", checkedAt: context.clock.now() });
}

async function saveHealth(
  { store }: SubscriptionContext,
  connection: Connection,
  subscription: SubscriptionHealth | null,
): Promise<void> {
  await store.saveConnection(connection, { subscription });
}

/** Looks after the subscriptions of all connections. Returns what is wrong, in words. */
export async function checkSubscriptions(
  account: AccountContext & { vault(): Promise<Vault> },
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
      const context = { store, clock, vault: await account.vault(), ats, access, targetUrl };
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
