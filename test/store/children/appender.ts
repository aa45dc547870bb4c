/** Appends through the threaded store, many at a time, and says which events were acknowledged, until it is killed. */
import { pathToFileURL } from "node:url";
import { openThreadedStore } from "../../../src/store/sqlite/threaded.ts";
import { anEvent, connect } from "../events.ts";

const [stateDir = "", threadPath = "", prefix = ""] = process.argv.slice(2);
const store = await openThreadedStore({ stateDir, threadUrl: pathToFileURL(threadPath) });
await connect(store, { org: "service" });

let count = 0;
const appendForever = async () => {
  for (;;) {
    count += 1;
    const eventId = `${prefix}-${count}`;
    await store.append([anEvent("completed", { eventId, invitationId: eventId, org: "service" })]);
    process.stdout.write(`${JSON.stringify(eventId)}\n`);
  }
};
await Promise.all(Array.from({ length: 16 }, appendForever));
