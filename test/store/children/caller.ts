/** Takes all slots of a window for calls, and then does nothing any more. */
import { systemClock } from "../../../src/shared/clock.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";

const [stateDir = "", json = ""] = process.argv.slice(2);
const window = JSON.parse(json);
const store = await openSqliteStore({ stateDir, clock: systemClock });
for (let call = 0; call < window.calls; call += 1) await store.takeCall(window);
process.stdout.write(`"taken"\n`);
setInterval(() => {}, 60_000);
