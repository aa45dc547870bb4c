import type { ConnectMethod } from "../../core/authorization.ts";
import { clientCredentialsGrant } from "../../oauth/endpoint/exchange.ts";
import { AppError } from "../../shared/errors.ts";
import { setSecretCommand } from "../../core/advice/command-lines.ts";
import { readSecret } from "../../vault/secrets.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import { type Connected, type ConnectContext, type ConnectRequest, keepMeant, settle } from "./connect.ts";
import { clientSecretOf, type Granted, lookAtAccount } from "./grant.ts";
import { refuseCrossing } from "./regions.ts";

/** From an app's credentials, or an account's key, to an account that is ready for results: no browser has a part in it. */
export interface DirectRequest extends Omit<ConnectRequest, "consent"> {
  method: Exclude<ConnectMethod, "code">;
}

/** Throws `CONFIG_INVALID`, `RECONNECT_NEEDED` for a key that is refused, `VENDOR_*`. */
export async function connectByCredentials(
  context: ConnectContext,
  request: DirectRequest,
): Promise<Connected> {
  await refuseCrossing(context, request);
  // Whether its tokens can be kept shows before.
  await context.vault.write(new Map());
  const granted =
    request.method === "api-key"
      ? await grantedByKey(context, request)
      : await grantedByApp(context, request);
  return await settle(context, request, await keepMeant(context, request, granted));
}

async function grantedByApp(context: ConnectContext, request: DirectRequest): Promise<Granted> {
  const { http, clock, destination: issuer } = context;
  const { signal } = request;
  const clientSecret = await clientSecretOf(context, request);
  const grant = await clientCredentialsGrant({ http, clock }, { issuer, clientSecret, signal });
  const seen = await lookAtAccount(context, { token: grant.accessToken, signal });
  return {
    grant: { ...grant, refreshToken: null, scopes: grant.scopes ?? seen.scopes },
    account: seen.account,
    method: "client-credentials",
  };
}

async function grantedByKey(context: ConnectContext, request: DirectRequest): Promise<Granted> {
  const { vault, destination } = context;
  const { apiKeyName: name = "" } = destination.authorization;
  const { org, environment, signal } = request;
  const token = await readSecret(vault, { name, org, environment }, { isOrgs: true });
  const opened: Pick<Access, "opensBy" | "refused"> = {
    opensBy: "api-key",
    refused: () => keyRefused(destination, setSecretCommand(name, { org, environment })),
  };
  const seen = await lookAtAccount(context, { token, signal, ...opened });
  return {
    grant: { accessToken: token, refreshToken: null, expiresAt: null, scopes: seen.scopes, accountId: null },
    account: seen.account,
    method: "api-key",
  };
}

function keyRefused({ label }: Destination, hint: string): AppError {
  return new AppError("RECONNECT_NEEDED", `${label} does not take the API key`, { hint });
}
