import type { Account, Connection, Environment } from "../core/connection.ts";
import { connectionName } from "../core/connection.ts";
import { askForConsent, type ConsentRequest } from "../oauth/consent.ts";
import { exchangeCode } from "../oauth/exchange.ts";
import { accountDomain } from "../oauth/introspect.ts";
import type { Grant } from "../oauth/issuer.ts";
import type { Tokens } from "../oauth/tokens.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import type { Secret } from "../shared/secret.ts";
import type { Store } from "../store/contract.ts";
import type { Vault } from "../vault/contract.ts";
import type { Access, Destination, FieldReport } from "../vendors/contract.ts";
import { bannerFor, planResync, resync } from "./resync.ts";
import { readSecret } from "./secrets.ts";

/** From an admin's consent to an account that is ready for results. */
export interface ConnectContext {
  clock: Clock;
  http: Http;
  store: Store;
  vault: Vault;
  tokens: Tokens;
  destination: Destination;
  /** Calls to the account, once the connection is saved. */
  accessTo(connection: Connection): Promise<Access>;
}

export interface ConnectRequest {
  org: string;
  environment: Environment;
  signal: AbortSignal;
  consent: Pick<
    ConsentRequest<unknown>,
    "onUrl" | "onTick" | "onNotice" | "openBrowser" | "pastedLines" | "timeoutMs"
  >;
  /** The consent came from another account than before: is that meant? */
  confirmOtherAccount(before: Account, after: Account): Promise<boolean>;
}

export interface Connected {
  connection: Connection;
  /** What the bootstrap did; null where it did not come to its end. */
  fields: FieldReport | null;
  /** Why the bootstrap did not come to its end; the connection stands all the same. */
  fieldsProblem: AppError | null;
  /** Contacts with results that this connection was never told of; a sandbox is told of none. */
  waiting: number;
  /** Pushes that were held for want of a connection and now go out. */
  released: number;
}

export async function connect(context: ConnectContext, request: ConnectRequest): Promise<Connected> {
  const { clock, store, vault, destination } = context;
  const { org, environment, signal } = request;
  const { clientId, clientSecretName: name } = destination.authorization;
  if (!clientId) {
    throw new AppError("CONFIG_INVALID", `${destination.vendor}.client_id is not set`, {
      hint: `Put the app's client id into the configuration: [${destination.vendor}] client_id = "…"`,
    });
  }
  const clientSecret = await readSecret(vault, { name, org, environment });
  const connection = await askForConsent(
    { clock },
    {
      ...request.consent,
      issuer: destination,
      signal,
      redeem: async (code) => await keep(context, request, await redeem(context, clientSecret, code, signal)),
    },
  );
  const released = await store.release(
    connection.id,
    ["reconnect", "disconnected", "vault", "scope"],
    clock.now(),
  );
  return {
    ...(await prepareFields(context, connection)),
    released,
    waiting:
      environment === "production"
        ? await store.countUnpushed({ connectionId: connection.id, includeInProgress: false })
        : 0,
  };
}

interface Consent {
  grant: Grant;
  account: Account;
}

async function redeem(
  { clock, http, destination }: ConnectContext,
  clientSecret: Secret,
  code: { code: string; verifier: string | null; redirectUri: string },
  signal: AbortSignal,
): Promise<Consent> {
  const issuer = destination;
  const grant = await exchangeCode({ http, clock }, { ...code, issuer, clientSecret, signal });
  const account = await destination.account(firstAccess(grant, signal));
  const { accessToken } = grant;
  const domain = await accountDomain({ http }, { issuer, clientSecret, accessToken, signal });
  return { grant, account: { ...account, name: domain ?? account.name } };
}

/** One call with tokens that nobody keeps yet, to an account whose rate nobody counts yet. */
function firstAccess(grant: Grant, signal: AbortSignal): Access {
  return { signal, token: async () => grant.accessToken, slot: async () => {}, heed: async () => {} };
}

/** Makes the connection stand, before the browser is told that it does. */
async function keep(
  { clock, store, tokens, destination }: ConnectContext,
  { org, environment, confirmOtherAccount }: ConnectRequest,
  { grant, account }: Consent,
): Promise<Connection> {
  const { vendor, label, subject, authorization } = destination;
  const key = { org, vendor, environment, subject };
  const known = await store.connections(org);
  const before = known.find((connection) => connectionName(connection) === connectionName(key));
  const other = before?.account && before.account.id !== account.id ? before.account : null;
  if (other && !(await confirmOtherAccount(other, account)))
    throw new AppError("CANCELLED", `${label} stays connected to account ${other.id}`);

  await tokens.keep(connectionName(key), destination, grant);
  // Behind the new tokens, so that nothing more counts as told that the old account heard; before the row names the
  // new account, so that whoever connects again after a crash is still asked, and still forgets.
  if (before && other) await store.forgetAccount(before.id);
  const { scopes: wanted } = authorization;
  const scopes = grant.scopes ?? [...wanted];
  const missingScopes = wanted.filter((scope) => !scopes.includes(scope));
  return await store.saveConnection(key, {
    state: "connected",
    account,
    scopes,
    missingScopes,
    tokenExpiresAt: grant.expiresAt,
    connectedAt: clock.now(),
    outage: null,
    banner: bannerFor({ missingScopes, overQuota: [] }),
    ...(other ? { knownFields: null, lastSyncAt: null } : {}),
  });
}

/** A portal may have changed while nobody was connected to it. Where this fails, the connection stands and the failure is told. */
async function prepareFields(
  context: ConnectContext,
  connection: Connection,
): Promise<Pick<Connected, "connection" | "fields" | "fieldsProblem">> {
  try {
    const access = await context.accessTo(connection);
    const fields = await resync({ ...context, access }, connection, await planResync({ ...context, access }));
    const now = (await context.store.connections(connection.org)).find(({ id }) => id === connection.id);
    return { connection: now ?? connection, fields, fieldsProblem: null };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { connection, fields: null, fieldsProblem: error };
  }
}
