import { cut, maskEmailsIn, plain } from "../../shared/text.ts";

/** Of a vendor's words so much is shown. */
const LONGEST_MESSAGE = 2_000;

/**
 * A vendor's words in an error, which reaches the journal. About a person they may hold a name, which nobody could tell from
 * other words: of those its code alone is left, as `NOT_FOUND`.
 */
export function refusalWords(
  { message, code }: { message: string; code: string | null },
  { isAboutPerson }: { isAboutPerson: boolean },
): string {
  if (!isAboutPerson) return `: ${maskEmailsIn(plain(cut(message, LONGEST_MESSAGE)))}`;
  return code !== null && /^[A-Z][A-Z0-9_.-]{1,63}$/.test(code) ? `: ${code}` : "";
}
