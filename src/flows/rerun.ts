import type { Connection } from "../core/connection.ts";
import { isDegraded } from "../core/outage.ts";
import { AppError } from "../shared/errors.ts";
import type { NewRun, RunCounts, SelectionPage, Standing, Store } from "../store/contract.ts";
import { deliverTo, type Vendors } from "./deliver-all.ts";

/** What `replay` and `backfill` share: count, queue in pages, and see it through. */
export interface Selection {
  connection: Connection;
  /** How many there are, and how many of them stay where they are. */
  counts: { matched: number; skipped: number };
  page(after: string | null, limit: number): Promise<SelectionPage>;
}

export interface RerunOptions {
  run: Omit<NewRun, "now">;
  /** At most so many are queued. */
  limit: number | null;
  /** At most so many a second are queued. */
  perSecond: number | null;
  /** Queue and return: a service, or a later run, delivers. */
  detach: boolean;
  signal: AbortSignal;
  onQueued(queued: number): void;
  onStanding(standing: Standing, queued: number, note: string): void;
}

export interface RerunReport extends RunCounts {
  held: number;
  pending: number;
}

const PAGE = 1_000;
const LOOK_EVERY_MS = 500;

/**
 * Makes the selected pushes due, then watches a living service deliver them, or delivers them itself where none
 * lives. Cut off at any point it can be started again with the same end: what was queued stays queued.
 */
export async function rerun(
  vendors: Vendors,
  store: Store,
  selections: readonly Selection[],
  options: RerunOptions,
): Promise<RerunReport> {
  const runId = await store.startRun({ ...options.run, now: vendors.clock.now() });
  const matched = selections.reduce((total, { counts }) => total + counts.matched, 0);
  const skipped = selections.reduce((total, { counts }) => total + counts.skipped, 0);
  const queued = await queueAll(vendors, store, selections, { ...options, runId });
  const report = ({ delivered, rejected, held, pending }: Standing): RerunReport => {
    return { matched, queued, skipped, delivered, rejected, held, pending };
  };
  let last = report({ pending: queued, delivered: 0, rejected: 0, held: 0 });
  await store.noteRun(runId, last, null);
  if (!options.detach) {
    const connections = selections.map(({ connection }) => connection);
    last = report(await seeThrough(vendors, store, { ...options, connections, runId, queued }));
  }
  await store.noteRun(runId, last, vendors.clock.now());
  return last;
}

async function queueAll(
  { clock }: Vendors,
  store: Store,
  selections: readonly Selection[],
  { runId, limit, perSecond, signal, onQueued }: RerunOptions & { runId: number },
): Promise<number> {
  const most = limit ?? Number.POSITIVE_INFINITY;
  const pageSize = Math.min(PAGE, perSecond ?? PAGE);
  let queued = 0;
  for (const { connection, page } of selections) {
    let after: string | null = null;
    do {
      signal.throwIfAborted();
      const startedAt = clock.now();
      const { subjects, next }: SelectionPage = await page(after, Math.min(pageSize, most - queued));
      queued += await store.raise(connection.id, subjects, startedAt, runId);
      onQueued(queued);
      after = queued < most ? next : null;
      if (perSecond !== null && after !== null) {
        const waitMs = (subjects.length / perSecond) * 1_000 - (clock.now() - startedAt);
        if (waitMs > 0) await clock.sleep(waitMs, signal);
      }
    } while (after !== null);
  }
  return queued;
}

interface Watch extends RerunOptions {
  connections: readonly Connection[];
  runId: number;
  queued: number;
}

async function seeThrough(vendors: Vendors, store: Store, watch: Watch): Promise<Standing> {
  const { runId, queued, signal, onStanding } = watch;
  for (;;) {
    signal.throwIfAborted();
    const standing = await store.standing(runId);
    const isServed = (await store.runningServices()) > 0;
    onStanding(standing, queued, isServed ? "" : "no service runs: delivering from here");
    if (standing.pending === 0) return standing;
    if (isServed) await vendors.clock.sleep(LOOK_EVERY_MS, signal);
    else await deliverFromHere(vendors, store, watch);
  }
}

/** Delivers what is due, while showing how it goes. Throws `VENDOR_UNAVAILABLE` when a vendor's six tries are spent. */
async function deliverFromHere(
  vendors: Vendors,
  store: Store,
  { connections, runId, queued, signal, onStanding }: Watch,
): Promise<void> {
  const { clock } = vendors;
  const done = new AbortController();
  const showing = (async () => {
    while (!done.signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, done.signal);
      onStanding(await store.standing(runId), queued, "no service runs: delivering from here");
    }
  })().catch((error: unknown) => {
    if (!done.signal.aborted) throw error;
  });
  let restUntil = 0;
  try {
    for (const { id } of connections) {
      const report = await deliverTo(vendors, store, { connectionId: id, stop: signal, abort: signal });
      restUntil = Math.max(restUntil, report.restUntil);
    }
  } finally {
    done.abort();
    await showing;
  }
  const failing = (await store.connections()).find(
    ({ id, outage }) => isDegraded(outage) && connections.some((one) => one.id === id),
  );
  if (failing) {
    throw new AppError(
      "VENDOR_UNAVAILABLE",
      `${failing.vendor} does not take anything at the moment; what is queued stays queued`,
      {
        hint: "Start serve, which goes on by itself, or run this again later.",
      },
    );
  }
  const waitMs = Math.min(restUntil - clock.now(), 60_000);
  await clock.sleep(Math.max(waitMs, restUntil > 0 ? 0 : 20), signal);
}

/** The connections a command means: the org's production accounts, or the one vendor's. Throws `RECONNECT_NEEDED` for none. */
export async function connectionsOf(
  store: Store,
  org: string,
  vendor: string | undefined,
): Promise<Connection[]> {
  const found = (await store.connections(org)).filter(
    (known) =>
      known.environment === "production" &&
      known.account !== null &&
      (vendor === undefined || known.vendor === vendor),
  );
  if (found.length > 0) return found;
  throw new AppError("RECONNECT_NEEDED", `${org} has no connection to deliver to`, {
    hint: `jc-integrations connect ${vendor ?? "hubspot"} --org ${org}`,
  });
}
