// A log of any size in no time: an event imported by the program itself, its rows repeated under other names, straight
// into its tables. All at the same moment, which is the hardest case for whoever walks over them by time.
import { closeSync, fsyncSync, openSync } from "node:fs";
import Database from "better-sqlite3";

/** Repeats candidate 0 as the candidates 1 to `count` − 1. Nothing else may have the store open. */
export function fillLog(file, count) {
  const db = new Database(file);
  // A store that breaks here is thrown away.
  for (const pragma of ["journal_mode = OFF", "synchronous = OFF", "cache_size = -262144"]) db.pragma(pragma);
  const insertInvite = insertLike(db, "invites", ["invitation_id", "contact", "state_version", "state"]);
  const insertEvent = insertLike(db, "events", ["event_id", "body_hash", "invite_id", "payload"]);
  const model = db.prepare("SELECT state FROM invites").pluck().get();
  const payload = db.prepare("SELECT payload FROM events").pluck().get();
  const rename = (text, n) =>
    text.replaceAll("inv_0", `inv_${n}`).replaceAll("candidate.0@", `candidate.${n}@`);

  const hash = Buffer.alloc(32);
  db.transaction(() => {
    for (let n = 1; n < count; n++) {
      hash.writeUInt32BE(n);
      const { lastInsertRowid } = insertInvite.run({
        invitation_id: `inv_${n}`,
        contact: `candidate.${n}@example.org`,
        state_version: n + 1,
        state: rename(model, n),
      });
      insertEvent.run({
        event_id: `bench-${n}`,
        body_hash: hash,
        invite_id: lastInsertRowid,
        payload: rename(payload, n),
      });
    }
    db.prepare("UPDATE counters SET value = ? WHERE name IN ('version', 'events')").run(count);
  })();
  db.pragma("journal_mode = WAL");
  db.close();
  // Or the commands measured next would wait for the disk on our behalf.
  const written = openSync(file, "r+");
  fsyncSync(written);
  closeSync(written);
}

/** Inserts rows like the one the program wrote, other only in the columns named here. */
function insertLike(db, table, changing) {
  const { id: _id, seq: _seq, ...row } = db.prepare(`SELECT * FROM ${table}`).get();
  const columns = Object.keys(row);
  const values = columns.map((column) => (changing.includes(column) ? `@${column}` : `@fixed_${column}`));
  const fixed = Object.fromEntries(columns.map((column) => [`fixed_${column}`, row[column]]));
  const insert = db.prepare(`INSERT INTO ${table} (${columns}) VALUES (${values})`);
  return { run: (changed) => insert.run({ ...fixed, ...changed }) };
}
