import type { Connection } from "../core/connection.ts";
import type { HeldCause } from "../core/push.ts";
import type { Destination } from "../vendors/contract.ts";
import type { DeliverContext } from "./deliver.ts";
import { resyncCommand } from "./resync-command.ts";

/**
 * Says on the connection what holds results back and what to type; what stands there already comes first. The cure
 * may have come while the vendor's answer was on its way: a consent releases now, and a resync left nothing held.
 */
export async function tellWhyHeld(
  { store, clock, destination }: Pick<DeliverContext, "store" | "clock" | "destination">,
  connection: Connection,
  { cause, detail }: { cause: HeldCause; detail: string | null },
): Promise<void> {
  const { connections } = await store.overview(connection.org, clock.now());
  const now = connections.find((each) => each.connection.id === connection.id);
  if (!now || now.pushes.held === 0) return;
  if (cause === "scope" && now.connection.connectedAt !== connection.connectedAt) {
    await store.release(connection.id, ["scope"], clock.now());
    return;
  }
  const banner = bannerFor(cause, { connection, destination, detail: detail || "that we fill" });
  if (banner === null || now.connection.banner !== null) return;
  await store.saveConnection({ ...connection, subject: destination.subject }, { banner });
}

function bannerFor(
  cause: HeldCause,
  {
    connection: { org, vendor, environment },
    destination: { label, fieldWords, commonErrors },
    detail,
  }: { connection: Connection; destination: Destination; detail: string },
): string | null {
  const results = "results that need it wait";
  const place = `--org ${org}${environment === "sandbox" ? " --sandbox" : ""}`;
  switch (cause) {
    case "property":
      return `${label} has no ${fieldWords[0]} ${detail}; ${results}. Run: jc-integrations ${resyncCommand(vendor)} ${place}`;
    case "scope": {
      const guide = commonErrors ? `${commonErrors.scope.title}: ` : "";
      return `${guide}${label} wants a scope that was not granted (${detail}); ${results}. Check the integration's scopes in ${label}, then run: jc-integrations connect ${vendor} ${place}`;
    }
    case "reconnect":
    case "vault":
    case "disconnected":
      return null;
  }
}
