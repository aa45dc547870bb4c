import type { Connection, Environment } from "../../core/connection.ts";
import { DEFAULT_VENDOR } from "../../core/default-vendor.ts";
import type { Config } from "../../shared/config.ts";
import { settingsOf } from "../../shared/vendor-settings.ts";
import type { Overview, Store } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import { connectionStatus } from "./connection-status.ts";

/** Many orgs at a glance: a line for each account, as `status` shows it for one. */
export interface RowsContext {
  store: Pick<Store, "overview" | "connections">;
  config: Config;
  vendors: readonly VendorDeclaration[];
}

export type IntegrationRow = ReturnType<typeof connectionStatus> & {
  isAts: boolean;
  connection: Connection | null;
};

export interface OrgRows {
  org: string;
  invites: number;
  rows: IntegrationRow[];
}

/**
 * Costs as much as these orgs have, whatever else the log holds. A service runs, since it asks. `isPrivate`: nothing is said
 * of any other org, as that it has the same account.
 */
export async function integrationRows(
  { store, config, vendors }: RowsContext,
  orgs: readonly string[],
  { now, isPrivate }: { now: number; isPrivate: boolean },
): Promise<OrgRows[]> {
  const known = await store.connections();
  const overviews = await Promise.all(orgs.map((org) => store.overview(org, now)));
  return orgs.map((org, index) => {
    const overview = overviews[index];
    if (!overview) throw new Error("an org has no overview");
    const rows = placesIn(overview, { config, vendors, org }).map(
      ({ vendor, environment }): IntegrationRow => {
        const isIt = (each: { vendor: string; environment: Environment }) =>
          each.vendor === vendor && each.environment === environment;
        const found = overview.connections.find(({ connection }) => isIt(connection));
        const open = overview.consents.find(isIt);
        const link = open && isPrivate ? { ...open, refusal: null } : open;
        const all = isPrivate ? known.filter((each) => each.org === org) : known;
        const moment = { now, isServed: true, all };
        const status = connectionStatus(vendor, {
          ...moment,
          org,
          environment,
          config,
          declared: vendors,
          found,
          link,
        });
        const isAts = vendors.find((each) => each.vendor === vendor)?.destination?.isAts ?? false;
        return { ...status, isAts, connection: found?.connection ?? null };
      },
    );
    return { org, invites: overview.invites, rows };
  });
}

interface Place {
  vendor: string;
  environment: Environment;
}

/** What the org has or may have: HubSpot, what it has an app of, what it ever was connected to. A sandbox that was begun. */
function placesIn(
  { connections, consents }: Overview,
  { config, vendors, org }: { config: Config; vendors: readonly VendorDeclaration[]; org: string },
): Place[] {
  const known: Place[] = [...connections.map(({ connection }) => connection), ...consents];
  const isIn = (vendor: string, environment: Environment) =>
    known.some((each) => each.vendor === vendor && each.environment === environment);
  const destinations = vendors.filter(({ destination }) => destination !== undefined);
  return destinations.flatMap((declared) => {
    const { vendor } = declared;
    const production = { org, environment: "production" } as const;
    const isSetUp = Boolean(settingsOf(config, declared, production).client_id);
    const isShown = vendor === DEFAULT_VENDOR || isSetUp || isIn(vendor, "production");
    return [
      ...(isShown ? [{ vendor, environment: "production" } as const] : []),
      ...(isIn(vendor, "sandbox") ? [{ vendor, environment: "sandbox" } as const] : []),
    ];
  });
}
