/** Appends once for each line it is told, and says when it had. */
import { createInterface } from "node:readline";
import { systemClock } from "../../../src/shared/clock.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";
import { anEvent } from "../events.ts";

const [stateDir = ""] = process.argv.slice(2);
const store = await openSqliteStore({ stateDir, clock: systemClock });
process.stdout.write(`"ready"\n`);
for await (const eventId of createInterface({ input: process.stdin })) {
  await store.append([anEvent("completed", { eventId })]);
  process.stdout.write(`${Date.now()}\n`);
}
await store.close();
