// The least that could deliver: undici, the same bodies, so many calls at once, and for each answer one transaction
// with the rows that the program writes when it settles. It has every projection ready in memory, claims nothing,
// and believes any answer that names the right trace ids.
import Database from "better-sqlite3";
import { Pool } from "undici";

const [file, projectionsFile, vendor, path, callsAtOnce] = process.argv.slice(2);
const PER_CALL = 100;

const db = new Database(file);
for (const pragma of [
  "journal_mode = WAL",
  "synchronous = FULL",
  "foreign_keys = ON",
  "cache_size = -65536",
  "mmap_size = 268435456",
])
  db.pragma(pragma);

const source = new Database(projectionsFile, { readonly: true });
const projections = new Map(source.prepare("SELECT subject, projection FROM pushes").raw().all());
source.close();
const due = db
  .prepare("SELECT id, subject, version FROM pushes WHERE state = 'pending' ORDER BY due_at")
  .all()
  .map((push) => ({ ...push, projection: JSON.parse(projections.get(push.subject)) }));

const settle = db.prepare(`
  UPDATE pushes SET state = 'delivered', delivered_version = @version, pending_since = NULL, due_at = @now, tries = 0,
    projection = @projection, warnings = '[]' WHERE id = @id`);
const attempt = db.prepare(`
  INSERT INTO attempts (push_id, version, at, outcome, http_status, correlation_id, duration_ms, reason)
  VALUES (@id, @version, @now, 'delivered', 200, NULL, 1, NULL)`);
const settleAll = db.transaction((batch) => {
  const now = Date.now();
  for (const { id, version, projection } of batch) {
    settle.run({ id, version, now, projection: JSON.stringify(projection) });
    attempt.run({ id, version, now });
  }
});

const pool = new Pool(vendor, { connections: Number(callsAtOnce) });
let next = 0;
async function sendNext() {
  while (next < due.length) {
    const batch = due.slice(next, next + PER_CALL);
    next += PER_CALL;
    const inputs = batch.map(({ id, subject, version, projection }) => ({
      id: subject,
      idProperty: "email",
      properties: projection,
      objectWriteTraceId: `${id}-${version}`,
    }));
    const { statusCode, body } = await pool.request({
      method: "POST",
      path,
      headers: { "content-type": "application/json", authorization: "Bearer bench" },
      body: JSON.stringify({ inputs }),
    });
    const { results } = await body.json();
    const confirmed = new Set(results.map(({ objectWriteTraceId }) => objectWriteTraceId));
    if (statusCode !== 200 || inputs.some(({ objectWriteTraceId }) => !confirmed.has(objectWriteTraceId)))
      throw new Error(`the vendor answered ${statusCode}`);
    settleAll(batch);
  }
}
await Promise.all(Array.from({ length: Number(callsAtOnce) }, sendNext));
await pool.close();
db.close();
