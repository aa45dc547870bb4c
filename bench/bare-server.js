// The least that could do the receiver's work: `node:http`, the same signature, the same rows, group commits.
// What it leaves out is what the program is for: reading fields with care, one bad event leaving its neighbours
// alone, invites that were there before.
import { createHash } from "node:crypto";
import Database from "better-sqlite3";
import { listenForWebhooks, stored } from "./signed-webhooks.js";

const [file, rows] = process.argv.slice(2);

const db = new Database(file);
for (const pragma of [
  "journal_mode = WAL",
  "synchronous = FULL",
  "cache_size = -65536",
  "mmap_size = 268435456",
])
  db.pragma(pragma);

/** Inserts rows like the one the program wrote, other only in the columns named here. */
function insertLike(table, changing) {
  const { id: _id, seq: _seq, ...model } = db.prepare(`SELECT * FROM ${table} LIMIT 1`).get();
  const literal = (value) =>
    typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value ?? "NULL");
  const values = Object.keys(model).map((column) =>
    changing.includes(column) ? `@${column}` : literal(model[column]),
  );
  return db.prepare(`INSERT INTO ${table} (${Object.keys(model)}) VALUES (${values})`);
}

const insertInvite = insertLike("invites", ["invitation_id", "contact", "at", "state_version", "state"]);
const insertPush = insertLike("pushes", ["subject", "version", "pending_since", "due_at"]);
const insertEvent = insertLike("events", [
  "event_id",
  "body_hash",
  "at",
  "received_at",
  "invite_id",
  "payload",
]);
let version = 1_000;

const commit = db.transaction((batch) => {
  for (const { id, body } of batch) {
    const now = Date.now();
    const { timestamp, data } = JSON.parse(body);
    const at = Date.parse(timestamp);
    let inviteId = null;
    if (rows === "all") {
      version += 1;
      const contact = data.candidate.email.trim().toLowerCase();
      inviteId = insertInvite.run({
        invitation_id: data.invitation_id,
        contact,
        at,
        state_version: version,
        state: JSON.stringify(data),
      }).lastInsertRowid;
      insertPush.run({ subject: contact, version, pending_since: now, due_at: now });
    }
    insertEvent.run({
      event_id: id,
      body_hash: createHash("sha256").update(body).digest(),
      at,
      received_at: now,
      invite_id: inviteId,
      payload: body.toString(),
    });
  }
});

let waiting = [];
function commitWaiting() {
  const batch = waiting;
  waiting = [];
  commit(batch);
  for (const { response } of batch) stored(response);
}

listenForWebhooks((webhook) => {
  waiting.push(webhook);
  if (waiting.length === 1) setImmediate(commitWaiting);
});
