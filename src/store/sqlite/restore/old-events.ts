import { createHash } from "node:crypto";
import type { Environment } from "../../../core/connection.ts";
import type { OldEvent, OldEvents } from "../../contract/restoring.ts";
import type { Db } from "../file/db.ts";

/** Events of a log that may be damaged: as many of them as can be read, each proven by its own hash. */

const TOGETHER = 500;
/** Where the end of a damaged table cannot be seen, so far beyond the last row is looked. */
const FARTHEST_BEYOND = 100_000;

interface EventRow {
  seq: number;
  source: string;
  event_id: string;
  body_hash: Buffer;
  received_at: number;
  payload: string;
}

const COLUMNS = "SELECT seq, source, event_id, body_hash, received_at, payload FROM events NOT INDEXED";

/** Those that `isKnown` does not know, in pages; `unreadable` counts rows that are damaged, as far as they can be counted. */
export function* missingEvents(
  db: Db,
  isKnown: (event: Pick<EventRow, "event_id" | "source" | "body_hash">) => boolean,
): Generator<OldEvents> {
  const whoseOf = createWhoseOf(db);
  let [read, unreadable, isCounted] = [0, 0, true];
  let events: OldEvent[] = [];
  for (const row of readableRows(db)) {
    if (row === "uncounted") isCounted = false;
    if (row === null || row === "uncounted" || !isProven(row)) unreadable += 1;
    else {
      read += 1;
      if (!isKnown(row)) events.push({ ...eventOf(row), ...whoseOf(row.seq) });
    }
    if (events.length < TOGETHER) continue;
    yield { events, read, unreadable, isCounted };
    events = [];
  }
  yield { events, read, unreadable, isCounted };
}

function eventOf({ source, event_id: eventId, body_hash, received_at: receivedAt, payload }: EventRow) {
  return { source, eventId, bodyHash: body_hash.toString("hex"), receivedAt, payload };
}

/** A page that was written over may still look like rows. */
function isProven({ payload, body_hash }: EventRow): boolean {
  return createHash("sha256").update(payload).digest().equals(body_hash);
}

/** Null for each row that cannot be read, as far as their numbers are known; `uncounted` once for those whose number is not. */
function* readableRows(db: Db): Generator<EventRow | null | "uncounted"> {
  const page = db.prepare<[number], EventRow>(`${COLUMNS} WHERE seq > ? ORDER BY seq LIMIT ${TOGETHER}`);
  const one = db.prepare<[number], EventRow>(`${COLUMNS} WHERE seq = ?`);
  const end = lastSeq(db);
  let [lastRead, failed] = [0, 0];
  for (let last = 0; ; ) {
    const rows = attempt(() => page.all(last));
    if (rows) {
      yield* Array.from({ length: failed }, () => null);
      yield* rows;
      const next = rows.at(-1)?.seq;
      if (next === undefined || next <= last) return;
      [last, lastRead, failed] = [next, next, 0];
      continue;
    }
    const to = Math.min(last + TOGETHER, end ?? lastRead + FARTHEST_BEYOND);
    if (to <= last) break;
    for (let seq = last + 1; seq <= to; seq += 1) {
      const row = attempt(() => one.get(seq) ?? "none");
      if (row === "none") continue;
      failed += row === null ? 1 : 0;
      if (row === null && end === null) continue;
      yield* Array.from({ length: row === null ? 1 : failed }, () => null);
      failed = 0;
      if (row === null) continue;
      lastRead = seq;
      yield row;
    }
    last = to;
  }
  if (failed > 0) yield "uncounted";
}

/** By the table, or by an index that holds its numbers; null where neither can be read. */
function lastSeq(db: Db): number | null {
  const looks = [
    "SELECT max(seq) FROM events",
    "SELECT max(seq) FROM (SELECT seq FROM events INDEXED BY events_identity)",
  ];
  for (const sql of looks) {
    const found = attempt(() => Number(db.prepare(sql).pluck().get() ?? 0));
    if (found !== null) return found;
  }
  return null;
}

/** Whose secret signed it stands with what it told. */
function createWhoseOf(db: Db): (seq: number) => { org: string | null; environment: Environment } {
  const looks = ["confirmations", "questions"].flatMap((table) => {
    const look = attempt(() =>
      db.prepare<[number], { org: string; environment: Environment }>(
        `SELECT org, environment FROM ${table} WHERE seq = ?`,
      ),
    );
    return look ? [look] : [];
  });
  return (seq) => {
    for (const look of looks) {
      const found = attempt(() => look.get(seq));
      if (found) return found;
    }
    return { org: null, environment: "production" };
  };
}

/** Null for what the damage keeps from being read. */
export function attempt<Result>(look: () => Result): Result | null {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && "code" in error && /^SQLITE_/.test(String(error.code))) return null;
    throw error;
  }
}
