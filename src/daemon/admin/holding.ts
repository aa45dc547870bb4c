import type { InviteHistory } from "../../store/contract/store.ts";
import type { PagesContext } from "./context.ts";

/** What a vendor holds about one subject, as it says itself. */
export type Holding =
  /** By the names that we send; what a vendor does not tell of is no difference. */
  | { kind: "values"; values: Readonly<Record<string, string>>; tellsAll: boolean }
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
    return values === null ? { kind: "nothing" } : { kind: "values", values, tellsAll: true };
  }
  if (destination.ats?.values) {
    if (projection === null) return { kind: "unknown", why: "nothing was sent to it yet" };
    const values = await destination.ats.values(access, { sent: projection, fields });
    if (values === null) return { kind: "nothing" };
    // What it has never been sent and does not have is no news.
    const isShown = ([name, value]: [string, string]) => value !== "" || name in projection;
    return {
      kind: "values",
      values: Object.fromEntries(Object.entries(values).filter(isShown)),
      tellsAll: false,
    };
  }
  const candidateId = invite.origin?.candidateId;
  if (!destination.ats || candidateId === undefined)
    return { kind: "unknown", why: "it tells nobody what it holds" };
  const entries = await destination.ats.scorecard(access, candidateId);
  const entry = entries.find(({ assessmentId }) => assessmentId === subject);
  if (!entry) return { kind: "nothing" };
  const { title, summary, resultUrl } = entry;
  const sentAs = (id: string) =>
    Object.keys(projection ?? {}).find((name) => name === id || name.endsWith(`(${id})`)) ?? id;
  const fieldsThere = entry.fields.map(({ fieldId, value }) => [sentAs(fieldId), value]);
  const told: [string, string | null][] = Object.entries({
    title,
    summary,
    resultUrl,
    ...Object.fromEntries(fieldsThere),
  });
  const values = Object.fromEntries(
    told.filter(([, value]) => value !== null).map(([name, value]) => [name, value ?? ""]),
  );
  return { kind: "values", values, tellsAll: false };
}
