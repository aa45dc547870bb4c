import { expect, test } from "vitest";
import type { Store } from "../../src/store/contract/store.ts";
import { openStage, SECOND } from "./stage.ts";

test("what may be another process's to tell does not go out, and is told once it surely is ours again", async () => {
  const stage = await openStage();
  let isOurs = false;
  const asked: number[] = [];
  const doubting = (store: Store): Store => ({
    ...store,
    isHolding: (lease) => {
      asked.push(lease);
      return isOurs;
    },
  });
  await stage.complete("ann@example.com", "bob@example.com");
  await stage.start(doubting);
  await stage.until("it is asked", () => asked.length > 0, 10 * SECOND);
  await stage.until("it is told of", () => stage.problems.length > 0, 10 * SECOND);
  expect(stage.problems[0]).toMatchObject({
    code: "STORE_UNAVAILABLE",
    message: expect.stringContaining("may be another process's by now"),
  });
  expect(stage.calls).toEqual([]);
  expect(await stage.counts()).toMatchObject({ pending: 2, delivered: 0 });
  const inDoubt = new Set(asked);
  isOurs = true;
  await stage.until("both are told", async () => (await stage.counts()).delivered === 2);
  expect(stage.calls.map(({ contacts }) => contacts.length)).toEqual([2]);
  expect(inDoubt.has(asked.at(-1) ?? 0)).toBe(false);
});
