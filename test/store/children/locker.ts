/** Holds the log's lock for writing for so many milliseconds. */
import { join } from "node:path";
import Database from "better-sqlite3";

const [stateDir = "", forMs = "0"] = process.argv.slice(2);
const db = new Database(join(stateDir, "log.db"));
db.exec("BEGIN IMMEDIATE");
process.stdout.write(`"locked"\n`);
setTimeout(() => {
  db.exec("COMMIT");
  db.close();
  process.stdout.write(`"free"\n`);
}, Number(forMs));
