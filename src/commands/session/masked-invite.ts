import { addressesAmong } from "../../core/addresses.ts";
import type { Invite } from "../../core/invite.ts";
import { maskEmail, maskName } from "../../shared/text.ts";
import type { InviteHistory, InviteSummary, PushSummary } from "../../store/contract/store.ts";
import { maskedWords } from "../../shared/masked-words.ts";

/** Names and addresses are personal data: masked until asked for, in words about them too. */
export function withMaskedAddresses<Found extends InviteSummary & Partial<InviteHistory>>(
  found: Found,
): Found {
  const { invite, pushes, attempts } = found;
  const words = maskerFor(found);
  const addresses = addressesAmong(
    invite.candidate.email,
    pushes.map(({ subject }) => subject),
  );
  const shown = (subject: string) => (addresses.includes(subject) ? maskEmail(subject) : subject);
  return {
    ...found,
    invite: {
      ...invite,
      candidate: maskedCandidate(invite.candidate),
      warnings: invite.warnings.map(words),
    },
    pushes: pushes.map((push) => ({
      ...push,
      subject: shown(push.subject),
      ...(push.shared && { shared: { ...push.shared, subjects: sharersOf(push).map(maskEmail) } }),
      rejection: push.rejection && { ...push.rejection, message: words(push.rejection.message) },
      warnings: push.warnings.map((warning) => ({ ...warning, reason: words(warning.reason) })),
    })),
    ...(attempts && {
      attempts: attempts.map((attempt) => ({
        ...attempt,
        reason: attempt.reason === null ? null : words(attempt.reason),
      })),
    }),
  };
}

function maskedCandidate({ email, firstName, lastName }: Invite["candidate"]): Invite["candidate"] {
  return {
    email: maskEmail(email.trim()),
    firstName: firstName === null ? null : maskName(firstName),
    lastName: lastName === null ? null : maskName(lastName),
  };
}

/** For words about the invite, wherever they come from. */
export function maskerFor({ invite, pushes }: InviteSummary): (words: string) => string {
  const subjects = pushes.flatMap((push) => [push.subject, ...sharersOf(push)]);
  const addresses = addressesAmong(invite.candidate.email, subjects);
  return (words) => maskedWords(words, addresses);
}

/** Other addresses of the contact that the push is about. */
function sharersOf({ shared }: Pick<PushSummary, "shared">): string[] {
  return shared?.subjects ?? [];
}
