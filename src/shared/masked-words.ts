import { cut, maskAll, maskEmailsIn } from "./text.ts";

/**
 * A vendor's words without addresses. What was given as a candidate's address may be none, so that the words hide it
 * only where it is known: `subjects` are what the words are about.
 */
export function maskedWords(words: string, subjects: readonly string[]): string {
  // The longest first: one may be a part of another.
  const known = subjects.filter(Boolean).toSorted((a, b) => b.length - a.length);
  return maskEmailsIn(known.reduce(maskAll, cut(words, LONGEST_WORDS)));
}

/** Older rows may hold more. */
const LONGEST_WORDS = 2_000;
