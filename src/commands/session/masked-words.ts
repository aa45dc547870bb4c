import { maskEmail, maskEmailsIn } from "../../shared/text.ts";

/**
 * A vendor's words without addresses. What was given as a candidate's address may be none, so that the words hide it
 * only where it is known: `subjects` are what the words are about.
 */
export function maskedWords(words: string, subjects: readonly string[]): string {
  // The longest first: one may be a part of another.
  const known = subjects.filter(Boolean).toSorted((a, b) => b.length - a.length);
  const hidden = known.reduce((text, subject) => {
    const literally = subject.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return text.replace(new RegExp(literally, "giu"), () => maskEmail(subject));
  }, words);
  return maskEmailsIn(hidden);
}
