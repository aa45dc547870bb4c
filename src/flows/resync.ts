import type { Connection } from "../core/connection.ts";
import type { Clock } from "../shared/clock.ts";
import type { Store } from "../store/contract.ts";
import type { Access, Destination, FieldPlan, FieldReport } from "../vendors/contract.ts";

/** The idempotent bootstrap of the fields that results rest in: look, create what is missing, never overwrite. */
export type ResyncContext = {
  store: Pick<Store, "saveConnection" | "subjects" | "raise" | "release">;
  clock: Pick<Clock, "now">;
  destination: Destination;
  access: Access;
};

const SUBJECTS_PER_PAGE = 500;

export function planResync({
  destination,
  access,
}: Pick<ResyncContext, "destination" | "access">): Promise<FieldPlan> {
  return destination.planFields(access);
}

/** Applies the plan, remembers which fields exist, and makes due what waited for them. */
export async function resync(
  context: ResyncContext,
  connection: Connection,
  plan: FieldPlan,
): Promise<FieldReport & { due: number }> {
  const { store, clock, destination, access } = context;
  const report = await destination.applyFields(access, plan);
  const changed = await store.saveConnection(
    { ...connection, subject: destination.subject },
    { knownFields: report.known, banner: bannerFor(report) },
  );
  const released = await store.release(connection.id, ["property"], clock.now());
  const raised = report.created.length > 0 ? await raiseHoldersOf(context, changed, report.created) : 0;
  return { ...report, due: released + raised };
}

function bannerFor({ overQuota }: FieldReport): string | null {
  if (overQuota.length === 0) return null;
  return `the portal has no room for ${overQuota.join(", ")}: free custom properties there, then run jc-integrations resync-properties`;
}

/** A field just created is empty in the portal: contacts that were told a value for it must be told again. */
async function raiseHoldersOf(
  { store, clock, destination }: ResyncContext,
  connection: Connection,
  created: readonly string[],
): Promise<number> {
  let raised = 0;
  let after: string | null = "";
  while (after !== null) {
    const page = await store.subjects({ connectionId: connection.id, after, limit: SUBJECTS_PER_PAGE });
    const holders = page.subjects.filter(({ invites, push }) => {
      if (!push || push.state === "pending" || push.state === "held") return false;
      const { projection } = destination.project(invites, connection.knownFields);
      return created.some((field) => field in projection);
    });
    raised += await store.raise(
      connection.id,
      holders.map(({ subject }) => subject),
      clock.now(),
    );
    after = page.next;
  }
  return raised;
}
