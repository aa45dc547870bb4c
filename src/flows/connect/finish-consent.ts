import type { Account, Connection, ConnectionName } from "../../core/connection.ts";
import type { Consent, TakenConsent } from "../../core/consent.ts";
import { attemptOf, checkSeal, hashOfLink, isAnswerTo, secretIn } from "../../oauth/consent/consent-link.ts";
import { codeFrom } from "../../oauth/consent/consent-refusal.ts";
import type { Tokens } from "../../oauth/tokens.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { AccountContext } from "../account/context.ts";
import { clientSecretOf, type GrantContext, type KeepRequest, keep, redeem } from "./grant.ts";
import { type Prepared, prepareFields } from "./fields.ts";
import { crossingOf } from "./regions.ts";

/** From an admin's answer to a link of `makeLink` to a connection that stands, in whichever process it arrives. */
export interface FinishContext extends AccountContext {
  store: Store;
  http(): Promise<Http>;
  vault(): Promise<Vault>;
  tokens(): Promise<Tokens>;
}

export interface ConsentAnswer {
  /** By the path it came on. */
  vendor: string;
  /** What the browser kept since it pressed the button; null where it kept nothing. */
  cookie: string | null;
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
      /** To be called once the admin was told: the fields take a while, and undo nothing when they fail. Null before an operator knows the account. */
      prepare: (() => Promise<Prepared>) | null;
    }
  | { kind: "other_account"; name: ConnectionName; label: string; wanted: string; after: Account }
  /** Its data rest in another region than they may. */
  | { kind: "other_region"; name: ConnectionName; label: string; error: AppError }
  | { kind: "failed"; name: ConnectionName; label: string; error: AppError };

/**
 * Only success ends a link: after any failure it may be opened again, and the vendor then gives a new code. Throws
 * `STORE_UNAVAILABLE` with nothing done.
 */
export async function finishConsent(context: FinishContext, answer: ConsentAnswer): Promise<ConsentEnd> {
  const { store, clock } = context;
  const { vendor, cookie } = answer;
  const secret = cookie === null ? null : secretIn(cookie);
  // An answer that another browser asked for is a stranger's, whoever sends it.
  if (cookie === null || secret === null || !isAnswerTo(cookie, answer.query.get("state") ?? ""))
    return { kind: "unknown" };
  const taken = await store.takeConsent({ hash: hashOfLink(secret), vendor, now: clock.now() });
  if (taken.kind !== "taken") return taken;
  const { consent } = taken;
  const { hash } = consent;
  const untaken = { outcome: "open", hash, refusal: null } as const;
  let ended: LinkEnd = untaken;
  try {
    checkSeal(secret, consent);
    const end = await conclude(context, { ...answer, consent, cookie });
    if (end.kind === "connected") ended = { outcome: "connected", hash };
    // Nobody holds the link: whoever began it on the admin page begins anew there.
    else if (consent.begun) ended = { outcome: "voided", connection: consent };
    else ended = { ...untaken, refusal: refusalOf(end) };
    return end;
  } finally {
    await endQuietly(context, consent, ended);
  }
}

type LinkEnd = Parameters<Store["endConsents"]>[0];

/** For the operator, who else would wait for an admin that was refused. */
function refusalOf(end: ConsentEnd): string | null {
  if (end.kind === "failed" || end.kind === "other_region") return end.error.message;
  return end.kind === "other_account" ? `another account answered: ${end.after.name}` : null;
}

interface Taken extends ConsentAnswer {
  consent: Consent;
  cookie: string;
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
  { consent, query, cookie, signal }: Taken,
): Promise<ConsentEnd> {
  const { store, clock } = context;
  const { label } = destination;
  const code = codeFrom(query, destination, consent.redirectUri);
  const { verifier } = attemptOf(cookie, destination.authorization);
  const [http, vault, tokens] = await Promise.all([context.http(), context.vault(), context.tokens()]);
  const grantContext: GrantContext = { clock, http, store, vault, tokens, destination };
  const clientSecret = await clientSecretOf(grantContext, consent);
  const { redirectUri } = consent;
  const granted = await redeem(grantContext, clientSecret, { code, verifier, redirectUri, signal });
  const wanted = accountWanted(consent, await store.connection(consent));
  if (wanted !== null && wanted !== granted.account.id)
    return { kind: "other_account", name: consent, label, wanted, after: granted.account };
  // A newer link, a connect or a disconnect may have come while the vendor was asked.
  const { hash, vendor } = consent;
  const again = await store.takeConsent({ hash, vendor, now: clock.now(), how: "again" });
  if (again.kind !== "taken") return { kind: "voided" };
  const crossing = { store, config: context.config, destination };
  const regions = await crossingOf(crossing, consent, granted.account, "--via-service");
  const { crossRegion, refusal } = regions;
  if (refusal) return { kind: "other_region", name: consent, label, error: refusal };
  const confirmOtherAccount = async () => consent.allowsOtherAccount || consent.accountId !== null;
  const isConfirmed = isConfirmedBy(consent);
  const { connection } = await keep(
    grantContext,
    { ...consent, confirmOtherAccount, crossRegion, isConfirmed },
    granted,
  );
  const accessTo = (connected: Connection) => context.access(connected, { store, signal });
  const prepare = () => prepareFields({ store, clock, destination, accessTo }, connection);
  return { kind: "connected", connection, label, prepare: connection.isConfirmed ? prepare : null };
}

/** The only account that may answer; null where any may. */
function accountWanted({ accountId, allowsOtherAccount }: Consent, before: Connection | null): string | null {
  return accountId ?? (allowsOtherAccount ? null : (before?.account?.id ?? null));
}

/**
 * Whoever answers a link may be anybody who came by it: only an account that an operator named, or knew before, needs no
 * more. What a signed-in admin began counts as confirmed, but for an account that another org has, too.
 */
function isConfirmedBy({ accountId, begun }: Consent): KeepRequest["isConfirmed"] {
  return (account, { before, isOthers }) =>
    (before?.account?.id === account.id && before.isConfirmed) ||
    (!isOthers && begun !== undefined) ||
    account.id === accountId;
}

/** A link that cannot be ended now is free again by itself, before long. */
async function endQuietly(
  { store, clock, log }: FinishContext,
  { org, vendor }: Consent,
  ended: LinkEnd,
): Promise<void> {
  try {
    await store.endConsents(ended, clock.now());
  } catch (error) {
    if (!isAppError(error)) throw error;
    log.warn("a link for consent could not be ended", { org, vendor, reason: error.message });
  }
}
