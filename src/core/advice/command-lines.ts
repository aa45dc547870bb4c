import type { ConnectionName } from "../connection.ts";
import { DEFAULT_ATS, DEFAULT_VENDOR } from "../default-vendor.ts";
import type { AttemptOutcome } from "../push.ts";

/** What to type about a connection, for hints, banners and alerts: `connect smartrecruiters --org acme`. */
export function connectCommand(of: ConnectionName): string {
  return `jc-integrations connect ${of.vendor} ${placeOf(of)}`;
}

/** Reads the account's fields again and creates what can be created. */
export function resyncCommand(of: ConnectionName): string {
  return `jc-integrations resync-properties${vendorOf(of)} ${placeOf(of)}`;
}

/** Delivers what the connection was never told of. */
export function backfillCommand(of: ConnectionName): string {
  return `jc-integrations backfill${vendorOf(of)} --org ${of.org}`;
}

/** Shows the tries that ended so, with the vendor's words. */
export function logsCommand(of: ConnectionName, outcome: AttemptOutcome): string {
  return `jc-integrations logs --outcome ${outcome}${vendorOf(of)} --org ${of.org}`;
}

/** Delivers again what was rejected, or one record by `--email <its address>`. */
export function replayCommand(of: ConnectionName, which: string): string {
  return `jc-integrations replay ${which}${vendorOf(of)} --org ${of.org} --yes`;
}

/** Delivers what is due, of all orgs; without a service nobody else does. */
export const RETRY_COMMAND = "jc-integrations run retry";

/** Lets an applicant tracking system's webhooks reach us, or mends what keeps them away. */
export function subscribeCommand(of: ConnectionName): string {
  return `jc-integrations webhooks subscribe${vendorOf(of, DEFAULT_ATS)} ${placeOf(of)}`;
}

function vendorOf({ vendor }: ConnectionName, unnamed: string = DEFAULT_VENDOR): string {
  return vendor === unnamed ? "" : ` --vendor ${vendor}`;
}

function placeOf({ org, environment }: ConnectionName): string {
  return `--org ${org}${environment === "sandbox" ? " --sandbox" : ""}`;
}
