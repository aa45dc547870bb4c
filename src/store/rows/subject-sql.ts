import { UNASKED } from "../../core/subject.ts";
import type { SubjectKind } from "../../core/push.ts";

/** `subjectOf` in SQL: of an invite `i`, and by the kind of the connection `c`. */
export const SUBJECT_COLUMN: Readonly<Record<SubjectKind, string>> = {
  contact: "i.contact",
  assessment: "i.assessment",
  result: `coalesce(i.assessment, '${UNASKED}' || i.invitation_id)`,
};

export const SUBJECT_OF_KIND = `CASE c.subject_kind WHEN 'contact' THEN ${SUBJECT_COLUMN.contact}
  WHEN 'assessment' THEN ${SUBJECT_COLUMN.assessment} ELSE ${SUBJECT_COLUMN.result} END`;

/** The subjects of one invite, of whatever kind, by `@org` and `@invitationId`; `invites` is the table. */
export function subjectsOfInvite(invites: string): string {
  return [SUBJECT_COLUMN.contact, SUBJECT_COLUMN.result]
    .map(
      (column) => `SELECT ${column} FROM ${invites} i WHERE i.org = @org AND i.invitation_id = @invitationId`,
    )
    .join(" UNION ");
}

/** Which invites `i` the subject means, in a form that indexes serve. */
export function isOfSubject(kind: SubjectKind, subject: string): string {
  if (kind !== "result") return `${SUBJECT_COLUMN[kind]} = ${subject}`;
  const length = UNASKED.length;
  return `(i.assessment = ${subject} OR (i.assessment IS NULL AND substr(${subject}, 1, ${length}) = '${UNASKED}'
    AND i.invitation_id = substr(${subject}, ${length + 1})))`;
}
