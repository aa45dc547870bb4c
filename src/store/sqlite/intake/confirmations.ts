import { applyConfirmation } from "../../../core/confirmation.ts";
import type { Confirmation, Snapshot } from "../../../core/event.ts";
import {
  type ConfirmationRow,
  inquiryOf,
  speaksOf,
  STATE_AFTER,
  type ToldInvite,
} from "../../rows/confirmations.ts";
import type { Db } from "../file/db.ts";
import { inviteOf } from "../../rows/rows.ts";
import { createAsk } from "./ask.ts";
import type { Round } from "./raise.ts";
import { createSaveInvite } from "./save-invite.ts";

/**
 * A vendor's words on its assessments, each tied to the invite that it speaks of: at once, or when the invite comes.
 * A trial's words speak of a trial's invites alone. All within the caller's transaction.
 */
export function createConfirmations(db: Db) {
  const insert = db.prepare(`
    INSERT INTO confirmations (seq, vendor, org, environment, candidate_id, job_id, assessment_id, invitation_id, status, at, result, state)
    VALUES (@seq, @vendor, @org, @environment, @candidateId, @jobId, @assessmentId, @invitationId, @status, @at, @result, 'unmatched')`);
  const byInvitation = db.prepare<[string, string], ToldInvite>(
    "SELECT id, contact, state FROM invites WHERE org = ? AND invitation_id = ?",
  );
  const byAssessment = db.prepare<[string, string], ToldInvite>(
    "SELECT id, contact, state FROM invites WHERE org = ? AND assessment = ?",
  );
  const columns =
    "SELECT seq, vendor, org, environment, candidate_id, assessment_id, invitation_id, status, at, result";
  const waitingForInvitation = db.prepare<[string, string], ConfirmationRow>(
    `${columns} FROM confirmations WHERE org = ? AND invitation_id = ? AND state = 'unmatched'`,
  );
  const waitingForAssessment = db.prepare<[string, string], ConfirmationRow>(
    `${columns} FROM confirmations WHERE org = ? AND assessment_id = ? AND state = 'unmatched'`,
  );
  const one = db.prepare<[number], ConfirmationRow>(`${columns} FROM confirmations WHERE seq = ?`);
  const tie = db.prepare("UPDATE events SET invite_id = ? WHERE seq = ?");
  const tiedTo = db.prepare<[number], ToldInvite>(
    "SELECT i.id, i.contact, i.state FROM events e JOIN invites i ON i.id = e.invite_id WHERE e.seq = ?",
  );
  const become = db.prepare("UPDATE confirmations SET state = ? WHERE seq = ?");
  const save = createSaveInvite(db);
  const ask = createAsk(db);

  const inviteFor = (row: ConfirmationRow): ToldInvite | undefined => {
    const named = row.invitation_id === null ? undefined : byInvitation.get(row.org, row.invitation_id);
    const candidates = named ? [named] : byAssessment.all(row.org, row.assessment_id);
    return candidates.find((each) => speaksOf(row, each, { isNamed: each === named }));
  };

  const apply = (
    row: ConfirmationRow,
    { id, state }: Pick<ToldInvite, "id" | "state">,
    { test, now, round }: { test: string | null | undefined; now: number; round: Round },
  ): void => {
    const result: Confirmation["result"] = row.result === null ? null : JSON.parse(row.result);
    const outcome = applyConfirmation(inviteOf(state), { status: row.status, result, at: row.at }, test);
    if (outcome.kind === "learned") save(id, outcome.invite, { now, round });
    if (outcome.kind === "ask") ask(row.seq, inquiryOf(row), now);
    become.run(STATE_AFTER[outcome.kind], row.seq);
  };

  return {
    /** Keeps the word of the event `seq` and ties it to its invite, if that is here. */
    arrive: (seq: number, told: Confirmation, { now, round }: { now: number; round: Round }): void => {
      insert.run({ ...told, seq, result: told.result && JSON.stringify(told.result) });
      const row = one.get(seq);
      const invite = row && inviteFor(row);
      if (!row || !invite) return;
      tie.run(invite.id, seq);
      apply(row, invite, { test: undefined, now, round });
    },
    /** The words that waited for this invite. */
    matchWaiting: (
      inviteId: number,
      { org, invitationId, origin }: Snapshot,
      at: { now: number; round: Round },
    ): void => {
      const waiting = [
        ...waitingForInvitation.all(org, invitationId),
        ...(origin?.assessmentId ? waitingForAssessment.all(org, origin.assessmentId) : []),
      ];
      for (const row of waiting) {
        const invite = inviteFor(row);
        if (invite?.id !== inviteId) continue;
        tie.run(inviteId, row.seq);
        apply(row, invite, { ...at, test: undefined });
      }
    },
    /** The vendor told which test a word is about. */
    nameTest: (seq: number, test: string | null, at: { now: number; round: Round }): void => {
      const [row, invite] = [one.get(seq), tiedTo.get(seq)];
      if (row && invite) apply(row, invite, { ...at, test });
    },
  };
}
