import type { NewEvent } from "../../core/event.ts";
import type { AppendResult } from "../contract.ts";
import type { Db } from "./file.ts";
import { createFoldInvite, type Round } from "./fold-invite.ts";
import { createDestinationsOf, type DestinationRow } from "./raise.ts";
import { transaction } from "./transaction.ts";
import { createVersions } from "./versions.ts";

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

  return transaction(db, (events: readonly NewEvent[]): AppendResult[] => {
    const results = withVersions((nextVersion) => {
      const round = { nextVersion, destinationsOf: remembering(destinationsOf) };
      return events.map((event) => appendOne(event, round));
    });
    const stored = events.filter((_, index) => results[index]?.outcome === "stored");
    const ignored = stored.filter((event) => event.snapshot === null);
    const conflicts = results.filter(({ outcome, conflict }) => outcome === "stored" && conflict);
    const totals = { events: stored.length, ignored: ignored.length, conflicts: conflicts.length };
    for (const [name, n] of Object.entries(totals)) if (n > 0) count.run(n, name);
    return results;
  });
}

/** Within one transaction nobody else changes a connection. */
function remembering(destinationsOf: (org: string) => DestinationRow[]): Round["destinationsOf"] {
  const known = new Map<string, DestinationRow[]>();
  return (org) => {
    const destinations = known.get(org) ?? destinationsOf(org);
    known.set(org, destinations);
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

  return (event, round) => {
    const { source, eventId, type, at, receivedAt, payload } = event;
    const hash = Buffer.from(event.bodyHash, "hex");
    const bodies = bodiesOf.all(eventId, source);
    if (bodies.some((body) => body.equals(hash))) return { outcome: "known", conflict: bodies.length > 1 };
    const conflict = bodies.length > 0;
    const inviteId = event.snapshot && foldInvite(event.snapshot, event, round);
    insert.run(source, eventId, hash, type, at, receivedAt, Number(conflict), inviteId, payload);
    return { outcome: "stored", conflict };
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
