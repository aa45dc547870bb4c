import * as v from "valibot";
import type { Account } from "../../core/connection.ts";
import { type Caller, callApi } from "./api.ts";
import { fetchJson } from "./fetch-json.ts";
import { failure, verdictOf } from "./verdict.ts";

const Details = v.object({
  portalId: v.number(),
  accountType: v.fallback(v.nullable(v.string()), null),
  dataHostingLocation: v.fallback(v.nullable(v.string()), null),
  timeZone: v.fallback(v.nullable(v.string()), null),
});

/** The portal that gave consent; HubSpot tells no name for it. Throws `VENDOR_*`. */
export async function readAccount(caller: Caller): Promise<Account> {
  const { portalId, accountType, dataHostingLocation, timeZone } = await fetchJson(caller, {
    path: caller.paths.accountDetails,
    schema: Details,
    doing: "asking for the account's details",
  });
  return {
    id: String(portalId),
    name: `portal ${portalId}`,
    kind: accountType,
    region: dataHostingLocation,
    ...(timeZone === null ? {} : { timeZone }),
  };
}

/** Removes our app from the portal; its admins get an e-mail from HubSpot. Throws `VENDOR_*`. */
export async function uninstallApp(caller: Caller): Promise<void> {
  const answer = await callApi(caller, { method: "DELETE", path: caller.paths.uninstall });
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind !== "done") throw failure(caller, { verdict, answer, doing: "removing the app" });
}
