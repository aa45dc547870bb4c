import type { Connection } from "../core/connection.ts";
import type { HeldCause } from "../core/push.ts";
import type { DeliverContext } from "./deliver.ts";

/**
 * Says on the connection what holds results back and what to type; what stands there already comes first. A consent
 * given while the vendor's answer was on its way is the cure already.
 */
export async function tellWhyHeld(
  { store, clock, destination }: Pick<DeliverContext, "store" | "clock" | "destination">,
  connection: Connection,
  { cause, detail }: { cause: HeldCause; detail: string | null },
): Promise<void> {
  const now = (await store.connections(connection.org)).find(({ id }) => id === connection.id);
  if (cause === "scope" && now?.connectedAt !== connection.connectedAt) {
    await store.release(connection.id, ["scope"], clock.now());
    return;
  }
  const banner = bannerFor(cause, {
    ...connection,
    label: destination.label,
    detail: detail || "that we fill",
  });
  if (banner === null || now?.banner !== null) return;
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
