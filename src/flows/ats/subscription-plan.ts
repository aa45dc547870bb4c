import type { Connection, SubscriptionHealth } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import { checkBaseUrl } from "../../shared/url.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import { readWebhookSecrets } from "../../vault/secrets.ts";
import type { Ats, Subscription } from "../../vendors/contract/ats.ts";
import type { MissedContext } from "./missed.ts";

/**
 * One subscription per connection: to our receiver, active, its secret in our vault. What differs from that is found
 * by `planSubscribe` and mended by `subscribe`; those of others are left alone.
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

/** The ids of all that are ours, whether they serve or not. */
export function oursIn(plan: SubscribePlan): string[] {
  return [...(plan.keep ? [plan.keep.id] : []), ...uselessIn(plan)];
}

export function uselessIn({ remove, unlisted }: SubscribePlan): string[] {
  return [...remove.map(({ id }) => id), ...(unlisted === null ? [] : [unlisted])];
}
