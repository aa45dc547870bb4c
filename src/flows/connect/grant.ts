import type { Authorization } from "../../core/authorization.ts";
import { accountTaken } from "../../core/advice/account-taken.ts";
import {
  type Account,
  type Connection,
  connectionName,
  type Environment,
  otherOwner,
} from "../../core/connection.ts";
import { exchangeCode } from "../../oauth/endpoint/exchange.ts";
import { introspect } from "../../oauth/endpoint/introspect.ts";
import type { Grant } from "../../oauth/endpoint/issuer.ts";
import { loginOf } from "../../oauth/token-set.ts";
import type { Tokens } from "../../oauth/tokens.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { OwnedSecret, Secret } from "../../shared/secret.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Access } from "../../vendors/contract/access.ts";
import { type RateLimit, windowFor } from "../../core/delivery/rate-window.ts";
import { createSlots, type Slots } from "../account/rate-window.ts";
import type { Regions } from "../../core/residency.ts";
import { releaseByConsent } from "./consent-release.ts";
import { bannerFor } from "./resync.ts";
import { readSecret } from "../../vault/secrets.ts";

/** From the code of a consent to a connection that stands. */
export interface GrantContext {
  clock: Clock;
  http: Http;
  store: Store;
  vault: Vault;
  tokens: Tokens;
  destination: Destination;
}

export interface Granted {
  grant: Grant;
  account: Account;
  /** Absent for a consent. */
  method?: NonNullable<Connection["method"]>;
}

export interface Kept {
  connection: Connection;
  released: number;
}

/** The app's own secret. Throws `CONFIG_INVALID` where the app is not set up. */
export async function clientSecretOf(
  { vault, destination }: Pick<GrantContext, "vault" | "destination">,
  { org, environment }: { org: string; environment: Environment },
): Promise<OwnedSecret> {
  refuseWithoutClientId(destination, { org, environment });
  const { clientSecretName: name, isOrgsClientId: isOrgs } = destination.authorization;
  return await readSecret(vault, { name, org, environment }, { isOrgs });
}

export function refuseWithoutClientId(
  { vendor, authorization: { clientId, orgClientIdKey } }: Destination,
  { org, environment }: { org: string; environment: Environment },
): void {
  if (clientId) return;
  const everyOrgs = environment === "sandbox" ? `[sandbox.${vendor}]` : `[${vendor}]`;
  const ownKey = environment === "sandbox" ? undefined : orgClientIdKey;
  const own = ownKey === undefined ? "" : `, or of this org alone: [orgs.${org}] ${ownKey} = "…"`;
  throw new AppError("CONFIG_INVALID", `${vendor}.client_id is not set`, {
    hint: `Put the app's client id into the configuration: ${everyOrgs} client_id = "…"${own}`,
  });
}

/** Trades the code for tokens, and asks whose account they open. Throws `VAULT_UNAVAILABLE` before the code is spent. */
export async function redeem(
  { clock, http, store, vault, destination }: GrantContext,
  clientSecret: OwnedSecret,
  { signal, ...code }: { code: string; verifier: string | null; redirectUri: string; signal: AbortSignal },
): Promise<Granted> {
  // A code counts once: whether its tokens can be kept shows before.
  await vault.write(new Map());
  const issuer = destination;
  const grant = await exchangeCode({ http, clock }, { ...code, issuer, clientSecret, signal });
  const { accessToken } = grant;
  const { account, scopes: seen } = await lookAtAccount(
    { clock, store, destination },
    { token: accessToken, signal, isTold: grant.scopes !== null },
  );
  const { domain, scopes } = await introspect({ http }, { issuer, clientSecret, accessToken, signal });
  return {
    grant: { ...grant, scopes: grant.scopes ?? scopes ?? seen },
    account: { ...account, name: domain ?? account.name },
  };
}

/**
 * Whose account a token opens that nobody keeps yet, and which scopes it has as far as its calls show; null where they
 * show none, or its answer told (`isTold`). Throws `VENDOR_*`.
 */
export async function lookAtAccount(
  { clock, store, destination }: Pick<GrantContext, "clock" | "store" | "destination">,
  opened: Pick<Access, "signal" | "opensBy" | "refused"> & { token: Secret; isTold?: boolean },
): Promise<{ account: Account; scopes: string[] | null }> {
  const { scopes: wanted } = destination.authorization;
  const first = firstAccess({ clock }, opened);
  const account = await destination.account(first.access);
  const missing = opened.isTold ? undefined : await destination.missingScopes?.(first.access);
  const window = windowFor(destination, { account });
  if (window) await first.countIn(createSlots({ store, clock }, window));
  return { account, scopes: missing ? wanted.filter((scope) => !missing.includes(scope)) : null };
}

/** Calls with tokens that nobody keeps yet. In whose rate window they count shows by their answer. */
function firstAccess(
  { clock }: Pick<GrantContext, "clock">,
  { token, isTold, ...opened }: Parameters<typeof lookAtAccount>[1],
) {
  const answeredAt: number[] = [];
  let limit: RateLimit | null = null;
  const ended = async () => void answeredAt.push(clock.monotonic());
  const heed = async (told: RateLimit) => {
    limit = told;
  };
  const access: Access = {
    ...opened,
    token: async () => token,
    slot: async () => ({ ended }),
    heed,
  };
  return {
    access,
    countIn: async (slots: Slots): Promise<void> => {
      for (const at of answeredAt) await slots.note(at);
      if (limit) await slots.heed(limit);
    },
  };
}

export interface KeepRequest {
  org: string;
  environment: Environment;
  /** The consent came from another account than before: is that meant? */
  confirmOtherAccount(before: Account, after: Account): Promise<boolean>;
  /** The regions that differ and may; null where they do not, or nobody allowed it. */
  crossRegion: Regions | null;
  /** Does nobody have to look at this account first? An operator at the browser is who says so; a link is not. */
  isConfirmed(account: Account, known: { before: Connection | null; isOthers: boolean }): boolean;
}

/** Makes the connection stand: tokens in the vault, its row in the log, and what was held for want of it is due. */
export async function keep(
  { clock, store, tokens, destination }: GrantContext,
  { org, environment, confirmOtherAccount, crossRegion, ...request }: KeepRequest,
  { grant, account, method }: Granted,
): Promise<Kept> {
  const { vendor, label, subject, authorization } = destination;
  const key = { org, vendor, environment, subject };
  const name = connectionName(key);
  const [before, known] = await Promise.all([store.connection(key), store.connections()]);
  const isOwn = before && before.state !== "not_connected" && before.account?.id === account.id;
  const owner = otherOwner(known, key, account.id);
  // One that two orgs had before this was refused stays with both.
  if (owner && !isOwn) throw accountTaken(owner);
  const other = otherAccount(before, account);
  if (other && !(await confirmOtherAccount(other, account)))
    throw new AppError("CANCELLED", `${label} stays connected to account ${other.id}`);

  const isConfirmed = request.isConfirmed(account, { before, isOthers: owner !== null });
  const pause = isConfirmed ? null : await holdBefore({ clock, store }, before);
  const stood = await tokensAt(tokens, name);
  const keeping = method === "api-key" ? tokens.forget(name) : tokens.keep(name, destination, grant, method);
  const set = await keeping.catch(async (error: unknown) => {
    // What was kept, though the answer was lost on the way, is of an account that the row does not name.
    if ((await tokensAt(tokens, name)) === stood) await pause?.undo();
    else if (other) await tokens.forget(name).catch(() => {});
    throw error;
  });
  const { scopes: wanted } = authorization;
  const scopes = grant.scopes ? allOf(grant.scopes, authorization) : grantedUnsaid(authorization);
  const missingScopes = grant.scopes === null ? [] : wanted.filter((scope) => !scopes.includes(scope));
  // Behind the new tokens, so that nothing more counts as told that the old account heard.
  const saved = store.saveConnection(key, {
    state: "connected",
    account,
    method: method ?? null,
    profile: destination.profile ?? null,
    isConfirmed,
    scopes,
    missingScopes,
    tokenExpiresAt: grant.expiresAt,
    login: set ? loginOf(set, authorization) : null,
    connectedAt: clock.now(),
    outage: null,
    refusal: null,
    crossRegion,
    banner: bannerFor({ missingScopes, overQuota: [] }, destination, key),
    ...(other ? { knownFields: null, leftOut: [], lastSyncAt: null } : {}),
  });
  const connection = await saved.catch(async (error: unknown) => {
    // Tokens without a connection would be a half done thing; where this fails too, the next consent replaces them.
    // Those of another org's account open nothing here, whatever stood in their place.
    if (stood === null || isAppError(error, "USAGE")) await tokens.forget(name).catch(() => {});
    throw error;
  });
  const released = await releaseByConsent({ store, clock }, connection);
  return { connection, released };
}

/**
 * By the standard an answer that names no scopes grants what was asked for (RFC 6749, 5.1). A vendor that is asked what a
 * token may, and does not tell either, leaves it unknown.
 */
function grantedUnsaid({ introspectUrl, scopes }: Authorization): string[] {
  return introspectUrl === null ? [...scopes] : [];
}

/** With those that another one stands for. */
function allOf(scopes: readonly string[], { impliedScopes = {} }: Authorization): string[] {
  return [...new Set([...scopes, ...scopes.flatMap((scope) => impliedScopes[scope] ?? [])])];
}

/** Nothing goes out by the tokens of an account that nobody confirmed yet, also in the moment before its row names it. */
async function holdBefore(
  { clock, store }: Pick<GrantContext, "clock" | "store">,
  before: Connection | null,
): Promise<{ undo(): Promise<void> } | null> {
  if (before?.state !== "connected" || !before.isConfirmed) return null;
  await store.saveConnection(before, { isConfirmed: false });
  await store.hold(before.id, { cause: "confirm" });
  return {
    undo: async () => {
      await store.saveConnection(before, { isConfirmed: true });
      await store.release(before.id, { held: ["confirm"] }, clock.now());
    },
  };
}

/** What tells those that the vault holds from others; null where it holds none. */
async function tokensAt(tokens: Tokens, name: string): Promise<string | null> {
  try {
    return (await tokens.peek(name))?.accessToken.reveal() ?? null;
  } catch (error) {
    if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
    return "cannot be read";
  }
}

/** The account that a connection belonged to so far, where that is another one. */
function otherAccount(before: Connection | null, account: Account): Account | null {
  return before?.account && before.account.id !== account.id ? before.account : null;
}
