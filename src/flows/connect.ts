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
import type { Store } from "../store/contract.ts";
import type { Vault } from "../vault/contract.ts";
import type { Access, Destination, FieldReport } from "../vendors/contract.ts";
import { planResync, resync } from "./resync.ts";
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
  /** What the bootstrap did; null where the fields were known already. */
  fields: FieldReport | null;
  /** Why the bootstrap did not come to its end; the connection stands all the same. */
  fieldsProblem: AppError | null;
  /** Contacts with results that this connection was never told of. */
  waiting: number;
  /** Pushes that were held for want of a connection and now go out. */
  released: number;
}

export async function connect(context: ConnectContext, request: ConnectRequest): Promise<Connected> {
  const { clock, store, tokens, destination } = context;
  const key = {
    org: request.org,
    vendor: destination.vendor,
    environment: request.environment,
    subject: destination.subject,
  };
  const before = (await store.connections(request.org)).find(
    (known) => connectionName(known) === connectionName(key),
  );

  const { grant, account } = await consentAndAccount(context, request);
  const isOther =
    before?.account !== null && before?.account !== undefined && before.account.id !== account.id;
  if (isOther && before.account && !(await request.confirmOtherAccount(before.account, account))) {
    throw new AppError("CANCELLED", `${destination.label} stays connected to account ${before.account.id}`);
  }

  await tokens.keep(connectionName(key), destination, grant);
  const missingScopes =
    grant.scopes === null
      ? []
      : destination.authorization.scopes.filter((scope) => !grant.scopes?.includes(scope));
  const connection = await store.saveConnection(key, {
    state: "connected",
    account,
    scopes: grant.scopes ?? [...destination.authorization.scopes],
    missingScopes,
    tokenExpiresAt: grant.expiresAt,
    connectedAt: clock.now(),
    outage: null,
    banner: missingScopes.length > 0 ? `these scopes were not granted: ${missingScopes.join(", ")}` : null,
    ...(isOther ? { knownFields: null, lastSyncAt: null } : {}),
  });
  if (isOther) await store.forgetAccount(connection.id);
  const released = await store.release(
    connection.id,
    ["reconnect", "disconnected", "vault", "scope"],
    clock.now(),
  );
  return {
    ...(await prepareFields(context, connection)),
    released,
    waiting: await store.countUnpushed({ connectionId: connection.id, includeInProgress: false }),
  };
}

async function consentAndAccount(
  context: ConnectContext,
  request: ConnectRequest,
): Promise<{ grant: Grant; account: Account }> {
  const { clock, http, vault, destination } = context;
  const { clientId, clientSecretName: name } = destination.authorization;
  if (!clientId) {
    throw new AppError("CONFIG_INVALID", `${destination.vendor}.client_id is not set`, {
      hint: `Put the app's client id into the configuration: [${destination.vendor}] client_id = "…"`,
    });
  }
  const clientSecret = await readSecret(vault, { name, org: request.org, environment: request.environment });
  return await askForConsent(
    { clock },
    {
      ...request.consent,
      issuer: destination,
      signal: request.signal,
      redeem: async (code) => {
        const grant = await exchangeCode(
          { http, clock },
          { ...code, issuer: destination, clientSecret, signal: request.signal },
        );
        const account = await destination.account(firstAccess(grant, request.signal));
        const { accessToken } = grant;
        const domain = await accountDomain(
          { http },
          { issuer: destination, clientSecret, accessToken, signal: request.signal },
        );
        return { grant, account: { ...account, name: domain ?? account.name } };
      },
    },
  );
}

/** One call with tokens that nobody keeps yet, to an account whose rate nobody counts yet. */
function firstAccess(grant: Grant, signal: AbortSignal): Access {
  return { signal, token: async () => grant.accessToken, slot: async () => {}, heed: async () => {} };
}

/** The first connect runs the bootstrap; where it fails, the connection stands and the failure is told. */
async function prepareFields(
  context: ConnectContext,
  connection: Connection,
): Promise<Pick<Connected, "connection" | "fields" | "fieldsProblem">> {
  if (connection.knownFields !== null) return { connection, fields: null, fieldsProblem: null };
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
