/** A process that tries once to take a lock, and says what came of it. */
import { isAppError } from "../../src/shared/errors.ts";
import { createLocks } from "../../src/vault/file/lock.ts";

const { stateDir, name } = JSON.parse(process.argv[2] ?? "{}");
let minutes = 0;
const clock = {
  now: () => {
    minutes += 1;
    return minutes * 61_000;
  },
  monotonic: () => minutes * 61_000,
  sleep: async () => {},
};
try {
  await createLocks({ stateDir, clock })(name, async () => console.log("held"));
} catch (error) {
  if (!isAppError(error)) throw error;
  console.log(error.code);
}
