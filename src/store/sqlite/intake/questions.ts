import type { ConnectionName } from "../../../core/connection.ts";
import type { Question, QuestionEnd, QuestionPage } from "../../contract/store.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";
import { createVersions } from "../file/versions.ts";
import { createErasures } from "../rows/erasures.ts";
import { createConfirmations } from "./confirmations.ts";
import { createFoldInvite } from "./fold-invite.ts";
import { createDestinationsOf } from "./raise.ts";
import { createAskForInvites } from "./requests.ts";

/** What vendors are still to be asked, and what becomes of an event with the answer. */
export function createQuestions(db: Db) {
  const questions = ({ of, ...page }: QuestionPage): Question[] => {
    const conditions = [
      "SELECT q.seq, q.vendor, q.org, q.environment, q.about, q.tries, e.at",
      "FROM questions q JOIN events e ON e.seq = q.seq WHERE q.seq > @after",
      of ? "AND q.org = @org" : "",
      of?.vendor === undefined ? "" : "AND q.vendor = @vendor",
      of?.environment === undefined ? "" : "AND q.environment = @environment",
      page.dueBy === undefined ? "" : "AND q.due_at <= @dueBy",
      "ORDER BY q.seq LIMIT @limit",
    ];
    return db
      .prepare<object, QuestionRow>(conditions.join(" "))
      .all({ ...page, ...of })
      .map((row) => ({ ...row, about: JSON.parse(row.about) }));
  };

  const askedBy = db.prepare<[number], ConnectionName>(
    "SELECT org, vendor, environment FROM questions WHERE seq = ?",
  );
  const close = db.prepare("DELETE FROM questions WHERE seq = ?");
  const putOff = db.prepare(`
    UPDATE questions SET due_at = @dueAt, tries = tries + @failed, reason = @reason WHERE seq = @seq`);
  const eventOf = db.prepare<[number], { source: string; body_hash: Buffer }>(
    "SELECT source, body_hash FROM events WHERE seq = ?",
  );
  const tie = db.prepare("UPDATE events SET invite_id = ? WHERE seq = ?");
  const ignore = db.prepare("UPDATE counters SET value = value + 1 WHERE name = 'ignored'");
  const withVersions = createVersions(db);
  const destinationsOf = createDestinationsOf(db);
  const confirmations = createConfirmations(db);
  const foldInvite = createFoldInvite(db);
  const askForInvites = createAskForInvites(db);

  const erasures = createErasures(db);
  const removals = ["questions", "confirmations", "events"].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE seq = ?`),
  );
  /** Whom it named shows only by the answer. */
  const takeOut = (seq: number) => {
    for (const each of removals) each.run(seq);
  };

  const settleQuestion = transaction(db, (seq: number, end: QuestionEnd, now: number): void => {
    const of = askedBy.get(seq);
    if (of === undefined) return;
    if ((end.kind === "snapshot" || end.kind === "application") && erasures.any()) {
      // Asked again with the next look, which brings marks.
      if (end.marks === undefined) return;
      const org = erasures.orgOf(end.marks);
      if (org !== null) {
        erasures.countRefused(org, now);
        takeOut(seq);
        return;
      }
    }
    if (end.kind === "later") {
      putOff.run({ seq, dueAt: end.dueAt, failed: Number(end.isCounted), reason: end.reason });
      return;
    }
    close.run(seq);
    if (end.kind === "nothing") ignore.run();
    else if (end.kind === "application") {
      if (askForInvites(of, end.application, now) === 0) ignore.run();
    } else
      withVersions((nextVersion) => {
        const always = () => true;
        const shared = { hasUnmatched: always, hasTombstones: always, hasErasures: always };
        const round = { nextVersion, destinationsOf, ...shared };
        if (end.kind === "test") return confirmations.nameTest(seq, end.test, { now, round });
        const { source = "", body_hash: hash } = eventOf.get(seq) ?? {};
        const event = { source, bodyHash: hash?.toString("hex") ?? "", receivedAt: now };
        const inviteId = foldInvite(end.snapshot, event, round);
        if (inviteId === null) return ignore.run();
        tie.run(inviteId, seq);
        confirmations.matchWaiting(inviteId, end.snapshot, { now, round });
      });
  });

  return { questions, settleQuestion };
}

type QuestionRow = Omit<Question, "about"> & { about: string };
