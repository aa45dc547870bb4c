import { leftOverError } from "../../core/advice/left-over.ts";
import { neverSentLines } from "../../core/advice/never-sent.ts";
import { isDegraded } from "../../core/delivery/outage-record.ts";
import { HELD_CAUSES, type HeldCauses } from "../../core/push.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import { finishReleases } from "../connect/consent-release.ts";
import type { DeliverReport } from "../deliver/context.ts";
import { type DeliverOptions, deliverTo } from "../deliver/deliver.ts";
import type { JobContext, RunJob } from "./job.ts";

/** A command does not wait longer for a vendor that wants to be left in peace. */
const LONGEST_REST_MS = 60_000;

/** Delivers all that waits, its time come or not, to all connections at once. */
export const retry: RunJob = async (context, signal) => {
  const { clock, store, tokenTrouble } = context;
  await finishReleases({ store, clock });
  const unreadable = await tokenTrouble.release(signal);
  const problems: AppError[] = unreadable ? [unreadable] : [];
  const reports = await deliverToAll(context, signal, (problem) => problems.push(problem));
  signal.throwIfAborted();
  const delivered = sumOf(reports, ({ report }) => report.delivered);
  const rejected = sumOf(reports, ({ report }) => report.rejected);
  const retried = sumOf(reports, ({ report }) => report.retried);
  const held = sumOf(reports, ({ newlyHeld }) => newlyHeld);
  const pending = await pendingOfAll(context);
  return {
    counts: { delivered, rejected, held, retried, pending },
    text: [
      `${delivered} delivered, ${rejected} rejected, ${held} held, ${pending} still waiting`,
      ...(delivered + rejected + held + retried + pending > 0 ? [] : await neverSentIn(context)),
    ].join("\n"),
    event: delivered + rejected + held > 0 ? "delivered" : null,
    problem: problems[0] ?? (await leftOver(context, rejected, reports)),
  };
};

/** As counted last: what was never sent is nothing that waits. */
async function neverSentIn({ store, destination }: JobContext): Promise<string[]> {
  const connections = (await store.connections()).filter(
    ({ state, environment, unsent = 0 }) =>
      state === "connected" && environment === "production" && unsent > 0,
  );
  return neverSentLines(
    await Promise.all(
      connections.map(async (connection) => ({
        connection,
        label: (await destination(connection)).label,
        n: connection.unsent ?? 0,
      })),
    ),
  );
}

interface Delivered {
  connectionId: number;
  report: DeliverReport;
  /** A connection that must reconnect holds all at once, beyond what was tried. */
  newlyHeld: number;
}

async function deliverToAll(
  context: JobContext,
  signal: AbortSignal,
  onProblem: (problem: AppError) => void,
): Promise<Delivered[]> {
  const { clock, store } = context;
  const due = await store.dueWork(clock.now());
  const ended = await Promise.allSettled(
    due.map(async ({ connectionId }) => {
      const before = await heldFor(store, connectionId);
      const options = { connectionId, stop: signal, abort: signal, insists: true, onProblem };
      const report = await deliverPatiently(context, options);
      return { connectionId, report, newlyHeld: grownBy(before, await heldFor(store, connectionId)) };
    }),
  );
  // No delivery is left running behind the first that failed.
  return ended.map((each) => {
    if (each.status === "rejected") throw each.reason;
    return each.value;
  });
}

/** Goes on after a vendor's "not now" where the vendor's own time for it is near, as after a burst of 429s. */
async function deliverPatiently(context: JobContext, options: DeliverOptions): Promise<DeliverReport> {
  const { clock, store } = context;
  const { connectionId, stop } = options;
  const total = { delivered: 0, rejected: 0, held: 0, retried: 0 };
  for (;;) {
    await store.release(connectionId, { putOff: true }, clock.now());
    const report = await deliverTo(context, store, options);
    for (const name of ["delivered", "rejected", "held", "retried"] as const) total[name] += report[name];
    const outage = (await store.connection(connectionId))?.outage ?? null;
    const restMs = (outage?.notBefore ?? 0) - clock.now();
    if (restMs <= 0 || restMs > LONGEST_REST_MS || isDegraded(outage)) return { ...report, ...total };
    await clock.sleep(restMs, stop);
  }
}

/** Also what was held before: who types this again shall not read that all is well. To disconnect was somebody's wish. */
async function leftOver(
  { store, clock }: JobContext,
  rejected: number,
  reports: readonly Delivered[],
): Promise<AppError | null> {
  const tried = reports.filter(({ report }) => report.retried > 0).map(({ connectionId }) => connectionId);
  const waiting = (await store.dueWork(clock.now())).map(({ connectionId }) => connectionId);
  const connections = await store.connections();
  const resting = connections.filter(
    ({ id, outage }) => waiting.includes(id) && (outage || tried.includes(id)),
  );
  const held = await Promise.all(
    connections.map(async (connection) => {
      const { disconnected: _, ...causes } = await heldFor(store, connection.id);
      return { connection, causes };
    }),
  );
  return leftOverError({ rejected, held, resting });
}

/** Whatever they wait for. */
async function pendingOfAll({ store, clock }: { store: Store; clock: JobContext["clock"] }): Promise<number> {
  const { connections } = await store.overview(null, clock.now());
  return sumOf(connections, ({ pushes }) => pushes.pending);
}

async function heldFor(store: Pick<Store, "countPushes">, connectionId: number): Promise<HeldCauses> {
  return (await store.countPushes({ pushes: { connectionId } }, { causes: true })).heldFor;
}

function grownBy(before: HeldCauses, after: HeldCauses): number {
  return sumOf(HELD_CAUSES, (cause) => Math.max(0, (after[cause] ?? 0) - (before[cause] ?? 0)));
}

function sumOf<T>(items: readonly T[], numberOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + numberOf(item), 0);
}
