import type { InviteHistory } from "../../store/contract/store.ts";
import type { PagesContext } from "./context.ts";

/** What a vendor holds about one subject, as it says itself. */
export type Holding =
  | { kind: "values"; values: Readonly<Record<string, string>> }
  | { kind: "nothing" }
  | { kind: "unknown"; why: string };

/** One read, in the account's own rate window. Throws `VENDOR_*` and what `token()` throws. */
export async function whatVendorHolds(
  context: PagesContext,
  { invite }: InviteHistory,
  { vendor, environment, subject, projection }: InviteHistory["pushes"][number],
): Promise<Holding> {
  const { store, abort: signal } = context;
  const connection = await store.connection({ org: invite.org, vendor, environment });
  if (connection?.state !== "connected") return { kind: "unknown", why: "it is not connected" };
  const destination = await context.destination(connection);
  const access = await context.access(connection, { store, signal });
  const fields = [...new Set([...Object.keys(projection ?? {}), ...(connection.knownFields ?? [])])];
  if (destination.trial) {
    const values = await destination.trial.read(access, { subject, fields });
    return values === null ? { kind: "nothing" } : { kind: "values", values };
  }
  const candidateId = invite.origin?.candidateId;
  if (!destination.ats || candidateId === undefined)
    return { kind: "unknown", why: "it tells nobody what it holds" };
  const entries = await destination.ats.scorecard(access, candidateId);
  const entry = entries.find(({ assessmentId }) => assessmentId === subject);
  if (!entry) return { kind: "nothing" };
  const { title, summary, resultUrl } = entry;
  const told = {
    title,
    summary,
    resultUrl,
    ...Object.fromEntries(entry.fields.map((each) => [each.fieldId, each.value])),
  };
  return {
    kind: "values",
    values: Object.fromEntries(
      Object.entries(told).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
    ),
  };
}
