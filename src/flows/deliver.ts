import type { Connection } from "../core/connection.ts";
import type { MappingWarning, Projection } from "../core/push.ts";
import { nextTry } from "../core/retry.ts";
import type { Clock } from "../shared/clock.ts";
import { isAppError } from "../shared/errors.ts";
import type { Claim, NewAttempt, Settlement, SettleOutcome, Store } from "../store/contract.ts";
import type { Access, Answer, Destination, SendResult, Update } from "../vendors/contract.ts";

/** Brings what is due to one connection's account: claim, project, send, settle, until nothing is due. */
export interface DeliverReport {
  delivered: number;
  rejected: number;
  held: number;
  retried: number;
  /** Nothing can be delivered before this time, ms since the epoch; 0 when nothing stands in the way. */
  restUntil: number;
}

export interface DeliverContext {
  store: Pick<Store, "claim" | "settle" | "hold" | "saveConnection">;
  clock: Clock;
  destination: Destination;
  access: Access;
  random: () => number;
  retryEveryMs: number;
  /** No further batch once it aborts; `access.signal` cuts off the call under way. */
  stop: AbortSignal;
}

export async function deliver(context: DeliverContext, connection: Connection): Promise<DeliverReport> {
  const report: DeliverReport = { delivered: 0, rejected: 0, held: 0, retried: 0, restUntil: 0 };
  while (!context.stop.aborted) {
    const now = context.clock.now();
    const limit = context.destination.batchSize;
    const claims = await context.store.claim({ connectionId: connection.id, limit, now });
    if (claims.length === 0) break;
    report.restUntil = await deliverBatch(context, connection, claims, report);
    if (report.restUntil > 0) break;
  }
  return report;
}

interface Parcel {
  claim: Claim;
  projection: Projection;
  warnings: MappingWarning[];
}

/** Returns until when further batches would meet the same trouble, since the connection itself is it; 0 for none. */
async function deliverBatch(
  context: DeliverContext,
  connection: Connection,
  claims: readonly Claim[],
  report: DeliverReport,
): Promise<number> {
  const { store, clock, destination } = context;
  const parcels = claims.map(
    (claim): Parcel => ({ claim, ...destination.project(claim.invites, connection.knownFields) }),
  );
  const [full, empty] = [parcels.filter(isFull), parcels.filter((parcel) => !isFull(parcel))];
  const now = clock.now();
  await store.settle(
    empty.map(({ claim, warnings }) => ({ claim, warnings, now, outcome: { kind: "empty" } })),
  );
  if (full.length === 0) return 0;
  try {
    await send(context, full, report);
    return 0;
  } catch (error) {
    const isCutOff = context.access.signal.aborted;
    const restUntil = clock.now() + context.retryEveryMs;
    await giveBack(context, full, isCutOff ? clock.now() : restUntil);
    if (isAppError(error, "RECONNECT_NEEDED")) await markMustReconnect(context, connection);
    else if (!isCutOff && !isAppError(error)) throw error;
    return restUntil;
  }
}

function isFull({ projection }: Parcel): boolean {
  return Object.keys(projection).length > 0;
}

/** Sends a batch; halves it where the vendor refuses it whole, until the culprit stands alone. */
async function send(
  context: DeliverContext,
  parcels: readonly Parcel[],
  report: DeliverReport,
): Promise<void> {
  const updates = parcels.map(({ claim, projection }): Update => {
    return { subject: claim.subject, traceId: `${claim.pushId}-${claim.version}`, projection };
  });
  const result = await context.destination.send(context.access, updates);
  const settled: Settlement[] = [];
  const apart: Parcel[] = [];
  for (const [index, parcel] of parcels.entries()) {
    const answer = result.answers[index];
    if (!answer) throw new Error("the destination left an update without an answer");
    if (answer.kind === "split" && parcels.length > 1) apart.push(parcel);
    else settled.push(settlementOf(context, parcel, answer, result));
  }
  await context.store.settle(settled);
  countInto(report, settled);
  const half = Math.ceil(apart.length / 2);
  for (const part of [apart.slice(0, half), apart.slice(half)])
    if (part.length > 0) await send(context, part, report);
}

function settlementOf(
  context: DeliverContext,
  parcel: Parcel,
  answer: Answer,
  result: SendResult,
): Settlement {
  const { claim, projection, warnings } = parcel;
  const now = context.clock.now();
  const settle = (
    outcome: SettleOutcome,
    attempt: Pick<NewAttempt, "outcome" | "reason"> & Partial<NewAttempt>,
  ) => ({
    claim,
    warnings,
    now,
    outcome,
    attempt: {
      httpStatus: result.httpStatus,
      correlationId: result.correlationId,
      durationMs: result.durationMs,
      ...attempt,
    },
  });
  switch (answer.kind) {
    case "accepted":
      return settle({ kind: "delivered", projection }, { outcome: "delivered", reason: null });
    case "rejected":
    case "split": {
      const { rejection } = answer;
      const { correlationId, httpStatus } = rejection;
      const reason = rejection.field ? `${rejection.field}: ${rejection.message}` : rejection.message;
      return settle(
        { kind: "rejected", projection, rejection },
        { outcome: "rejected", reason, correlationId, httpStatus },
      );
    }
    case "held":
      return settle({ kind: "held", cause: answer.cause }, { outcome: "held", reason: answer.detail });
    case "retry": {
      const { notBefore, httpStatus, correlationId } = answer;
      const { random, retryEveryMs } = context;
      const dueAt = nextTry({ tries: claim.tries + 1, now, notBefore, random, retryEveryMs });
      return settle(
        { kind: "pending", dueAt, counted: true },
        { outcome: "retry", reason: answer.reason, httpStatus, correlationId },
      );
    }
  }
}

function countInto(report: DeliverReport, settled: readonly Settlement[]): void {
  for (const { outcome } of settled) {
    if (outcome.kind === "delivered") report.delivered += 1;
    else if (outcome.kind === "rejected") report.rejected += 1;
    else if (outcome.kind === "held") report.held += 1;
    else report.retried += 1;
  }
}

/** What was not sent, or may not have been, waits without having spent a try. */
async function giveBack(
  { store, clock }: DeliverContext,
  parcels: readonly Parcel[],
  dueAt: number,
): Promise<void> {
  const now = clock.now();
  await store.settle(
    parcels.map(({ claim }) => ({ claim, now, outcome: { kind: "pending", dueAt, counted: false } })),
  );
}

async function markMustReconnect(
  { store, destination }: DeliverContext,
  connection: Connection,
): Promise<void> {
  await store.saveConnection(
    { ...connection, subject: destination.subject },
    {
      state: "must_reconnect",
      banner: `must reconnect: ${destination.label} no longer accepts our tokens. Run: jc-integrations connect ${connection.vendor} --org ${connection.org}`,
    },
  );
  await store.hold(connection.id, "reconnect");
}
