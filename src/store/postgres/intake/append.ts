import type { NewEvent } from "../../../core/event.ts";
import { AppError, isAppError } from "../../../shared/errors.ts";
import type { AppendResult } from "../../contract/store.ts";
import { countRefused, erasedOrgs } from "../rows/erasures.ts";
import type { Db, Sql, Tx } from "../../../postgres/sql.ts";
import { type Batch, openBatch } from "./batch.ts";
import { arrive, ask, matchWaiting } from "./confirmations.ts";
import { blind, createGuesses, type Guesses } from "./guess.ts";
import { aboutEvents, readStanding, type Standing } from "./standing.ts";
import { guessingStatement } from "./write.ts";

/** In one transaction; what waits meanwhile goes together in the next. */
const MOST_EVENTS = 256;
/** What waits for a commit is bounded; beyond it `append` refuses at once and the sender tries again. */
const MOST_WAITING_EVENTS = 20_000;

interface Waiting {
  events: readonly NewEvent[];
  resolve(results: AppendResult[]): void;
  reject(error: unknown): void;
}

/** The intake: all callers' events that wait share a transaction. */
export function createAppend(db: Db): (events: readonly NewEvent[]) => Promise<AppendResult[]> {
  const guesses = createGuesses(aboutEvents);
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
        { db, guesses },
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
    // What came in this turn of the event loop goes together: a commit costs as much for one as for many.
    await new Promise(setImmediate);
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

interface Intake {
  db: Db;
  guesses: Guesses;
}

/** Where one event fails, each half is stored by itself, down to the one that fails alone. */
async function appendAll(intake: Intake, events: readonly NewEvent[]): Promise<AppendResult[]> {
  try {
    return (await appendGuessed(intake, events)) ?? (await appendTogether(intake, events));
  } catch (error) {
    // Trouble of the store is everybody's, and nobody may be told that they are stored.
    if (isAppError(error)) throw error;
    if (events.length === 1) return [{ outcome: "failed", conflict: false }];
  }
  const half = Math.ceil(events.length / 2);
  return [
    ...(await appendAll(intake, events.slice(0, half))),
    ...(await appendAll(intake, events.slice(half))),
  ];
}

/** In one round trip; null, and nothing is written, where what is known of these must be read first. */
async function appendGuessed(
  { db, guesses }: Intake,
  events: readonly NewEvent[],
): Promise<AppendResult[] | null> {
  const standing = guesses.standing(events);
  if (standing === null) return null;
  const mustRead = new Error("this must be read about");
  const tx = blind(mustRead);
  const batch = openBatch(tx, standing);
  try {
    const { results, counts } = await foldAll({ tx, batch, standing, refused: new Map() }, events);
    const { text, values } = guessingStatement(batch.rest(counts), standing.about, standing.destinations);
    const answer = await db.write(
      { orgs: standing.about.orgs },
      (under) => under.last<{ is_written: boolean }>(text, values),
      { atOnce: true },
    );
    if (answer?.is_written) return results;
  } catch (error) {
    if (error !== mustRead) throw error;
  }
  guesses.missed();
  return null;
}

function appendTogether({ db, guesses }: Intake, events: readonly NewEvent[]): Promise<AppendResult[]> {
  const about = aboutEvents(events);
  const work = async (tx: Tx) => {
    const standing = await readStanding(tx, about);
    const batch = openBatch(tx, standing);
    const refused = standing.hasErasures ? await refusedOf(tx, events) : new Map<NewEvent, string | null>();
    const { results, counts } = await foldAll({ tx, batch, standing, refused }, events);
    await batch.finish(counts);
    guesses.read(about, standing);
    return results;
  };
  return db.write({ orgs: about.orgs }, work, { atOnce: true });
}

interface Folding {
  tx: Tx;
  batch: Batch;
  standing: Standing;
  /** Those that are not taken: of whom (the org), or null where nobody can tell. */
  refused: ReadonlyMap<NewEvent, string | null>;
}

/** All but what the batch still holds is written. */
async function foldAll(
  { tx, batch, standing, refused }: Folding,
  events: readonly NewEvent[],
): Promise<{ results: AppendResult[]; counts: Record<string, number> }> {
  const bodies = bodiesOf(standing);
  const hasUnmatched = standing.hasUnmatched || events.some(({ confirmation }) => confirmation);
  const counts = { events: 0, ignored: 0, conflicts: 0 };
  const results: AppendResult[] = [];

  for (const event of events) {
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
    const invite = snapshot && (await batch.fold(event, snapshot));
    if ((snapshot && invite === null) || isOfRemoved({ batch, standing }, event)) {
      results.push({ outcome: "known", conflict: false });
      continue;
    }
    const seq = batch.store(event, { conflict, inviteId: invite?.id ?? null });
    bodies.set(identityOf(event), [...known, event.bodyHash]);
    counts.events += 1;
    if (!snapshot && !confirmation && !asks) counts.ignored += 1;
    if (conflict) counts.conflicts += 1;
    results.push({ outcome: "stored", conflict });
    if (confirmation) await arrive({ tx, batch }, seq, confirmation, event.receivedAt);
    if (asks) {
      await batch.flush();
      await ask(tx, seq, asks, event.receivedAt);
    }
    if (snapshot && invite && hasUnmatched)
      await matchWaiting({ tx, batch }, invite.id, snapshot, event.receivedAt);
  }
  return { results, counts };
}

/** Is it a vendor's late word on an invite that was removed for its age? */
function isOfRemoved(
  { batch, standing }: { batch: Batch; standing: Standing },
  { confirmation }: NewEvent,
): boolean {
  if (!confirmation?.invitationId) return false;
  const { org, invitationId } = confirmation;
  return !batch.hasInvite(org, invitationId) && standing.tombstone(org, invitationId) !== null;
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
function bodiesOf(standing: Standing): Map<string, string[]> {
  const bodies = new Map<string, string[]>();
  for (const [source, eventId, hash] of standing.bodies) {
    const key = identityOf({ source, eventId });
    bodies.set(key, [...(bodies.get(key) ?? []), hash]);
  }
  return bodies;
}
