import { emailKey } from "./event.ts";

/** The addresses among what results went under: what names an assessment is nobody's. The candidate's own comes first. */
export function addressesAmong(email: string, subjects: readonly string[]): string[] {
  const own = email.trim();
  return [own, ...subjects.filter((subject) => subject.includes("@") || subject === emailKey(own))];
}
