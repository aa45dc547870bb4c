import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { createLocks } from "../../src/vault/file/lock.ts";
import { fakeClock } from "../fake-clock.ts";
import { bundled, kill, nextLine, start } from "./processes.ts";
import { temporaryDirectory } from "../directory.ts";

/** Far below the minute for which a lock is waited for. */
const PATIENCE_MS = 20_000;

test("a killed holder frees its lock at once, and only its own", async () => {
  const stateDir = temporaryDirectory();
  const holder = start(await bundled(new URL("hold-lock.ts", import.meta.url)), { stateDir, name: "a" });
  expect(await nextLine(holder)).toBe("held");
  const exclusively = createLocks({ stateDir, clock: systemClock });
  expect(await exclusively("b", async () => "free")).toBe("free");
  let isTaken = false;
  const taking = exclusively("a", async () => {
    isTaken = true;
  });
  expect(isTaken).toBe(false);
  await kill(holder);
  const killedAt = performance.now();
  await taking;
  expect(performance.now() - killedAt).toBeLessThan(PATIENCE_MS);
});

test("a second taker in the holder's own process leaves the lock with it", async () => {
  const stateDir = temporaryDirectory();
  const exclusively = createLocks({ stateDir, clock: systemClock });
  let letGo = () => {};
  const held = exclusively(
    "a",
    () =>
      new Promise<void>((resolve) => {
        letGo = resolve;
      }),
  );
  const second = exclusively("a", async () => "second");
  const file = await bundled(new URL("try-lock.ts", import.meta.url));
  expect(await nextLine(start(file, { stateDir, name: "a" }))).toBe("VAULT_UNAVAILABLE");
  letGo();
  await held;
  expect(await second).toBe("second");
  expect(await nextLine(start(file, { stateDir, name: "a" }))).toBe("held");
});

test("a holder that does not let go is given up after a minute, with words", async () => {
  const clock = fakeClock();
  const stateDir = temporaryDirectory();
  const exclusively = createLocks({ stateDir, clock });
  const over = new AbortController();
  const holding = exclusively("a", () => clock.sleep(600_000, over.signal)).catch(() => "let go");
  const waiting = expect(exclusively("a", async () => {})).rejects.toMatchObject({
    code: "VAULT_UNAVAILABLE",
    message: "Another process has held the lock on a for a minute",
  });
  await clock.advance(61_000);
  await waiting;
  over.abort();
  expect(await holding).toBe("let go");
});

test("a directory that cannot be made is a vault error", async () => {
  const stateDir = temporaryDirectory();
  const exclusively = createLocks({ stateDir, clock: systemClock });
  writeFileSync(join(stateDir, "vault-locks"), "in the way");
  await expect(exclusively("a", async () => {})).rejects.toMatchObject({ code: "VAULT_UNAVAILABLE" });
  rmSync(join(stateDir, "vault-locks"));
  mkdirSync(join(stateDir, "vault-locks"));
  expect(await exclusively("a", async () => statSync(stateDir).isDirectory())).toBe(true);
});
