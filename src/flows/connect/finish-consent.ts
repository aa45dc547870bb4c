import type { Account, Connection, ConnectionName } from "../../core/connection.ts";
import type { Consent, TakenConsent } from "../../core/consent.ts";
import { hashOfState, looksLikeState, openVerifier } from "../../oauth/consent/consent-link.ts";
import { codeFrom } from "../../oauth/consent/consent-refusal.ts";
import type { Tokens } from "../../oauth/tokens.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Vendors } from "../account/vendors.ts";
import { clientSecretOf, type GrantContext, keep, otherAccount, redeem } from "./grant.ts";
import { type Prepared, prepareFields } from "./fields.ts";

/** From an admin's answer to a link of `makeLink` to a connection that stands, in whichever process it arrives. */
export interface FinishContext extends Vendors {
  store: Store;
  http(): Promise<Http>;
  vault(): Promise<Vault>;
  tokens(): Promise<Tokens>;
}

export interface ConsentAnswer {
  /** By the path it came on. */
  vendor: string;
  /** The redirect's parameters. */
  query: URLSearchParams;
  signal: AbortSignal;
}

export type ConsentEnd =
  | Exclude<TakenConsent, { kind: "taken" }>
  | {
      kind: "connected";
      connection: Connection;
      label: string;
      /** To be called once the admin was told: the fields take a while, and undo nothing when they fail. */
      prepare(): Promise<Prepared>;
    }
  | { kind: "other_account"; name: ConnectionName; label: string; before: Account; after: Account }
  | { kind: "failed"; name: ConnectionName; label: string; error: AppError };

/**
 * Only success ends a link: after any failure it may be opened again, and the vendor then gives a new code. Throws
 * `STORE_UNAVAILABLE` with nothing done.
 */
export async function finishConsent(context: FinishContext, answer: ConsentAnswer): Promise<ConsentEnd> {
  const { store, clock } = context;
  const state = answer.query.get("state") ?? "";
  if (!looksLikeState(state)) return { kind: "unknown" };
  const { vendor } = answer;
  const taken = await store.takeConsent({ hash: hashOfState(state), vendor, now: clock.now() });
  if (taken.kind !== "taken") return taken;
  const { consent } = taken;
  let outcome: "connected" | "open" = "open";
  try {
    const end = await conclude(context, { ...answer, consent, state });
    if (end.kind === "connected") outcome = "connected";
    return end;
  } finally {
    await endQuietly(context, consent, outcome);
  }
}

interface Taken extends ConsentAnswer {
  consent: Consent;
  state: string;
}

async function conclude(context: FinishContext, taken: Taken): Promise<ConsentEnd> {
  const { consent } = taken;
  const destination = await context.destination(consent);
  try {
    return await grantAndKeep(context, destination, taken);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { kind: "failed", name: consent, label: destination.label, error };
  }
}

async function grantAndKeep(
  context: FinishContext,
  destination: Destination,
  { consent, query, state, signal }: Taken,
): Promise<ConsentEnd> {
  const { store, clock } = context;
  const { label } = destination;
  const code = codeFrom(query, destination, consent.redirectUri);
  const verifier = openVerifier(state, consent);
  const [http, vault, tokens] = await Promise.all([context.http(), context.vault(), context.tokens()]);
  const grantContext: GrantContext = { clock, http, store, vault, tokens, destination };
  const clientSecret = await clientSecretOf(grantContext, consent);
  const { redirectUri } = consent;
  const granted = await redeem(grantContext, clientSecret, { code, verifier, redirectUri, signal });
  const before = otherAccount(await store.connection(consent), granted.account);
  if (before && !consent.allowsOtherAccount)
    return { kind: "other_account", name: consent, label, before, after: granted.account };
  // A newer link, a connect or a disconnect may have come while the vendor was asked.
  const { hash, vendor } = consent;
  const again = await store.takeConsent({ hash, vendor, now: clock.now(), again: true });
  if (again.kind !== "taken") return { kind: "voided" };
  const confirmOtherAccount = async () => consent.allowsOtherAccount;
  const { connection } = await keep(grantContext, { ...consent, confirmOtherAccount }, granted);
  const accessTo = (connected: Connection) => context.access(connected, { store, signal });
  const prepare = () => prepareFields({ store, clock, destination, accessTo }, connection);
  return { kind: "connected", connection, label, prepare };
}

/** A link that cannot be ended now is free again by itself, before long. */
async function endQuietly(
  { store, clock, log }: FinishContext,
  { org, vendor, hash }: Consent,
  outcome: "connected" | "open",
): Promise<void> {
  try {
    await store.endConsents({ outcome, hash }, clock.now());
  } catch (error) {
    if (!isAppError(error)) throw error;
    log.warn("a link for consent could not be ended", { org, vendor, reason: error.message });
  }
}
