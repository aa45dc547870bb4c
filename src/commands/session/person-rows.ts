import { count } from "../../shared/text.ts";
import type { Person } from "../../store/contract/store.ts";

const NOUNS: Readonly<Record<string, string>> = {
  invites: "invite",
  events: "event",
  pushes: "result",
  attempts: "attempt",
  confirmations: "webhook",
  runs: "run",
};

/** What is held of a person, in one line. */
export function rowsWords(rows: Person["rows"]): string {
  const known = Object.entries(NOUNS).flatMap(([table, noun]) => {
    const n = rows[table] ?? 0;
    return n === 0 ? [] : [count(n, noun)];
  });
  const others = Object.entries(rows).reduce(
    (sum, [table, n]) => (Object.hasOwn(NOUNS, table) ? sum : sum + n),
    0,
  );
  const all = [...known, ...(others > 0 ? [`${count(others, "other row")}`] : [])];
  return all.length === 0 ? "nothing" : all.join(", ");
}
