import type { Connection, ConnectionName } from "../../core/connection.ts";
import { BEGUN_CONSENT_LIFE_MS, type BegunConsent, CONSENT_LIFE_MS, linkPath } from "../../core/consent.ts";
import { hashOfLink, newLinkSecret, sealOf } from "../../oauth/consent/consent-link.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { checkBaseUrl } from "../../shared/url.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import { refuseWithoutClientId } from "./grant.ts";
import { refuseCrossing } from "./regions.ts";

/** A link for an account's admin on another machine; `finishConsent` does the rest when the answer comes. */
export interface LinkContext {
  store: Pick<Store, "connection" | "openConsent" | "runningServices">;
  clock: Pick<Clock, "now">;
  config: Pick<Config, "serve.public_url" | "store.region" | "orgs">;
  destination: Destination;
}

export interface LinkRequest extends Omit<ConnectionName, "vendor"> {
  /** Consent from this account alone counts, and needs no confirmation afterwards; null for any. */
  accountId: string | null;
  allowsOtherAccount: boolean;
  allowsCrossRegion: boolean;
  /** Absent where the link is to be handed to somebody. */
  begun?: BegunConsent;
}

export interface Link {
  /** By what the log knows it. */
  hash: string;
  /** Leads to a page of `serve`. Whoever has it can ask for consent; what an answer brings waits for the operator. */
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
  { org, environment, ...allowed }: LinkRequest,
): Promise<Link> {
  refuseWithoutClientId(destination, { org, environment });
  checkBaseUrl(
    destination.authorization.authorizeUrl,
    `the address at which ${destination.label} asks for consent`,
  );
  const publicUrl = publicUrlOf(config);
  await refuseCrossing({ store, config, destination }, { org, environment, ...allowed }, "--via-service");
  const { vendor, authorization } = destination;
  const redirectUri = publicUrl + authorization.redirectPath;
  const connection = { org, vendor, environment };
  const createdAt = clock.now();
  const expiresAt = createdAt + (allowed.begun ? BEGUN_CONSENT_LIFE_MS : CONSENT_LIFE_MS);
  const secret = newLinkSecret();
  const written = { ...connection, ...allowed, redirectUri, createdAt, expiresAt };
  const hash = hashOfLink(secret);
  await store.openConsent({ ...written, hash, seal: sealOf(secret, written) });
  const [before, services] = await Promise.all([store.connection(connection), store.runningServices()]);
  const url = `${publicUrl}${linkPath(vendor)}?link=${secret}`;
  return { hash, url, expiresAt, redirectUri, before, isServiceRunning: services.length > 0 };
}

/** The public listener of `serve`, as the world reaches it. */
function publicUrlOf(config: Pick<Config, "serve.public_url">): string {
  const { origin, pathname } = checkBaseUrl(config["serve.public_url"], "serve.public_url");
  return origin + pathname.replace(/\/+$/, "");
}
