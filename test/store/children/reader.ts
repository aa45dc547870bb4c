/** Reads the log and forgets to stop: until it is killed, no checkpoint gets past what it sees. */
import { join } from "node:path";
import Database from "better-sqlite3";

const [stateDir = ""] = process.argv.slice(2);
const db = new Database(join(stateDir, "log.db"), { readonly: true });
db.exec("BEGIN");
db.prepare("SELECT count(*) FROM events").get();
process.stdout.write(`"reads"\n`);
process.stdin.resume();
