/**
 * Writes into the log's -wal and from there into the log, and gives pages back, as fast as it can; says so once it began.
 * `once`: one large commit, and its checkpoint when a byte comes on stdin.
 */
import { once } from "node:events";
import { join } from "node:path";
import Database from "better-sqlite3";
import { notePagesLeft } from "../../../src/store/sqlite/file/log-row.ts";

const [stateDir = "", how = ""] = process.argv.slice(2);
const db = new Database(join(stateDir, "log.db"), { timeout: 5_000 });
db.pragma("wal_autocheckpoint = 0");
db.exec("CREATE TABLE IF NOT EXISTS ballast (bytes BLOB)");
const addRow = db.prepare("INSERT INTO ballast VALUES (randomblob(?))");
const giveBack = db.transaction(() => {
  db.exec("DELETE FROM ballast");
  db.pragma("incremental_vacuum");
  notePagesLeft(db);
});

if (how === "once") {
  db.transaction(() => Array.from({ length: 1_500 }, () => addRow.run(20_000)))();
  process.stdout.write(`"wrote"\n`);
  await once(process.stdin, "data");
  db.pragma("wal_checkpoint(PASSIVE)");
  process.exit(1);
}

process.stdout.write(`"writes"\n`);
for (let written = 1; ; written += 1) {
  addRow.run(5_000);
  if (written % 300 === 0) giveBack.immediate();
  db.pragma("wal_checkpoint(PASSIVE)");
}
