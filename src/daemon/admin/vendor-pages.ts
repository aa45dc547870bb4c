import { ADMIN_HOME } from "../../core/admin.ts";
import type { ConnectionName } from "../../core/connection.ts";
import type { Config } from "../../shared/config.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import type { PagesContext } from "./context.ts";

/** The road of one invite. */
export function candidateUrl(org: string, invitationId: string): string {
  return `${ADMIN_HOME}/candidate?${new URLSearchParams({ org, invite: invitationId })}`;
}

/** Vendors as the admin page knows them: those that results go to. */
export function destinationsIn(vendors: readonly VendorDeclaration[]): readonly VendorDeclaration[] {
  return vendors.filter(({ destination }) => destination !== undefined);
}

export function logsOf(vendors: readonly VendorDeclaration[]) {
  return destinationsIn(vendors).map(({ vendor, label }) => ({ vendor, label }));
}

/** Plain http that a consent may lead to, as an emulator's: a browser holds also redirects against a page's policy. */
export async function loginOrigins(
  { vendors, destination }: Pick<PagesContext, "vendors" | "destination">,
  config: Config,
): Promise<string[]> {
  const of = { org: config.org, environment: "production" } as const;
  const opened = await Promise.all(
    destinationsIn(vendors).map(({ vendor }) => destination({ ...of, vendor })),
  );
  const urls = [config["serve.public_url"], ...opened.map(({ authorization }) => authorization.authorizeUrl)];
  const plain = urls.filter((url) => url.startsWith("http:")).map((url) => new URL(url).origin);
  return [...new Set(plain)];
}

/** The account that a form or an address names, for an admin who may see that org; null for anything else. */
export function placeIn(
  fields: URLSearchParams,
  vendors: readonly VendorDeclaration[],
): ConnectionName | null {
  const [org, vendor, environment = "production"] = ["org", "vendor", "environment"].map(
    (name) => fields.get(name) ?? undefined,
  );
  const isKnown = destinationsIn(vendors).some((each) => each.vendor === vendor);
  if (org === undefined || vendor === undefined || !isKnown) return null;
  return environment === "production" || environment === "sandbox" ? { org, vendor, environment } : null;
}
