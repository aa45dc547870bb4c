// The least that could do the receiver's work: `node:http`, the same signature, the same rows, group commits.
// What it leaves out is what the program is for: reading fields with care, one bad event leaving its neighbours
// alone, invites that were there before.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import Database from "better-sqlite3";
import { SECRET } from "./events.js";

const [file, rows] = process.argv.slice(2);
const key = Buffer.from(SECRET.slice("whsec_".length), "base64");

const db = new Database(file);
for (const pragma of [
  "journal_mode = WAL",
  "synchronous = FULL",
  "cache_size = -65536",
  "mmap_size = 268435456",
])
  db.pragma(pragma);

const insertInvite = db.prepare(`
  INSERT INTO invites (org, invitation_id, contact, assessment, status, at, state_version, state)
  VALUES (?, ?, ?, NULL, ?, ?, ?, ?)`);
const insertPush = db.prepare(`
  INSERT INTO pushes (connection_id, subject, state, held_cause, version, pending_since, due_at)
  VALUES (1, ?, 'held', 'reconnect', ?, ?, ?)`);
const insertEvent = db.prepare(`
  INSERT INTO events (source, event_id, body_hash, type, at, received_at, conflict, invite_id, payload)
  VALUES ('jobcannon', ?, ?, ?, ?, ?, 0, ?, ?)`);
let version = 0;

const commit = db.transaction((batch) => {
  for (const { id, body } of batch) {
    const now = Date.now();
    const { type, timestamp, data } = JSON.parse(body);
    const at = Date.parse(timestamp);
    let inviteId = null;
    if (rows === "all") {
      version += 1;
      const contact = data.candidate.email.trim().toLowerCase();
      inviteId = insertInvite.run(
        data.org,
        data.invitation_id,
        contact,
        data.status,
        at,
        version,
        JSON.stringify(data),
      ).lastInsertRowid;
      insertPush.run(contact, version, now, now);
    }
    insertEvent.run(id, createHash("sha256").update(body).digest(), type, at, now, inviteId, body.toString());
  }
});

let waiting = [];
function commitWaiting() {
  const batch = waiting;
  waiting = [];
  commit(batch);
  for (const { response } of batch) response.end('{"status":"stored"}\n');
}

const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    const { "webhook-id": id, "webhook-timestamp": sentAt, "webhook-signature": signature } = request.headers;
    const isFresh = Math.abs(Date.now() - Number(sentAt) * 1000) < 300_000;
    response.setHeader("content-type", "application/json");
    response.statusCode = isFresh && isSigned(`${id}.${sentAt}.`, body, signature) ? 202 : 401;
    if (response.statusCode === 401) return response.end();
    waiting.push({ id, body, response });
    if (waiting.length === 1) setImmediate(commitWaiting);
  });
});
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ listening: `127.0.0.1:${server.address().port}` }));
});

function isSigned(prefix, body, signature) {
  const expected = Buffer.from(
    `v1,${createHmac("sha256", key).update(prefix).update(body).digest("base64")}`,
  );
  const given = Buffer.from(signature ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}
