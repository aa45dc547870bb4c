import type { Authorization } from "../authorization.ts";
import type { ConnectionName } from "../connection.ts";
import { setSecretCommand } from "./command-lines.ts";

/** The app that we are to a vendor for one org, whose client id or secret may be its own. */
export interface AppOf {
  vendor: string;
  authorization: Pick<Authorization, "clientSecretName" | "orgClientIdKey" | "isOrgsClientId">;
  /** Absent where it is nobody's in particular. */
  place?: Pick<ConnectionName, "org" | "environment">;
  isOrgsSecret?: boolean;
}

/** Sets the client secret that counts: everybody's would not be read where the org has its own, nor fit an app of its own. */
export function clientSecretCommand({ authorization, place, isOrgsSecret }: AppOf): string {
  const { clientSecretName, isOrgsClientId } = authorization;
  const isOrgs = isOrgsSecret || isOrgsClientId;
  if (place === undefined || isOrgs) return setSecretCommand(clientSecretName, place);
  return setSecretCommand(clientSecretName, { environment: place.environment });
}

/** The key of the client id that counts. */
export function clientIdKey({ vendor, authorization, place, isOrgsSecret }: AppOf): string {
  const { orgClientIdKey, isOrgsClientId } = authorization;
  // A sandbox has no key for one org's own: it only falls back to it.
  const isOrgs = isOrgsClientId || (isOrgsSecret && place?.environment === "production");
  return isOrgs && orgClientIdKey && place ? `[orgs.${place.org}] ${orgClientIdKey}` : `${vendor}.client_id`;
}
