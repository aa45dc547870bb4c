/** On a small file system of its own: appends until the disk is full, makes room, appends again, and says how it went. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isAppError } from "../../../src/shared/errors.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { openLog } from "../../../src/store/sqlite/file/open.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";
import { openThreadedStore } from "../../../src/store/sqlite/threaded.ts";
import { anEvent } from "../events.ts";

const [mountedAt = "", threadPath = ""] = process.argv.slice(2);
const stateDir = join(mountedAt, "state");
const ballast = join(mountedAt, "ballast");
writeFileSync(ballast, Buffer.alloc(6 * 1024 * 1024));
const store = await openThreadedStore({ stateDir, threadUrl: pathToFileURL(threadPath) });

const acknowledged: string[] = [];
let count = 0;
const append = async () => {
  count += 1;
  const eventId = `evt_${count}`;
  const [result] = await store.append([
    anEvent("completed", { eventId, invitationId: eventId, note: "x".repeat(5_000) }),
  ]);
  if (result?.outcome === "stored") acknowledged.push(eventId);
};
const codeOf = (error: unknown) => (isAppError(error) ? error.code : String(error));

let refusals: string[] = [];
while (refusals.length === 0 && count < 20_000) {
  const batch = await Promise.allSettled(Array.from({ length: 20 }, append));
  refusals = batch.flatMap((one) => (one.status === "rejected" ? [codeOf(one.reason)] : []));
}
const readable = await store.overview("acme", Date.now()).then(() => true, codeOf);
const look = async () => {
  const opened = await openSqliteStore({ stateDir, clock: systemClock, toRead: true });
  const { events } = await opened.overview("acme", Date.now());
  const written = await opened.append([anEvent("invited")]).then(() => "stored", codeOf);
  await opened.close();
  return { events: events.total, written };
};
const seenByWhoLooks = await look().catch(codeOf);
rmSync(ballast);
const afterwards = await append().then(() => "stored", codeOf);
await store.close();

const db = openLog(stateDir, { now: Date.now() });
const kept = new Set(db.prepare("SELECT event_id FROM events").pluck().all());
const lost = acknowledged.filter((eventId) => !kept.has(eventId));
const integrity = db.pragma("integrity_check", { simple: true });
db.close();
process.stdout.write(
  `${JSON.stringify({ refusals: [...new Set(refusals)], stored: acknowledged.length, readable, seenByWhoLooks, afterwards, lost, integrity })}\n`,
);
