import type { ConnectionName } from "../../../core/connection.ts";
import type { Snapshot } from "../../../core/event.ts";
import type { Question, QuestionEnd, QuestionPage, Store } from "../../contract/store.ts";
import { anyErasures, countRefused, erasedOrgs } from "../rows/erasures.ts";
import type { Db, Sql, Tx } from "../../../postgres/sql.ts";
import { openBatch } from "./batch.ts";
import { matchWaiting, nameTest } from "./confirmations.ts";
import { askForInvites } from "./requests.ts";
import { readStanding } from "./standing.ts";

/** What vendors are still to be asked, and what becomes of an event with the answer. */
export function createQuestions(db: Db): Pick<Store, "questions" | "settleQuestion"> {
  return {
    questions: async ({ of, dueBy, after, limit }: QuestionPage): Promise<Question[]> => {
      const rows = await db.read.all<QuestionRow>(
        `SELECT q.seq, q.vendor, q.org, q.environment, q.about, q.tries, e.at
          FROM jc.questions q JOIN jc.events e ON e.seq = q.seq
          WHERE q.seq > $1 AND ($2::bigint IS NULL OR q.due_at <= $2)
            AND ($3::text IS NULL OR q.org = $3) AND ($4::text IS NULL OR q.vendor = $4)
            AND ($5::text IS NULL OR q.environment = $5)
          ORDER BY q.seq LIMIT $6`,
        [after, dueBy ?? null, of?.org ?? null, of?.vendor ?? null, of?.environment ?? null, limit],
      );
      return rows.map((row) => ({ ...row, about: JSON.parse(row.about) }));
    },
    settleQuestion: async (seq, end, now) => {
      const of = await askedBy(db.read, seq);
      if (of === undefined) return;
      await db.write({ orgs: [of.org] }, async (tx) => {
        // Another may have ended it meanwhile.
        if ((await askedBy(tx, seq)) !== undefined) await settle(tx, { seq, of, end, now });
      });
    },
  };
}

async function askedBy(tx: Sql, seq: number): Promise<ConnectionName | undefined> {
  return await tx.get<ConnectionName>("SELECT org, vendor, environment FROM jc.questions WHERE seq = $1", [
    seq,
  ]);
}

interface Settling {
  seq: number;
  of: ConnectionName;
  end: QuestionEnd;
  now: number;
}

async function settle(tx: Tx, { seq, of, end, now }: Settling): Promise<void> {
  if ((end.kind === "snapshot" || end.kind === "application") && (await anyErasures(tx))) {
    // Asked again with the next look, which brings marks.
    if (end.marks === undefined) return;
    const orgs = await erasedOrgs(tx, end.marks);
    const org = end.marks.map((mark) => orgs.get(mark)).find((each) => each !== undefined);
    if (org !== undefined) {
      await countRefused(tx, [{ org, now }]);
      return await takeOut(tx, seq);
    }
  }
  if (end.kind === "later") {
    await tx.run("UPDATE jc.questions SET due_at = $2, tries = tries + $3, reason = $4 WHERE seq = $1", [
      seq,
      end.dueAt,
      Number(end.isCounted),
      end.reason,
    ]);
    return;
  }
  await tx.run("DELETE FROM jc.questions WHERE seq = $1", [seq]);
  switch (end.kind) {
    case "nothing":
      return await ignore(tx);
    case "application":
      if ((await askForInvites(tx, of, end.application, now)) === 0) await ignore(tx);
      return;
    case "test":
      return await nameIts(tx, { seq, of, test: end.test, now });
    case "snapshot":
      return await foldFound(tx, seq, end.snapshot, now);
  }
}

async function nameIts(
  tx: Tx,
  { seq, of, test, now }: Omit<Settling, "end"> & { test: string | null },
): Promise<void> {
  const batch = openBatch(
    tx,
    await readStanding(tx, { events: [], orgs: [of.org], invites: [], candidates: [] }),
  );
  await nameTest({ tx, batch }, seq, test, now);
  await batch.finish({});
}

async function foldFound(tx: Tx, seq: number, snapshot: Snapshot, now: number): Promise<void> {
  const told = await tx.get<{ source: string; body_hash: Buffer }>(
    "SELECT source, body_hash FROM jc.events WHERE seq = $1",
    [seq],
  );
  const { source = "", body_hash: hash } = told ?? {};
  const about = { events: [], orgs: [snapshot.org], invites: [snapshot], candidates: [] };
  const batch = openBatch(tx, await readStanding(tx, about));
  const event = { source, bodyHash: hash?.toString("hex") ?? "", receivedAt: now };
  const inHand = await batch.fold(event, snapshot);
  if (inHand === null) return await ignore(tx);
  await batch.flush();
  await tx.run("UPDATE jc.events SET invite_id = $1 WHERE seq = $2", [inHand.id, seq]);
  await matchWaiting({ tx, batch }, inHand.id, snapshot, now);
  await batch.finish({});
}

/** Whom it named shows only by the answer. */
async function takeOut(tx: Sql, seq: number): Promise<void> {
  for (const table of ["questions", "confirmations", "events"])
    await tx.run(`DELETE FROM jc.${table} WHERE seq = $1`, [seq]);
}

async function ignore(tx: Sql): Promise<void> {
  await tx.run("INSERT INTO jc.counter_changes VALUES ('ignored', 1)");
}

type QuestionRow = Omit<Question, "about"> & { about: string };
