import type { PurgeStep, RetentionVerbs } from "../../contract/retention.ts";
import { cutoffsOf, placeOf, steppedTo } from "../../rows/retention.ts";
import type { Db } from "../../../postgres/sql.ts";
import { purgeInvites, removeEvents } from "./invites.ts";
import { purgePushes } from "./pushes.ts";
import { membersOf } from "./stays.ts";
import { cutoffIn, type PurgeTable } from "./step.ts";

/** Rows in one step. */
const ROWS = 200;

/** Those without an invite: of a type nobody knows, and vendors' words on assessments whose invite never came. */
const purgeEvents: PurgeTable = async (tx, { after, isDry, youngest, cutoff, cutoffOf }) => {
  const [afterAt = Number.MIN_SAFE_INTEGER, afterSeq = 0] = after?.split("/").map(Number) ?? [];
  const rows = await tx.all<{ seq: number; receivedAt: number; org: string | null; isAsked: boolean }>(
    `SELECT e.seq, e.received_at AS "receivedAt", c.org,
      EXISTS (SELECT 1 FROM jc.questions q WHERE q.seq = e.seq) AS "isAsked"
      FROM jc.events e LEFT JOIN jc.confirmations c ON c.seq = e.seq
      WHERE e.invite_id IS NULL AND e.received_at < $1 AND (e.received_at, e.seq) > ($2, $3)
      ORDER BY e.received_at, e.seq LIMIT ${ROWS}`,
    [youngest, afterAt, afterSeq],
  );
  const going = rows.filter(
    ({ receivedAt, org, isAsked }) => !isAsked && receivedAt < (org === null ? cutoff : cutoffOf(org)),
  );
  if (!isDry)
    await removeEvents(
      tx,
      going.map(({ seq }) => seq),
    );
  const last = rows.length < ROWS ? undefined : rows.at(-1);
  return {
    removed: { events: going.length },
    next: last ? `${last.receivedAt}/${last.seq}` : null,
  };
};

/** In the order in which they were made, until they are young. The last one of a push stays with that. */
const purgeAttempts: PurgeTable = async (tx, { after, isDry, cutoffOf, youngest, now }) => {
  const rows = await tx.all<{ id: number; at: number; org: string; isLast: boolean }>(
    `SELECT a.id, a.at, c.org,
      a.id = (SELECT id FROM jc.attempts WHERE push_id = a.push_id ORDER BY at DESC, id DESC LIMIT 1) AS "isLast"
      FROM jc.attempts a JOIN jc.pushes p ON p.id = a.push_id JOIN jc.connections c ON c.id = p.connection_id
      WHERE a.id > $1 ORDER BY a.id LIMIT ${ROWS}`,
    [Number(after ?? 0)],
  );
  const going = rows.filter(({ at, org, isLast }) => !isLast && at < cutoffOf(org)).map(({ id }) => id);
  if (!isDry) await tx.run("DELETE FROM jc.attempts WHERE id = ANY ($1::bigint[])", [going]);
  // One from a time to come was made while the clock was ahead, and says nothing about the next.
  const isThrough = rows.length < ROWS || rows.every(({ at }) => at >= youngest && at <= now);
  return { removed: { attempts: going.length }, next: isThrough ? null : String(rows.at(-1)?.id ?? 0) };
};

/** What an operator had sent again: his filter may name people. Pushes that stay no longer say by which run they came. */
const purgeRuns: PurgeTable = async (tx, { isDry, cutoff, ofOrgs }) => {
  const old = `FROM jc.runs r WHERE started_at < ${cutoffIn("r.org")}
    AND NOT EXISTS (SELECT 1 FROM jc.pushes WHERE run_id = r.id AND state IN ('pending', 'held'))`;
  if (isDry) {
    const row = await tx.get<{ n: number }>(`SELECT count(*) AS n ${old}`, [ofOrgs, cutoff]);
    return { removed: { others: row?.n ?? 0 }, next: null };
  }
  const row = await tx.get<{ id: number }>(`SELECT id ${old} ORDER BY id LIMIT 1`, [ofOrgs, cutoff]);
  if (!row) return { removed: {}, next: null };
  const letGo = await tx.run(
    `UPDATE jc.pushes SET run_id = NULL WHERE id IN (SELECT id FROM jc.pushes WHERE run_id = $1 LIMIT ${ROWS})`,
    [row.id],
  );
  if (letGo > 0) return { removed: {}, next: "on" };
  return { removed: { others: await tx.run("DELETE FROM jc.runs WHERE id = $1", [row.id]) }, next: "on" };
};

/** Rows that end by a condition of their own, on `$1` (`ofOrgs`), `$2` (`cutoff`) and `$3` (`now`). */
function aged(table: string, key: string, condition: string, { first }: { first?: string } = {}): PurgeTable {
  // Each statement names all three, for the types' sake.
  const matching = `FROM jc.${table} t WHERE ($1::jsonb IS NULL OR $2::bigint IS NULL OR $3::bigint IS NULL OR true) AND ${condition}`;
  return async (tx, { after, isDry, now, cutoff, ofOrgs }) => {
    const values = [ofOrgs, cutoff, now];
    if (isDry) {
      const row = await tx.get<{ n: number }>(`SELECT count(*) AS n ${matching}`, values);
      return { removed: { others: row?.n ?? 0 }, next: null };
    }
    if (after === null && first !== undefined) await tx.run(first, [now]);
    const others = await tx.run(
      `DELETE FROM jc.${table} WHERE (${key}) IN (SELECT ${key} ${matching} LIMIT ${ROWS})`,
      values,
    );
    return { removed: { others }, next: others < ROWS ? null : "on" };
  };
}

/** In this order: what hangs on other rows goes before them. The rule of each table stands in words with SQLite's. */
const PURGES: Readonly<Record<string, PurgeTable>> = {
  invites: purgeInvites,
  events: purgeEvents,
  attempts: purgeAttempts,
  pushes: purgePushes,
  runs: purgeRuns,
  forgotten: aged(
    "forgotten",
    "org, contact",
    `NOT EXISTS (SELECT 1 FROM jc.invites i WHERE i.org = t.org AND i.contact = t.contact)
      AND NOT EXISTS (${membersOf("c.org = t.org AND p.subject = t.contact")})`,
  ),
  trials: aged("trials", "org, vendor, candidate_id", `noted_at < ${cutoffIn("org")}`, {
    first: "UPDATE jc.trials SET noted_at = $1 WHERE noted_at IS NULL",
  }),
  request_attempts: aged(
    "request_attempts",
    "id",
    `at < ${cutoffIn("org")} AND request_id IN (SELECT id FROM jc.invite_requests WHERE ended_at IS NOT NULL)`,
  ),
  invite_requests: aged(
    "invite_requests",
    "id",
    `ended_at < ${cutoffIn("org")} AND id NOT IN (SELECT request_id FROM jc.request_attempts)`,
  ),
  refusals: aged("refusals", "source, minute, reason", "minute < $2 / 60000"),
  consents: aged("consents", "hash", "expires_at < $3 - 30 * 86400000::bigint"),
  ticks: aged("ticks", "job, due_at", "due_at < $2 AND holder IS NULL"),
  purges: aged("purges", "org, day, what", `day < ${cutoffIn("org")} / 86400000`),
  admin_links: aged("admin_links", "hash", "expires_at < $3 - 86400000"),
  admin_sessions: aged("admin_sessions", "hash", "expires_at <= $3"),
  audit: aged("audit", "id", `at < ${cutoffIn("org")}`),
  holders: aged(
    "holders",
    "id",
    `beat_at < jc.now_ms() - 86400000 AND id NOT IN (SELECT holder FROM jc.leases)
      AND id NOT IN (SELECT holder FROM jc.calls WHERE holder IS NOT NULL) AND id NOT IN (SELECT * FROM jc.live_holders())`,
  ),
  counts: async (tx, { isDry }) => {
    if (!isDry) await tx.run("SELECT jc.compact_counts()");
    return { removed: {}, next: null };
  },
};

const NAMES = Object.keys(PURGES);

/** Forgetting, a step at a time: table after table by its rule. */
export function createPurge(db: Db): RetentionVerbs {
  return {
    purge: async ({ after, isDry, ...request }): Promise<PurgeStep> => {
      const place = placeOf(after, NAMES);
      const purgeTable = PURGES[place.table];
      if (!purgeTable) throw new Error(`no rule removes rows of ${place.table}`);
      const step = { ...cutoffsOf(request), isDry, after: place.at };
      const stepped = isDry
        ? await purgeTable(db.read, step)
        : await db.write("all", (tx) => purgeTable(tx, step));
      return steppedTo(place, stepped, NAMES);
    },
  };
}
