import type { NewEvent } from "../../../core/event.ts";
import type { AppendResult } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";
import { createVersions } from "../file/versions.ts";
import { createErasures } from "../rows/erasures.ts";
import { createTombstones } from "../rows/tombstones.ts";
import { createAsk } from "./ask.ts";
import { createConfirmations } from "./confirmations.ts";
import { createFoldInvite } from "./fold-invite.ts";
import { createDestinationsOf, type DestinationRow, type Round } from "./raise.ts";

type AppendOne = (event: NewEvent, round: Round) => AppendResult;

/**
 * The intake: events, invites and pushes of all events in one transaction. Where one event fails, all is done
 * again with a savepoint around each, so that it fails alone; to have them always would cost a third of the speed.
 */
export function createAppend(db: Db): (events: readonly NewEvent[]) => AppendResult[] {
  const appendOne = createAppendOne(db);
  const together = createRound(db, appendOne);
  const apart = createRound(db, createAlone(db, appendOne));
  return (events) => {
    if (events.length === 0) return [];
    try {
      return together(events);
    } catch (error) {
      if (isTroubleOfTheStore(error)) throw error;
      return apart(events);
    }
  };
}

function createRound(db: Db, appendOne: AppendOne) {
  const count = db.prepare("UPDATE counters SET value = value + ? WHERE name = ?");
  const withVersions = createVersions(db);
  const destinationsOf = createDestinationsOf(db);
  const tombstones = createTombstones(db);
  const erasures = createErasures(db);
  const unmatched = db.prepare<[], number>("SELECT value FROM counters WHERE name = 'unmatched'").pluck();

  return transaction(db, (events: readonly NewEvent[]): AppendResult[] => {
    const results = withVersions((nextVersion) => {
      const hasUnmatched = remembering(() => (unmatched.get() ?? 0) > 0 || events.some(isConfirmation));
      const hasErasures = remembering(erasures.any);
      const shared = { hasUnmatched, hasTombstones: remembering(tombstones.any), hasErasures };
      const round = { nextVersion, destinationsOf: rememberingEach(destinationsOf), ...shared };
      return events.map((event) => appendOne(event, round));
    });
    const stored = events.filter((_, index) => results[index]?.outcome === "stored");
    const ignored = stored.filter(
      (event) => event.snapshot === null && !isConfirmation(event) && event.asks === undefined,
    );
    const conflicts = results.filter(({ outcome, conflict }) => outcome === "stored" && conflict);
    const totals = { events: stored.length, ignored: ignored.length, conflicts: conflicts.length };
    for (const [name, n] of Object.entries(totals)) if (n > 0) count.run(n, name);
    return results;
  });
}

function isConfirmation({ confirmation }: NewEvent): boolean {
  return confirmation !== undefined;
}

function remembering<Value>(read: () => Value): () => Value {
  let known: { value: Value } | null = null;
  return () => {
    known ??= { value: read() };
    return known.value;
  };
}

/** Within one transaction nobody else changes a connection. */
function rememberingEach(destinationsOf: Round["destinationsOf"]): Round["destinationsOf"] {
  const known = new Map<string, readonly DestinationRow[]>();
  return (org, environment) => {
    const key = `${environment}/${org}`;
    const destinations = known.get(key) ?? destinationsOf(org, environment);
    known.set(key, destinations);
    return destinations;
  };
}

function createAppendOne(db: Db): AppendOne {
  const bodiesOf = db
    .prepare<[string, string], Buffer>("SELECT body_hash FROM events WHERE event_id = ? AND source = ?")
    .pluck();
  const insert = db.prepare(`
    INSERT INTO events (source, event_id, body_hash, type, at, received_at, conflict, invite_id, payload)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const foldInvite = createFoldInvite(db);
  const confirmations = createConfirmations(db);
  const ask = createAsk(db);
  const isOfRemoved = createIsOfRemoved(db);
  const refusalOf = createRefusalOf(db);

  return (event, round) => {
    const refusal = round.hasErasures() ? refusalOf(event) : null;
    if (refusal !== null) return { outcome: refusal, conflict: false };
    const { source, eventId, type, at, receivedAt, payload, confirmation, asks } = event;
    const hash = Buffer.from(event.bodyHash, "hex");
    const bodies = bodiesOf.all(eventId, source);
    if (bodies.some((body) => body.equals(hash))) return { outcome: "known", conflict: bodies.length > 1 };
    const conflict = bodies.length > 0;
    const inviteId = event.snapshot && foldInvite(event.snapshot, event, round);
    if ((event.snapshot && inviteId === null) || (round.hasTombstones() && isOfRemoved(event)))
      return { outcome: "known", conflict: false };
    const row = insert.run(source, eventId, hash, type, at, receivedAt, Number(conflict), inviteId, payload);
    const seq = Number(row.lastInsertRowid);
    const moment = { now: receivedAt, round };
    if (confirmation) confirmations.arrive(seq, confirmation, moment);
    if (asks) ask(seq, asks, receivedAt);
    if (inviteId !== null && event.snapshot && round.hasUnmatched())
      confirmations.matchWaiting(inviteId, event.snapshot, moment);
    return { outcome: "stored", conflict };
  };
}

/** Why an event is not taken where somebody was erased; null for anybody else's. */
function createRefusalOf(db: Db): (event: NewEvent) => "erased" | "unmarked" | null {
  const erasures = createErasures(db);
  return ({ marks, receivedAt }) => {
    if (marks === undefined) return "unmarked";
    const org = erasures.orgOf(marks);
    if (org === null) return null;
    erasures.countRefused(org, receivedAt);
    return "erased";
  };
}

/** Is it a vendor's late word on an invite that was removed for its age? */
function createIsOfRemoved(db: Db): (event: NewEvent) => boolean {
  const invite = db.prepare<[string, string]>("SELECT 1 FROM invites WHERE org = ? AND invitation_id = ?");
  const tombstones = createTombstones(db);
  return ({ confirmation }) => {
    if (!confirmation?.invitationId) return false;
    const { org, invitationId } = confirmation;
    return invite.get(org, invitationId) === undefined && tombstones.find(org, invitationId) !== null;
  };
}

/** What fails, fails alone; but a full disk is everybody's trouble, and nobody may be told that they are stored. */
function createAlone(db: Db, appendOne: AppendOne): AppendOne {
  const inSavepoint = db.transaction(appendOne);
  return (event, round) => {
    try {
      return inSavepoint(event, round);
    } catch (error) {
      if (isTroubleOfTheStore(error)) throw error;
      return { outcome: "failed", conflict: false };
    }
  };
}

function isTroubleOfTheStore(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB|BUSY|NOMEM|PROTOCOL)/.test(String(error.code))
  );
}
