import type { Db } from "../file/db.ts";
import type { Theirs } from "../../rows/theirs.ts";
import { ERASURE_RULES } from "../../rows/erasure-rules.ts";

/**
 * Removes a person's rows, from the leaves to what they hang on, and scrubs what names them elsewhere. Part of a write
 * transaction. Returns the leases under which some of it was being sent.
 */
export function createTakeOut(db: Db) {
  const among = "(SELECT value FROM json_each(?))";
  const removals = {
    events: ["confirmations", "questions", "events"].map((table) =>
      db.prepare(`DELETE FROM ${table} WHERE seq IN ${among}`),
    ),
    invites: [db.prepare(`DELETE FROM invites WHERE id IN ${among}`)],
    pushes: [
      db.prepare(`DELETE FROM attempts WHERE push_id IN ${among}`),
      db.prepare(`DELETE FROM pushes WHERE id IN ${among}`),
    ],
  };
  const leasesOf = db
    .prepare<[string], number>(`SELECT DISTINCT lease FROM pushes WHERE id IN ${among} AND lease IS NOT NULL`)
    .pluck();
  // What was delivered counts on.
  const countOn = db.prepare(`
    INSERT INTO gone_counts SELECT connection_id, count(*) FROM pushes WHERE id IN ${among} AND state = 'delivered' GROUP BY connection_id
    ON CONFLICT DO UPDATE SET delivered = delivered + excluded.delivered`);
  const forgetContact = db.prepare("DELETE FROM forgotten WHERE org = ? AND contact = ?");
  const forgetTrial = db.prepare("DELETE FROM trials WHERE org = ? AND vendor = ? AND candidate_id = ?");
  const requestsOf = "SELECT id FROM invite_requests WHERE org = ? AND vendor = ? AND candidate_id = ?";
  const forgetRequests = [
    db.prepare(`DELETE FROM request_attempts WHERE request_id IN (${requestsOf})`),
    db.prepare(`DELETE FROM invite_requests WHERE id IN (${requestsOf})`),
  ];
  const scrubbers = createScrubbers(db);

  return (org: string, theirs: Theirs, scrub: (text: string) => string): number[] => {
    const pushes = JSON.stringify(theirs.pushes);
    const leases = leasesOf.all(pushes);
    countOn.run(pushes);
    for (const each of removals.events) each.run(JSON.stringify(theirs.events));
    for (const each of removals.pushes) each.run(pushes);
    for (const each of removals.invites) each.run(JSON.stringify(theirs.invites));
    for (const address of theirs.person.addresses) forgetContact.run(org, address);
    for (const { vendor, candidateId } of theirs.person.candidates)
      for (const each of [forgetTrial, ...forgetRequests]) each.run(org, vendor, candidateId);
    for (const [table, rows] of theirs.named) for (const row of rows) scrubbers.get(table)?.(row, scrub);
    return leases;
  };
}

type Scrubber = (row: Readonly<Record<string, unknown>>, scrub: (text: string) => string) => void;

function createScrubbers(db: Db): Map<string, Scrubber> {
  return new Map(
    Object.entries(ERASURE_RULES).flatMap(([table, { key, columns }]): [string, Scrubber][] => {
      const names = Object.entries(columns).flatMap(([name, how]) =>
        how === "looked through" ? [name] : [],
      );
      if (names.length === 0) return [];
      const change = db.prepare(`
        UPDATE OR REPLACE ${table} SET ${names.map((name) => `${name} = @${name}`).join(", ")}
        WHERE ${key.map((name) => `${name} IS @key_${name}`).join(" AND ")}`);
      return [
        [
          table,
          (row, scrub) => {
            const values = names.map((name) => {
              const text = row[name];
              return [name, typeof text === "string" ? scrub(text) : (text ?? null)];
            });
            const keys = key.map((name) => [`key_${name}`, row[name] ?? null]);
            change.run(Object.fromEntries([...values, ...keys]));
          },
        ],
      ];
    }),
  );
}
