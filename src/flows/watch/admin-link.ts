import { isIP } from "node:net";
import { ADMIN_LINK_MS, SIGN_IN_PATH } from "../../core/admin.ts";
import { hashOfLink, newLinkSecret } from "../../oauth/consent/consent-link.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { TlsFiles } from "../../shared/tls-files.ts";
import { checkBaseUrl } from "../../shared/url.ts";
import type { Store } from "../../store/contract/store.ts";

/** A link that signs one browser in to the admin page. */
export interface AdminLinkContext {
  store: Pick<Store, "openAdminLink" | "runningServices">;
  clock: Pick<Clock, "now">;
  config: Config;
  /** Null where no TLS is spoken. Throws `CONFIG_INVALID` where half of a pair is set. */
  tlsFiles(): TlsFiles | null;
}

export interface MadeAdminLink {
  url: string;
  expiresAt: number;
  isServiceRunning: boolean;
  /** Whom the certificate is for where it does not name the link's host, so that a browser refuses it; null else. */
  certificateOf: string | null;
}

/** `org`: the only one that is shown; null for all. Throws `CONFIG_INVALID` where there is no admin listener. */
export async function makeAdminLink(
  { store, clock, config, tlsFiles }: AdminLinkContext,
  { org, who }: { org: string | null; who: string },
): Promise<MadeAdminLink> {
  const services = await store.runningServices();
  const address = services.map((each) => each?.admin).findLast((each) => each !== undefined);
  const origin = adminOrigin(config, address);
  if (origin === null)
    throw new AppError("CONFIG_INVALID", "there is no admin page: the admin listener is not open", {
      hint: "Give serve.admin_listen an address that is free, as 127.0.0.1:8471, and start serve again.",
    });
  const secret = newLinkSecret();
  const createdAt = clock.now();
  const expiresAt = createdAt + ADMIN_LINK_MS;
  await store.openAdminLink({ hash: hashOfLink(secret), org, who, createdAt, expiresAt });
  const url = `${origin}${SIGN_IN_PATH}?link=${secret}`;
  const shown = services.findLast((each) => each?.tls)?.tls?.names ?? (await namesIn(tlsFiles));
  return {
    url,
    expiresAt,
    isServiceRunning: services.length > 0,
    certificateOf:
      isOurTls(config, origin) && shown && !isNamed(new URL(origin).hostname, shown) ? shown : null,
  };
}

/** Before a proxy stands the proxy's own certificate. */
function isOurTls(config: Config, origin: string): boolean {
  return config["serve.admin_url"] === "" && origin.startsWith("https:");
}

/** Null where there is none, or none that can be read. */
async function namesIn(tlsFiles: () => TlsFiles | null): Promise<string | null> {
  try {
    const files = tlsFiles();
    return files && (await import("../../shared/tls-pair.ts")).readTlsPair(files).names;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return null;
  }
}

/** `names`: as "api.example.com, *.example.org, 127.0.0.1". */
export function isNamed(host: string, names: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  const above = bare.replace(/^[^.]+/, "*");
  return names
    .toLowerCase()
    .split(", ")
    .some((name) => name === bare || (name === above && isIP(bare) === 0));
}

/**
 * Where browsers reach the page: `serve.admin_url`, else the listener's own address. `address`: where a service that runs
 * listens, null where it does not; undefined where none runs. Null where there is no page.
 */
export function adminOrigin(config: Config, address: string | null | undefined): string | null {
  const url = config["serve.admin_url"];
  if (url !== "") return checkBaseUrl(url, "serve.admin_url").origin;
  const listens = address === undefined ? config["serve.admin_listen"] : address;
  if (listens === null || listens === "none") return null;
  const scheme = config["serve.tls_cert"] === "" ? "http" : "https";
  return new URL(`${scheme}://${listens.replace(/^(0\.0\.0\.0|\[::\])(?=:)/, "localhost")}`).origin;
}
