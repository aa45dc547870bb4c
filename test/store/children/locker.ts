/** Holds the log's lock for writing until it is told anything. */
import { join } from "node:path";
import Database from "better-sqlite3";

const [stateDir = ""] = process.argv.slice(2);
const db = new Database(join(stateDir, "log.db"));
db.exec("BEGIN IMMEDIATE");
process.stdout.write(`"locked"\n`);
process.stdin.once("data", () => {
  db.exec("COMMIT");
  db.close();
  process.stdout.write(`"free"\n`);
  process.stdin.destroy();
});
