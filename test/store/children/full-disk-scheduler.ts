/** A scheduler on a small file system of its own that is full for ten minutes of its clock; says what it did meanwhile and afterwards. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { everyDue } from "../../../src/core/due-times.ts";
import { runScheduler } from "../../../src/daemon/scheduler.ts";
import { isAppError } from "../../../src/shared/errors.ts";
import { createLog } from "../../../src/shared/log.ts";
import { createRedactor } from "../../../src/shared/redact.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";
import { troubleOf } from "../../daemon/scheduling.ts";
import { fakeClock } from "../../fake-clock.ts";
import { anEvent, connect, MINUTE } from "../events.ts";
import { claimsOf } from "../looks.ts";

const [mountedAt = ""] = process.argv.slice(2);
const ballast = join(mountedAt, "ballast");
const clock = fakeClock();
const store = await openSqliteStore({ stateDir: join(mountedAt, "state"), clock });
const { id } = await connect(store);

/** One contact that is due in the middle of the time in which the disk is full. */
await store.append([anEvent("completed", { receivedAt: clock.now() })]);
const claims = await claimsOf(store, { connectionId: id, limit: 1, now: clock.now() });
const putOff = { kind: "pending", dueAt: clock.now() + 6 * MINUTE, counted: true } as const;
await store.settle(claims.map((claim) => ({ claim, outcome: putOff, now: clock.now() })));

const said = { jobs: 0, deliveries: 0, delivered: 0, told: [] as string[] };
const count = () => ({ ...said, told: [...said.told] });
const log = createLog({
  write: (line) => said.told.push(line),
  level: () => "info",
  format: "json",
  toJournal: false,
  redact: createRedactor(),
  clock,
});
const run = async () => {
  said.jobs += 1;
};
const deliver = async () => {
  said.deliveries += 1;
  const due = await claimsOf(store, { connectionId: id, limit: 9, now: clock.now() });
  const outcome = { kind: "delivered", projection: {} } as const;
  await store.settle(due.map((claim) => ({ claim, outcome, now: clock.now() })));
  said.delivered += due.length;
  return { restUntil: 0 };
};
const stop = new AbortController();
const jobs = [{ name: "look", due: everyDue(MINUTE), run }];
const trouble = troubleOf(store, { clock, log });
const looking = async () => {
  while (!stop.signal.aborted) {
    await trouble.look();
    await clock.sleep(1_000, stop.signal).catch(() => {});
  }
};
const looked = looking();
const ended = runScheduler(
  { store, clock, random: Math.random, log, trouble, jobs, isLeftToOthers: async () => false, deliver },
  stop.signal,
).then(
  () => "in order",
  (error: unknown) => `with ${String(error)}`,
);
await clock.advance(2 * MINUTE + 1);
const before = count();

fill();
let [refused, sent] = [0, 0];
while (refused < 3 && sent < 20_000) {
  sent += 1;
  const event = anEvent("completed", { org: "other", invitationId: `inv_${sent}`, note: "x".repeat(1_000) });
  const stored = await store.append([event]).then(
    () => true,
    (error: unknown) => !isAppError(error, "STORE_UNAVAILABLE"),
  );
  refused = stored ? 0 : refused + 1;
}
await clock.advance(10 * MINUTE);
const full = count();

rmSync(ballast);
await clock.advance(5 * MINUTE);
stop.abort();
const outcome = await ended;
await looked;
await store.close();
process.stdout.write(`${JSON.stringify({ before, full, afterwards: count(), outcome })}\n`);

/** Takes all the room that is left. */
function fill(): void {
  for (let size = 8 * 1024 * 1024; size >= 4_096; ) {
    try {
      writeFileSync(ballast, Buffer.alloc(size), { flag: "a" });
    } catch {
      size /= 2;
    }
  }
}
