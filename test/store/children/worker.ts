/** Appends its own events, a few at a time, and delivers whatever is due, its own or another's, until nothing is left. */
import { systemClock } from "../../../src/shared/clock.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";
import { NOON } from "../../core/example.ts";
import { anEvent, candidate, connect } from "../events.ts";
import { claimsOf } from "../looks.ts";

const [stateDir = "", name = "", batches = ""] = process.argv.slice(2);
const store = await openSqliteStore({ stateDir, clock: systemClock });
const { id } = await connect(store);
const claimed: number[] = [];
let longestMs = 0;
const timed = async <Result>(work: () => Promise<Result>): Promise<Result> => {
  const startedAt = performance.now();
  const result = await work();
  longestMs = Math.max(longestMs, performance.now() - startedAt);
  return result;
};

const eventsOf = (batch: number) =>
  Array.from({ length: 5 }, (_, n) => {
    const person = `${name}-${batch}-${n}`;
    return anEvent("completed", {
      invitationId: `inv_${person}`,
      candidate: candidate(`${person}@example.com`),
    });
  });
const deliver = async (): Promise<number> => {
  const claims = await timed(() => claimsOf(store, { connectionId: id, limit: 7, now: NOON }));
  claimed.push(...claims.map(({ pushId }) => pushId));
  const outcome = { kind: "delivered", projection: { by: name } } as const;
  await timed(() => store.settle(claims.map((claim) => ({ claim, now: NOON, outcome }))));
  return claims.length;
};

for (let batch = 0; batch < Number(batches); batch += 1) {
  await timed(() => store.append(eventsOf(batch)));
  // Everybody's events: which of the processes stores them is left to chance.
  await timed(() => store.append([anEvent("invited", { eventId: `shared-${batch}`, org: "other" })]));
  await deliver();
}
while ((await deliver()) > 0);
await store.close();
process.stdout.write(`${JSON.stringify({ claimed, longestMs })}\n`);
