import type { Connection, SubscriptionHealth } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import { checkBaseUrl } from "../../shared/url.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import { fillGap, type MissedContext, takeMissed } from "./missed.ts";
import type { Ats, Subscription } from "../../vendors/contract/ats.ts";
import type { AccountContext } from "../account/context.ts";
import { subscriptionTrouble } from "../../core/advice/subscription.ts";
import { markMustReconnect } from "../account/must-reconnect.ts";
import { addSecret, readWebhookSecrets } from "../../vault/secrets.ts";

/**
 * One subscription per connection: to our receiver, active, its secret in our vault. What differs from that is found
 * by `checkSubscription` and mended by `subscribe`; those of others are left alone.
 */
export interface SubscriptionContext extends MissedContext {
  store: Pick<Store, "saveConnection" | "connection">;
  clock: Pick<Clock, "now">;
  vault: Vault;
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
  const { activatingUntil: _, begun: _begun, ...before } = connection.subscription ?? {};
  const health: SubscriptionHealth = {
    ...before,
    id: keep?.id ?? known,
    state: stateOf(found, { keep, targetUrl }),
    checkedAt: clock.now(),
    ...(keep ? { activeAt: clock.now() } : {}),
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

/** Makes one if none serves, then removes ours that do not: there is no moment without. */
export async function subscribe(
  context: SubscriptionContext,
  connection: Connection,
  plan: SubscribePlan,
): Promise<{ subscription: Subscription; isNew: boolean; removed: number; caughtUp: number }> {
  const before = connection.subscription;
  const subscription = plan.keep ?? (await create(context, connection));
  await saveActive(context, connection, subscription);
  const { removed, taken } = await removeAll(context, connection, useless(plan));
  // Where the old one still stood, its own log told what was missed.
  const isGap = plan.keep === null && plan.remove.length === 0;
  const filled = isGap ? await fillGap(context, connection, before) : 0;
  return { subscription, isNew: plan.keep === null, removed: removed.length, caughtUp: taken + filled };
}

/** How long a vendor may take to greet our receiver, and a little more. */
const ACTIVATING_MS = 60_000;

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

/** The receiver answers the vendor's greeting as long as the row says that it is being activated. */
async function activate(
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

/** The ids of all that are ours, whether they serve or not. */
export function oursIn(plan: SubscribePlan): string[] {
  return [...(plan.keep ? [plan.keep.id] : []), ...useless(plan)];
}

function useless({ remove, unlisted }: SubscribePlan): string[] {
  return [...remove.map(({ id }) => id), ...(unlisted === null ? [] : [unlisted])];
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

async function saveHealth(
  { store }: SubscriptionContext,
  connection: Connection,
  subscription: SubscriptionHealth | null,
): Promise<void> {
  await store.saveConnection(connection, { subscription });
}

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
