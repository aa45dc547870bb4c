import { describe, expect, test } from "vitest";
import { invite } from "../world.ts";
import { MINUTE, openStage, people, SECOND, type Stage, type StageOptions } from "./stage.ts";

const ANONYMOUS = { status: "error", message: "something is wrong", category: "VALIDATION_ERROR" };
const UPSERT = "/crm/v3/objects/contacts/batch/upsert";

/** A stage on which the vendor fails whenever one of these contacts is in a call. */
async function withPoison(fault: object, poison: readonly string[], options?: StageOptions): Promise<Stage> {
  const stage = await openStage(options);
  for (const match of poison) await stage.fault({ ...fault, match, path: UPSERT });
  return stage;
}

async function allSettled(stage: Stage, expected: object, withinMs = MINUTE): Promise<void> {
  await stage.until(
    "all is settled",
    async () => {
      const { delivered, rejected, held, pending } = await stage.counts();
      const now = { delivered, rejected, held, pending };
      return Object.entries(expected).every(([state, n]) => new Map(Object.entries(now)).get(state) === n);
    },
    withinMs,
  );
}

async function arrived(stage: Stage): Promise<string[]> {
  return [...(await stage.contacts()).keys()].sort();
}

/** Every n-th of them. */
function every(n: number, emails: readonly string[]): string[] {
  return emails.filter((_, index) => index % n === 0);
}

function without(emails: readonly string[], others: readonly string[]): string[] {
  return emails.filter((email) => !others.includes(email));
}

describe("a record named in an answer of parts costs no call of its own", () => {
  test.each([1, 2, 50, 100])("%i of 100", async (n) => {
    const stage = await openStage();
    const good = people(100 - n);
    const bad = Array.from({ length: n }, (_, index) => `no address ${index}`);
    await stage.complete(...good, ...bad);
    await stage.start();
    await allSettled(stage, { delivered: 100 - n, rejected: n, pending: 0 });
    expect(stage.calls).toHaveLength(1);
    expect(await arrived(stage)).toEqual(good);
  });
});

describe("a record named in a call refused whole costs two calls at most", () => {
  test.each([1, 2, 5])("%i of 100", async (n) => {
    const all = people(100);
    const bad = all.slice(10, 10 + n);
    const stage = await openStage();
    for (const email of bad) {
      const body = { ...ANONYMOUS, message: `Email address ${email} is not allowed` };
      await stage.fault({ status: 400, match: email, body });
    }
    await stage.complete(...all);
    await stage.start();
    await allSettled(stage, { delivered: 100 - n, rejected: n, pending: 0 });
    expect(stage.calls.length - 1).toBeLessThanOrEqual(2 * n);
    expect(await arrived(stage)).toEqual(without(all, bad));
  });
});

describe("a record that nobody names is found by halving", () => {
  /** The calls that halving needs when every half is tried once. */
  function halvingCalls(batch: readonly string[], bad: readonly string[]): number {
    if (batch.length === 1 || !batch.some((email) => bad.includes(email))) return 1;
    const half = Math.ceil(batch.length / 2);
    return 1 + halvingCalls(batch.slice(0, half), bad) + halvingCalls(batch.slice(half), bad);
  }

  test.each([
    [400, 1],
    [400, 2],
    [400, 50],
    [400, 100],
    [409, 1],
    [409, 2],
    [409, 100],
  ])("%i, %i of 100", async (status, n) => {
    const all = people(100);
    const bad = every(100 / n, all);
    const stage = await withPoison({ status, body: ANONYMOUS }, bad);
    await stage.complete(...all);
    await stage.start();
    await allSettled(stage, { delivered: 100 - n, rejected: n, pending: 0 });
    expect(stage.calls).toHaveLength(halvingCalls(all, bad));
    expect(await arrived(stage)).toEqual(without(all, bad));
  });
});

describe("content that makes the vendor fail", () => {
  test("holds up nobody among 1,000: the 999 others arrive within a minute", async () => {
    const all = people(1_000);
    const [bad] = all.slice(333);
    const stage = await withPoison({ status: 500 }, [bad ?? ""], { vendorLimit: "100/10s" });
    await stage.complete(...all);
    await stage.start();
    await allSettled(stage, { delivered: 999, pending: 1, rejected: 0 });
    expect(await arrived(stage)).toEqual(without(all, [bad ?? ""]));
    expect(stage.calls.length).toBeLessThanOrEqual(10 + 1 + 15);
    await stage.pass(40 * MINUTE);
    expect(await stage.counts()).toMatchObject({ pending: 1, stuck: 1, rejected: 0 });
    expect((await stage.connection()).outage).toBeNull();
  });

  test.each([
    ["first of its only batch", [0]],
    ["last of its only batch", [99]],
    ["in different halves", [10, 80]],
    ["in the same quarter", [51, 60]],
    ["as every second one", every(2, people(100)).map((_, index) => 2 * index)],
  ])("is found where it is %s", async (_where, places) => {
    const all = people(100);
    const bad = places.map((place) => all[place] ?? "");
    const stage = await withPoison({ status: 503 }, bad);
    await stage.complete(...all);
    await stage.start();
    await allSettled(stage, { delivered: 100 - bad.length, pending: bad.length, rejected: 0 });
    expect(await arrived(stage)).toEqual(without(all, bad));
  });

  test("as a cut connection or an empty answer is found like any other", async () => {
    for (const fault of [{ drop: true }, { status: 200, body: { results: [] } }]) {
      const all = people(100);
      const stage = await withPoison(fault, ["p00077@"]);
      await stage.complete(...all);
      await stage.start();
      await allSettled(stage, { delivered: 99, pending: 1, rejected: 0 });
    }
  });

  test("travels alone and backs off by itself, while others come and go", async () => {
    const stage = await withPoison({ status: 500 }, ["p00003@"]);
    await stage.complete(...people(10));
    await stage.start();
    await allSettled(stage, { delivered: 9, pending: 1 });
    const before = stage.calls.length;
    for (let round = 0; round < 30; round += 1) {
      await stage.complete(...people(5, 100 + round * 5));
      await stage.pass(20 * SECOND);
    }
    const its = stage.calls.slice(before).filter(({ contacts }) => contacts.includes("p00003@example.org"));
    expect(its.every(({ contacts }) => contacts.length === 1)).toBe(true);
    // Five more tries within a minute, then one a tick.
    expect(its.length).toBeLessThanOrEqual(5 + 2);
    expect(await stage.counts()).toMatchObject({ delivered: 9 + 150, pending: 1 });
    await stage.clearFaults();
    await allSettled(stage, { delivered: 160, pending: 0 }, 5 * MINUTE);
  });

  test("travels in company again once it changed", async () => {
    const stage = await withPoison({ status: 500 }, ["p00003@"]);
    await stage.complete(...people(10));
    const process = await stage.start();
    await allSettled(stage, { delivered: 9, pending: 1 });
    await stage.through(process.stop());
    await stage.clearFaults();
    await stage.complete("p00003@example.org", ...people(3, 100));
    await stage.pass(MINUTE);
    const before = stage.calls.length;
    await stage.start();
    await allSettled(stage, { delivered: 13, pending: 0 });
    expect(stage.calls.slice(before).map(({ contacts }) => contacts.length)).toEqual([4]);
  });
});

describe("a record that the vendor refuses", () => {
  const words = { message: "Email is blocked", error: "INVALID_EMAIL", name: "email", isValid: false };
  const refusal = {
    status: "error",
    category: "VALIDATION_ERROR",
    message: `Property values were not valid: ${JSON.stringify([words])}`,
    correlationId: "c-77",
  };

  test("keeps the vendor's words, the property and the correlation id", async () => {
    const stage = await withPoison({ status: 400, body: refusal }, ["p00001@"]);
    await stage.complete(...people(3));
    const { store } = await stage.start();
    await allSettled(stage, { delivered: 2, rejected: 1 });
    const [attempt] = await store.attempts({ org: "acme", outcome: "rejected", limit: 10 });
    expect(attempt).toMatchObject({
      subject: "p00001@example.org",
      httpStatus: 400,
      correlationId: "c-77",
      reason: "email: Email is blocked",
    });
  });

  test("is not sent again by itself, and its next version is, at once", async () => {
    const stage = await withPoison({ status: 400, body: refusal }, ["p00001@"]);
    await stage.complete(...people(3));
    await stage.start();
    await allSettled(stage, { delivered: 2, rejected: 1 });
    const before = stage.calls.length;
    await stage.pass(24 * 60 * MINUTE);
    expect(stage.calls).toHaveLength(before);
    await stage.clearFaults();
    await stage.complete("p00001@example.org");
    await allSettled(stage, { delivered: 3, rejected: 0 }, SECOND);
    expect((await stage.contacts()).has("p00001@example.org")).toBe(true);
  });
});

describe("one person", () => {
  test("with several invites is one record of a call", async () => {
    const stage = await openStage();
    await stage.complete("Ann@Example.org", " ann@example.org", "ANN@example.org", "bob@example.org");
    await stage.start();
    await allSettled(stage, { delivered: 2, pending: 0 });
    expect(stage.calls.map(({ contacts }) => contacts.sort())).toEqual([
      ["ann@example.org", "bob@example.org"],
    ]);
  });

  test("met by two addresses of one contact never sinks a batch", async () => {
    const stage = await openStage();
    const created = await stage.ask("POST", "/crm/v3/objects/contacts", {
      properties: { email: "ann@example.org", hs_additional_emails: "ann.lee@example.org" },
    });
    expect(created).toMatchObject({ properties: { email: "ann@example.org" } });
    await stage.take(invite({ email: "ann@example.org" }), invite({ email: "ann.lee@example.org" }));
    await stage.complete(...people(50));
    await stage.start();
    await allSettled(stage, { delivered: 52, rejected: 0, pending: 0 });
    expect(await arrived(stage)).toEqual(["ann@example.org", ...people(50)]);
  });
});
