/** Which accounts of an org `status` shows, and each one's line. */
import { DEFAULT_VENDOR } from "../../core/default-vendor.ts";
import type { Environment } from "../../core/connection.ts";
import type { Config } from "../../shared/config.ts";
import { settingsOf } from "../../shared/vendor-settings.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import { connectionStatus, wordsOf } from "./connection-status.ts";
import type { FoundInLog } from "./found-in-log.ts";
import { type LookAtItem, unreadTokens } from "../watch/unread-tokens.ts";

export interface ShowContext {
  config: Config;
  vendors: readonly VendorDeclaration[];
  lookAtItem: LookAtItem;
}

export interface ShownPlace {
  org: string;
  environment: Environment;
  now: number;
}

type Found = Pick<FoundInLog, "overview" | "known" | "all" | "services" | "askedBy">;

export async function shownConnections(
  { config, vendors: declared, lookAtItem }: ShowContext,
  place: ShownPlace,
  { overview, known, all, services, askedBy }: Found,
) {
  const { environment } = place;
  const isServed = services.length > 0;
  const links = new Map(
    overview.consents.filter((link) => link.environment === environment).map((link) => [link.vendor, link]),
  );
  const vendors = new Set([
    DEFAULT_VENDOR,
    ...vendorsSetUp(config, declared, place).map(({ vendor }) => vendor),
    ...known.map(({ connection }) => connection.vendor),
    ...links.keys(),
  ]);
  const shown = async (vendor: string) => {
    const found = known.find(({ connection }) => connection.vendor === vendor);
    const { label } = wordsOf(vendor, declared);
    const unread = (found && (await unreadTokens(lookAtItem, found.connection, { label, isServed }))) ?? null;
    const link = links.get(vendor);
    // Of a sandbox nobody has results: who asks about it wants it.
    const isAwaited = vendor === DEFAULT_VENDOR || environment === "sandbox" || askedBy.includes(vendor);
    return {
      ...connectionStatus(vendor, { ...place, isServed, all, config, declared, found, link, unread }),
      /** Does somebody miss it while it is not connected? Not where it is configured and no more. */
      isExpected: isAwaited || found !== undefined || link !== undefined,
    };
  };
  return await Promise.all([...vendors].map(shown));
}

/** One that results go to is shown before it was ever connected where the org has an app there. */
export function vendorsSetUp(
  config: Config,
  declared: readonly VendorDeclaration[],
  of: Pick<ShownPlace, "org" | "environment">,
): readonly VendorDeclaration[] {
  return declared.filter(
    (vendor) => vendor.destination !== undefined && Boolean(settingsOf(config, vendor, of).client_id),
  );
}
