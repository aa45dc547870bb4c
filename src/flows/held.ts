import type { Connection } from "../core/connection.ts";
import type { HeldCause } from "../core/push.ts";
import type { DeliverContext } from "./deliver.ts";

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
  const banner = bannerFor(cause, {
    ...connection,
    label: destination.label,
    detail: detail || "that we fill",
  });
  if (banner === null || now.connection.banner !== null) return;
  await store.saveConnection({ ...connection, subject: destination.subject }, { banner });
}

function bannerFor(
  cause: HeldCause,
  { label, vendor, org, detail }: Pick<Connection, "vendor" | "org"> & { label: string; detail: string },
): string | null {
  const results = "results that need it wait";
  switch (cause) {
    case "property":
      return `${label} has no property ${detail}; ${results}. Run: jc-integrations resync-properties --org ${org}`;
    case "scope":
      return `${label} wants a scope that was not granted (${detail}); ${results}. Run: jc-integrations connect ${vendor} --org ${org}`;
    case "reconnect":
    case "vault":
    case "disconnected":
      return null;
  }
}
