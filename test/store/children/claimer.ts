/** Begins the sweep, claims what is due, says what it got, and then does nothing any more. */
import { systemClock } from "../../../src/shared/clock.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";
import { NOON } from "../../core/example.ts";
import { MINUTE } from "../events.ts";
import { claimsOf } from "../looks.ts";

const [stateDir = "", connectionId = ""] = process.argv.slice(2);
const store = await openSqliteStore({ stateDir, clock: systemClock });
const about = { startedAt: NOON, version: "1.0.0", build: "", directory: "/", config: null, lostLines: 0 };
await store.runningServices({ enter: about });
await store.beginTick({ job: "sweep", dueAt: NOON, now: NOON, once: true });
const claims = await claimsOf(store, { connectionId: Number(connectionId), limit: 100, now: NOON + MINUTE });
process.stdout.write(`${JSON.stringify(claims.map(({ subject }) => subject))}\n`);
setInterval(() => {}, 60_000);
