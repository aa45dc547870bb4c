import type { Connection, ConnectionName } from "../../core/connection.ts";
import { CONSENT_LIFE_MS } from "../../core/consent.ts";
import { newConsentLink } from "../../oauth/consent/consent-link.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { checkBaseUrl } from "../../shared/http.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import { refuseWithoutClientId } from "./grant.ts";

/** A link for an account's admin on another machine; `finishConsent` does the rest when the answer comes. */
export interface LinkContext {
  store: Pick<Store, "connection" | "openConsent" | "runningServices">;
  clock: Pick<Clock, "now">;
  config: Pick<Config, "serve.public_url">;
  destination: Destination;
}

export interface Link {
  /** Holds the state: whoever has it can answer, and nobody else. */
  url: string;
  expiresAt: number;
  redirectUri: string;
  /** The connection as it stands until then. */
  before: Connection | null;
  isServiceRunning: boolean;
}

/** Needs no vault and no service. Throws `CONFIG_INVALID` where no answer could come back. */
export async function makeLink(
  { store, clock, config, destination }: LinkContext,
  { org, environment, allowsOtherAccount }: Omit<ConnectionName, "vendor"> & { allowsOtherAccount: boolean },
): Promise<Link> {
  refuseWithoutClientId(destination, { org, environment });
  const redirectUri = publicRedirectUri(config, destination);
  const connection = { org, vendor: destination.vendor, environment };
  const { url, hash, verifier } = newConsentLink(destination, connection, redirectUri);
  const createdAt = clock.now();
  const expiresAt = createdAt + CONSENT_LIFE_MS;
  await store.openConsent({
    ...connection,
    hash,
    verifier,
    redirectUri,
    allowsOtherAccount,
    createdAt,
    expiresAt,
  });
  const [before, services] = await Promise.all([store.connection(connection), store.runningServices()]);
  return { url, expiresAt, redirectUri, before, isServiceRunning: services.length > 0 };
}

/** Where the vendor sends the admin's browser back to: on the public listener of `serve`. */
function publicRedirectUri(config: LinkContext["config"], { authorization }: Destination): string {
  const { origin, pathname } = checkBaseUrl(config["serve.public_url"], "serve.public_url");
  return origin + pathname.replace(/\/+$/, "") + authorization.redirectPath;
}
