import type { ConnectionName } from "../core/connection.ts";

/** What to type about a connection, for hints, banners and alerts: `connect smartrecruiters --org acme`. */
export function connectCommand(of: ConnectionName): string {
  return `jc-integrations connect ${of.vendor} ${placeOf(of)}`;
}

/** Reads the account's fields again and creates what can be created. */
export function resyncCommand(of: ConnectionName): string {
  const vendor = of.vendor === "hubspot" ? "" : ` --vendor ${of.vendor}`;
  return `jc-integrations resync-properties${vendor} ${placeOf(of)}`;
}

/** Delivers what the connection was never told of. */
export function backfillCommand(of: ConnectionName): string {
  const vendor = of.vendor === "hubspot" ? "" : ` --vendor ${of.vendor}`;
  return `jc-integrations backfill${vendor} --org ${of.org}`;
}

/** Lets an applicant tracking system's webhooks reach us, or mends what keeps them away. */
export function subscribeCommand(of: ConnectionName): string {
  const vendor = of.vendor === "smartrecruiters" ? "" : ` --vendor ${of.vendor}`;
  return `jc-integrations webhooks subscribe${vendor} ${placeOf(of)}`;
}

function placeOf({ org, environment }: ConnectionName): string {
  return `--org ${org}${environment === "sandbox" ? " --sandbox" : ""}`;
}
