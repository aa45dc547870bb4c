/** Tries to open a store in each of the directories given, and says what came of it. */
import { systemClock } from "../../../src/shared/clock.ts";
import { isAppError } from "../../../src/shared/errors.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite.ts";

for (const stateDir of process.argv.slice(2)) {
  const outcome = await openSqliteStore({ stateDir, clock: systemClock }).then(
    () => "opened",
    (error: unknown) => (isAppError(error) ? `${error.code}: ${error.message}` : String(error)),
  );
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
