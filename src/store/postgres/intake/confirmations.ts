import { applyConfirmation } from "../../../core/confirmation.ts";
import type { Confirmation, Inquiry, Snapshot } from "../../../core/event.ts";
import {
  type ConfirmationRow,
  inquiryOf,
  speaksOf,
  STATE_AFTER,
  type ToldInvite,
} from "../../rows/confirmations.ts";
import { inviteOf } from "../../rows/rows.ts";
import type { Sql } from "../../../postgres/sql.ts";
import type { Batch } from "./batch.ts";

const COLUMNS =
  "SELECT seq, vendor, org, environment, candidate_id, assessment_id, invitation_id, status, at, result FROM jc.confirmations";

/** A transaction and what it changes in memory; statements find that once it is flushed. */
export interface Under {
  tx: Sql;
  batch: Batch;
}

/** Keeps the word of the event `seq` and ties it to its invite, if that is here. */
export async function arrive(
  { tx, batch }: Under,
  seq: number,
  told: Confirmation,
  now: number,
): Promise<void> {
  await batch.flush();
  const { vendor, org, environment, candidateId, jobId, assessmentId, invitationId, status, at, result } =
    told;
  await tx.run(
    `INSERT INTO jc.confirmations
      (seq, vendor, org, environment, candidate_id, job_id, assessment_id, invitation_id, status, at, result, state)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'unmatched')`,
    [
      seq,
      vendor,
      org,
      environment,
      candidateId,
      jobId,
      assessmentId,
      invitationId,
      status,
      at,
      result && JSON.stringify(result),
    ],
  );
  const row = await tx.get<ConfirmationRow>(`${COLUMNS} WHERE seq = $1`, [seq]);
  if (row) await tieTo({ tx, batch }, row, { now });
}

/** The words that waited for this invite. */
export async function matchWaiting(
  { tx, batch }: Under,
  inviteId: number,
  { org, invitationId, origin }: Snapshot,
  now: number,
): Promise<void> {
  await batch.flush();
  const waiting = await tx.all<ConfirmationRow>(
    `${COLUMNS} WHERE org = $1 AND state = 'unmatched' AND (invitation_id = $2 OR assessment_id = $3) ORDER BY seq`,
    [org, invitationId, origin?.assessmentId ?? null],
  );
  for (const row of waiting) await tieTo({ tx, batch }, row, { now, onlyTo: inviteId });
}

/** The vendor told which test a word is about. */
export async function nameTest(
  { tx, batch }: Under,
  seq: number,
  test: string | null,
  now: number,
): Promise<void> {
  const row = await tx.get<ConfirmationRow>(`${COLUMNS} WHERE seq = $1`, [seq]);
  const invite = await tx.get<ToldInvite>(
    "SELECT i.id, i.contact, i.state FROM jc.events e JOIN jc.invites i ON i.id = e.invite_id WHERE e.seq = $1",
    [seq],
  );
  if (row && invite) await apply({ tx, batch }, row, invite, { test, now });
}

/** Leaves an event to be asked about, until `settleQuestion`; once, however often. */
export async function ask(
  tx: Sql,
  seq: number,
  { vendor, org, environment, about }: Inquiry,
  now: number,
): Promise<void> {
  await tx.run(
    `INSERT INTO jc.questions (seq, vendor, org, environment, about, asked_at, due_at)
      VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT DO NOTHING`,
    [seq, vendor, org, environment, JSON.stringify(about), now],
  );
}

async function tieTo(
  { tx, batch }: Under,
  row: ConfirmationRow,
  { now, onlyTo }: { now: number; onlyTo?: number },
): Promise<void> {
  await batch.flush();
  const invite = await inviteFor(tx, row);
  if (!invite || (onlyTo !== undefined && invite.id !== onlyTo)) return;
  await tx.run("UPDATE jc.events SET invite_id = $1 WHERE seq = $2", [invite.id, row.seq]);
  await apply({ tx, batch }, row, invite, { test: undefined, now });
}

async function inviteFor(tx: Sql, row: ConfirmationRow): Promise<ToldInvite | undefined> {
  const columns = "SELECT id, contact, state FROM jc.invites WHERE org = $1";
  const named =
    row.invitation_id === null
      ? undefined
      : await tx.get<ToldInvite>(`${columns} AND invitation_id = $2`, [row.org, row.invitation_id]);
  const candidates = named
    ? [named]
    : await tx.all<ToldInvite>(`${columns} AND assessment = $2 ORDER BY id`, [row.org, row.assessment_id]);
  return candidates.find((each) => speaksOf(row, each, { isNamed: each === named }));
}

async function apply(
  { tx, batch }: Under,
  row: ConfirmationRow,
  told: ToldInvite,
  { test, now }: { test: string | null | undefined; now: number },
): Promise<void> {
  const invite = inviteOf(told.state);
  const result: Confirmation["result"] = row.result === null ? null : JSON.parse(row.result);
  const outcome = applyConfirmation(invite, { status: row.status, result, at: row.at }, test);
  if (outcome.kind === "learned") await batch.save(batch.take(told), outcome.invite, now);
  if (outcome.kind === "ask") await ask(tx, row.seq, inquiryOf(row), now);
  await tx.run("UPDATE jc.confirmations SET state = $1 WHERE seq = $2", [STATE_AFTER[outcome.kind], row.seq]);
}
