/** A process that takes a lock, says so, and keeps it for as long as it lives. */
import { systemClock } from "../../src/shared/clock.ts";
import { createLocks } from "../../src/vault/file/lock.ts";

const { stateDir, name } = JSON.parse(process.argv[2] ?? "{}");
const exclusively = createLocks({ stateDir, clock: systemClock });
await exclusively(name, async () => {
  console.log("held");
  await systemClock.sleep(600_000);
});
