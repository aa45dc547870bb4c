import { connectCommand, emulatedTrialCommand } from "../../core/advice/command-lines.ts";
import type { Connection, Environment } from "../../core/connection.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import { possessive } from "../../shared/text.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import { redirectUrisOf, refusesRedirectUri } from "../account/redirect-uri.ts";
import { fixOf, type Outcome, type Step } from "./checklist.ts";
import { missingScope } from "./guide-words.ts";
import type { TrialAccount, TrialContext, TrialRequest } from "./trial-account.ts";

/** What every trial begins with: whose account it is, and that it is none in production. */
const ENVIRONMENT: Environment = "sandbox";
/** Once told to stop, cleaning up gets this long. */
const CLEAN_UP_MS = 20_000;

/** Throws `USAGE` where the vendor or the account is none for trials, before anything was asked of it. */
export async function openTrial(
  context: Pick<TrialContext, "destination">,
  { org, vendor }: Pick<TrialRequest, "org" | "vendor">,
): Promise<Destination> {
  const destination = await context.destination({ org, vendor, environment: ENVIRONMENT });
  refuse(destination, null);
  return destination;
}

function refuse(destination: Destination, account: Connection["account"]): void {
  const { vendor } = destination;
  const reason = destination.refuseTrial?.(account) ?? null;
  if (reason === null) return;
  throw new AppError("USAGE", `${reason}. Nothing was written`, {
    hint: `Name the sandbox under [sandbox.${vendor}], then: ${connectCommand({ vendor, environment: ENVIRONMENT })} or, without any account: ${emulatedTrialCommand(vendor)}`,
  });
}

/** The first step: connected, with every scope, to an account for trials. `then` gets the account. */
export function connectedStep(
  context: TrialContext,
  store: Store,
  { org, signal }: TrialRequest,
  { destination, then }: { destination: Destination; then: (account: TrialAccount) => void },
): Step {
  const { vendor, label, authorization } = destination;
  return {
    id: "connected",
    title: "connected",
    run: async () => {
      const connection = await store.connection({ org, vendor, environment: ENVIRONMENT });
      if (!connection?.account || connection.state !== "connected")
        return await explainNotConnected(context, destination, {
          org,
          connection,
          signal,
        });
      const { missingScopes } = connection;
      if (missingScopes.length > 0) {
        const told = missingScope(destination, org, missingScopes);
        return { status: "failed", evidence: `not granted: ${missingScopes.join(", ")}`, ...told };
      }
      const access = await context.access(connection, { store, signal });
      const account = await destination.account(access);
      refuse(destination, account);
      const lastingAccess = await context.access(connection, { store, signal: afterwards(signal) });
      then({ connection, destination, access, lastingAccess });
      const kind = account.kind ? `, ${account.kind}` : "";
      return {
        status: "passed",
        evidence: `${label} ${account.name}${kind}; ${authorization.scopes.length} scopes`,
      };
    },
  };
}

/** Aborts a while after the other does. */
function afterwards(signal: AbortSignal): AbortSignal {
  const late = new AbortController();
  const begin = () => setTimeout(() => late.abort(signal.reason), CLEAN_UP_MS).unref();
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return late.signal;
}

/** Asks for the consent page as a browser would, to learn whether the vendor knows our redirect URIs. Follows nothing. */
async function explainNotConnected(
  context: TrialContext,
  { vendor, label, authorization, commonErrors }: Destination,
  { org, connection, signal }: { org: string; connection: Connection | null; signal: AbortSignal },
): Promise<Outcome> {
  const name = { vendor, org, environment: ENVIRONMENT };
  const connect = connectCommand(name);
  if (!authorization.clientId) {
    return {
      status: "failed",
      cause: `there is no client id for ${possessive(label)} sandbox`,
      fix: `Put it into the configuration: [sandbox.${vendor}] client_id = "…"\nThen run: ${connect}`,
    };
  }
  if (commonErrors) {
    const { loopback, published } = redirectUrisOf(authorization, context.config["serve.public_url"]);
    const error = commonErrors.redirectUri(loopback);
    const ask = { http: await context.http(), authorization, title: error.title, signal };
    // `connect` listens at the first one.
    if (await isRefused(ask, loopback)) {
      const isPublicToo = await isRefused(ask, published);
      const next = isPublicToo
        ? [`Nor is this one registered: ${published}`, `Then run: ${connect}`]
        : [`Or go by ${published}, which is registered. Run: ${connectCommand(name, "--via-service")}`];
      const fix = fixOf(...error.fixes, ...next);
      return { status: "failed", evidence: error.title, cause: error.cause, fix };
    }
  }
  const mustReconnect = connection?.state === "must_reconnect";
  const cause = `${org} is not connected to ${possessive(label)} sandbox${mustReconnect ? " any more: it has taken back its consent" : ""}`;
  return { status: "failed", cause, fix: `Run: ${connect}` };
}

/** False also where nobody answers there: that there is no connection says more than that. */
async function isRefused(...asked: Parameters<typeof refusesRedirectUri>): Promise<boolean> {
  try {
    return await refusesRedirectUri(...asked);
  } catch (error) {
    if (isAppError(error, "VENDOR_UNAVAILABLE")) return false;
    throw error;
  }
}
