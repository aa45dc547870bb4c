import type { Connection, ConnectionName } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Destination, FieldPlan, FieldReport } from "../../vendors/contract/destination.ts";
import type { Access } from "../../vendors/contract/access.ts";
import { resyncCommand } from "../../core/advice/command-lines.ts";
import { missingScopeWords } from "../../core/advice/missing-scopes.ts";

/** The idempotent bootstrap of the fields that results rest in: look, create what is missing, never overwrite. */
export type ResyncContext = {
  store: Pick<Store, "saveConnection" | "subjects" | "raise" | "release" | "connection" | "mark">;
  clock: Pick<Clock, "now">;
  destination: Destination;
  access: Access;
};

const SUBJECTS_PER_PAGE = 500;

export function planResync(
  { destination, access }: Pick<ResyncContext, "destination" | "access">,
  { leftOut = [] }: Pick<Connection, "leftOut">,
): Promise<FieldPlan> {
  return destination.planFields(access, leftOut);
}

/**
 * Applies the plan, remembers which fields exist, and makes due what waited for them: what was held for a missing
 * field, and the contacts that have a value for one that is new. What a run created that was cut off looks old to the
 * next one, which therefore takes all fields for new.
 */
export async function resync(
  context: ResyncContext,
  connection: Connection,
  plan: FieldPlan,
): Promise<FieldReport & { due: number }> {
  const { store, clock, destination, access } = context;
  const run = await beginRun(context, connection);
  const report = await destination.applyFields(access, plan);
  const changed = await store.saveConnection(connection, {
    knownFields: report.known,
    leftOut: report.leftOut,
    ...(report.created.length > 0 ? { fieldsMadeAt: clock.now() } : {}),
  });
  const told = connection.knownFields ?? report.known;
  const isNew = (field: string) => !run.isFirst || !plan.existing.includes(field) || !told.includes(field);
  const raised = await raiseHoldersOf(context, changed, { fields: report.known.filter(isNew) });
  const released = await store.release(connection.id, { held: ["property"] }, clock.now());
  // Last: what tells of held results stays until they are free.
  const trouble = { missingScopes: connection.missingScopes, overQuota: report.overQuota };
  await store.saveConnection(connection, { banner: bannerFor(trouble, destination, connection) });
  await run.end();
  return { ...report, due: released + raised };
}

/** What stands in the operator's way, in words; null when nothing does. */
export function bannerFor(
  { missingScopes, overQuota }: { missingScopes: readonly string[]; overQuota: readonly string[] },
  destination: Pick<Destination, "commonErrors">,
  connection: ConnectionName,
): string | null {
  const scopes = missingScopeWords(missingScopes, destination, connection);
  const room = `the portal has no room for ${overQuota.join(", ")}: free custom properties there, then run: ${resyncCommand(connection)}`;
  const words = [...(scopes === null ? [] : [scopes]), ...(overQuota.length > 0 ? [room] : [])];
  return words.join("; ") || null;
}

/** Runs are counted from one end to the next: the number of one that was cut off, or is under way, is taken. */
async function beginRun(
  { store }: ResyncContext,
  { id }: Connection,
): Promise<{ isFirst: boolean; end(): Promise<unknown> }> {
  const ended = (await store.connection(id))?.marks["bootstrap ended"] ?? 0;
  const isFirst = await store.mark(id, "bootstrap begun", ended + 1);
  return { isFirst, end: () => store.mark(id, "bootstrap ended", ended + 1) };
}

/**
 * A new field is empty in the portal: contacts with a value for it must be told, also those in flight without it; at
 * most so many, where it is only to be tried. Returns how many.
 */
export async function raiseHoldersOf(
  { store, clock, destination }: Pick<ResyncContext, "store" | "clock" | "destination">,
  connection: Connection,
  { fields, most = Number.POSITIVE_INFINITY }: { fields: readonly string[]; most?: number },
): Promise<number> {
  let raised = 0;
  let after: string | null = fields.length > 0 ? "" : null;
  while (after !== null && raised < most) {
    const page = await store.subjects({ connectionId: connection.id, after, limit: SUBJECTS_PER_PAGE });
    const holders = page.subjects.filter(({ invites, push, forgotten }) => {
      if (!push || push.state === "held") return false;
      const { projection } = destination.project(invites, connection.knownFields, forgotten);
      return fields.some((field) => field in projection);
    });
    const subjects = holders.map(({ subject }) => subject).slice(0, most - raised);
    raised += await store.raise(connection.id, { subjects }, clock.now());
    after = page.next;
  }
  return raised;
}
