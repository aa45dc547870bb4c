/** Opens a log with one migration more than it has, which takes its time. */
import { openLog } from "../../../src/store/sqlite/file/open.ts";
import { MIGRATIONS } from "../../../src/store/sqlite/file/migrations.ts";
import { SLOW_MIGRATION } from "../slow-migration.ts";

const [stateDir = ""] = process.argv.slice(2);
process.stdout.write(`"begun"\n`);
openLog(stateDir, { migrations: [...MIGRATIONS, SLOW_MIGRATION], now: Date.now() }).close();
process.stdout.write(`"done"\n`);
