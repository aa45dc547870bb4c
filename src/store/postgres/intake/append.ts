import type { NewEvent } from "../../../core/event.ts";
import { AppError, isAppError } from "../../../shared/errors.ts";
import type { AppendResult } from "../../contract/store.ts";
import { countRefused, erasedOrgs } from "../rows/erasures.ts";
import type { Db, Sql } from "../server/sql.ts";
import { type Batch, openBatch } from "./batch.ts";
import { arrive, ask, matchWaiting } from "./confirmations.ts";

/** In one transaction; what waits meanwhile goes together in the next. */
const MOST_EVENTS = 256;
/** What waits for a commit is bounded; beyond it `append` refuses at once and the sender tries again. */
const MOST_WAITING_EVENTS = 20_000;

interface Waiting {
  events: readonly NewEvent[];
  resolve(results: AppendResult[]): void;
  reject(error: unknown): void;
}

/** The intake: all callers' events that wait share a transaction. Where one event fails, each of them is stored by itself. */
export function createAppend(db: Db): (events: readonly NewEvent[]) => Promise<AppendResult[]> {
  const waiting: Waiting[] = [];
  let waitingEvents = 0;
  let isUnderWay = false;

  const commitNext = async (): Promise<void> => {
    const together: Waiting[] = [];
    let n = 0;
    for (
      let next = waiting[0];
      next && (n === 0 || n + next.events.length <= MOST_EVENTS);
      next = waiting[0]
    ) {
      together.push(next);
      n += next.events.length;
      waiting.shift();
    }
    try {
      const results = await appendAll(
        db,
        together.flatMap(({ events }) => events),
      );
      for (const { events, resolve } of together) resolve(results.splice(0, events.length));
    } catch (error) {
      for (const { reject } of together) reject(error);
    } finally {
      waitingEvents -= n;
    }
  };
  const commitAll = async (): Promise<void> => {
    if (isUnderWay) return;
    isUnderWay = true;
    // What came in this turn of the event loop goes together.
    await Promise.resolve();
    while (waiting.length > 0) await commitNext();
    isUnderWay = false;
  };

  return (events) => {
    if (events.length === 0) return Promise.resolve([]);
    if (waitingEvents + events.length > MOST_WAITING_EVENTS)
      return Promise.reject(
        new AppError("STORE_UNAVAILABLE", "too many events wait to be stored", {
          hint: "Send it again in a second.",
        }),
      );
    waitingEvents += events.length;
    return new Promise((resolve, reject) => {
      waiting.push({ events, resolve, reject });
      void commitAll();
    });
  };
}

async function appendAll(db: Db, events: readonly NewEvent[]): Promise<AppendResult[]> {
  try {
    return await appendTogether(db, events);
  } catch (error) {
    // Trouble of the store is everybody's, and nobody may be told that they are stored.
    if (isAppError(error)) throw error;
  }
  const results: AppendResult[] = [];
  for (const event of events) results.push(await appendAlone(db, event));
  return results;
}

async function appendAlone(db: Db, event: NewEvent): Promise<AppendResult> {
  try {
    const [result] = await appendTogether(db, [event]);
    return result ?? { outcome: "failed", conflict: false };
  } catch (error) {
    if (isAppError(error)) throw error;
    return { outcome: "failed", conflict: false };
  }
}

function appendTogether(db: Db, events: readonly NewEvent[]): Promise<AppendResult[]> {
  const orgs = events.map(
    ({ snapshot, confirmation, asks, org }) => snapshot?.org ?? confirmation?.org ?? asks?.org ?? org ?? "",
  );
  return db.write({ orgs }, (tx) => appendIn(tx, events));
}

async function appendIn(tx: Sql, events: readonly NewEvent[]): Promise<AppendResult[]> {
  const standing = await standingOf(tx);
  const refused = standing.hasErasures ? await refusedOf(tx, events) : new Map<NewEvent, string | null>();
  const bodies = await bodiesOf(tx, events);
  let round = await openRound(tx, events);
  const results: AppendResult[] = [];
  const counts = { events: 0, ignored: 0, conflicts: 0 };

  for (const [index, event] of events.entries()) {
    const refusal = refused.get(event);
    if (refusal !== undefined) {
      results.push({ outcome: refusal === null ? "unmarked" : "erased", conflict: false });
      continue;
    }
    const known = bodies.get(identityOf(event)) ?? [];
    if (known.includes(event.bodyHash)) {
      results.push({ outcome: "known", conflict: known.length > 1 });
      continue;
    }
    const { snapshot, confirmation, asks } = event;
    const conflict = known.length > 0;
    const invite = snapshot && (await round.fold(event, snapshot));
    if ((snapshot && invite === null) || isOfRemoved(round, event)) {
      results.push({ outcome: "known", conflict: false });
      continue;
    }
    round.store(event, { conflict, invite: invite ?? null });
    bodies.set(identityOf(event), [...known, event.bodyHash]);
    counts.events += 1;
    if (!snapshot && !confirmation && !asks) counts.ignored += 1;
    if (conflict) counts.conflicts += 1;
    results.push({ outcome: "stored", conflict });
    const matches = snapshot && (standing.hasUnmatched || events.some((each) => each.confirmation));
    if (!confirmation && !asks && !matches) continue;
    // What follows looks for rows.
    const seq = (await round.flush()).at(-1);
    if (seq === undefined) throw new Error("an event vanished while it was written");
    if (confirmation) await arrive(tx, seq, confirmation, event.receivedAt);
    if (asks) await ask(tx, seq, asks, event.receivedAt);
    if (snapshot && invite?.id) await matchWaiting(tx, invite.id, snapshot, event.receivedAt);
    round = await openRound(tx, events.slice(index + 1));
  }
  await round.flush();
  await count(tx, counts);
  return results;
}

function openRound(tx: Sql, events: readonly NewEvent[]): Promise<Batch> {
  return openBatch(
    tx,
    events.flatMap(({ snapshot, confirmation }) => {
      if (snapshot) return [snapshot];
      const { org, invitationId } = confirmation ?? {};
      return org !== undefined && invitationId ? [{ org, invitationId }] : [];
    }),
  );
}

/** Is it a vendor's late word on an invite that was removed for its age? */
function isOfRemoved(round: Batch, { confirmation }: NewEvent): boolean {
  if (!confirmation?.invitationId) return false;
  const { org, invitationId } = confirmation;
  return !round.hasInvite(org, invitationId) && round.tombstone(org, invitationId) !== null;
}

async function standingOf(tx: Sql): Promise<{ hasErasures: boolean; hasUnmatched: boolean }> {
  const row = await tx.get<{ erasures: boolean; unmatched: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM jc.erasures) AS erasures,
      EXISTS (SELECT 1 FROM jc.confirmations WHERE state = 'unmatched') AS unmatched`,
  );
  return { hasErasures: row?.erasures ?? false, hasUnmatched: row?.unmatched ?? false };
}

/** Events that are not taken where somebody was erased: of whom (the org), or null where nobody can tell. */
async function refusedOf(tx: Sql, events: readonly NewEvent[]): Promise<Map<NewEvent, string | null>> {
  const orgs = await erasedOrgs(
    tx,
    events.flatMap((event) => event.marks ?? []),
  );
  const refused = new Map<NewEvent, string | null>();
  for (const event of events) {
    if (event.marks === undefined) refused.set(event, null);
    const org = event.marks?.map((mark) => orgs.get(mark)).find((each) => each !== undefined);
    if (org !== undefined) refused.set(event, org);
  }
  await countRefused(
    tx,
    [...refused].flatMap(([{ receivedAt }, org]) => (org === null ? [] : [{ org, now: receivedAt }])),
  );
  return refused;
}

function identityOf({ eventId, source }: Pick<NewEvent, "eventId" | "source">): string {
  return `${source}\0${eventId}`;
}

/** The hashes of the bodies that are here, by source and id. */
async function bodiesOf(tx: Sql, events: readonly NewEvent[]): Promise<Map<string, string[]>> {
  const rows = await tx.all<{ source: string; event_id: string; body_hash: Buffer }>(
    `SELECT DISTINCT e.source, e.event_id, e.body_hash FROM unnest($1::text[], $2::text[]) AS k (source, event_id)
      JOIN jc.events e ON e.event_id = k.event_id AND e.source = k.source`,
    [events.map(({ source }) => source), events.map(({ eventId }) => eventId)],
  );
  const bodies = new Map<string, string[]>();
  for (const { source, event_id: eventId, body_hash: hash } of rows) {
    const key = identityOf({ source, eventId });
    bodies.set(key, [...(bodies.get(key) ?? []), hash.toString("hex")]);
  }
  return bodies;
}

async function count(tx: Sql, counts: Readonly<Record<string, number>>): Promise<void> {
  const moved = Object.entries(counts).filter(([, n]) => n > 0);
  if (moved.length === 0) return;
  await tx.run("INSERT INTO jc.counter_changes SELECT * FROM unnest($1::text[], $2::bigint[])", [
    moved.map(([name]) => name),
    moved.map(([, n]) => n),
  ]);
}
