import { describe, expect, test } from "vitest";
import { isDegraded } from "../../src/core/delivery/outage-record.ts";
import type { Fault } from "../emulated.ts";
import { invite } from "../world.ts";
import {
  MINUTE,
  mostAtOnce,
  openStage,
  people,
  SECOND,
  type SeenCall,
  type Stage,
  type StageOptions,
} from "./stage.ts";
import { attemptsOf } from "../store/looks.ts";

const ANONYMOUS = { status: "error", message: "something is wrong", category: "VALIDATION_ERROR" };
const UPSERT = "/crm/v3/objects/contacts/batch/upsert";

/** A stage on which the vendor fails whenever one of these contacts is in a call. */
async function withPoison(fault: Fault, poison: readonly string[], options?: StageOptions): Promise<Stage> {
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

async function hasArrived(stage: Stage, emails: readonly string[]): Promise<boolean> {
  const contacts = await stage.contacts();
  return emails.every((email) => contacts.has(email));
}

function callsWith({ calls }: Stage, address: string): SeenCall[] {
  return calls.filter(({ contacts }) => contacts.some((contact) => contact.startsWith(address)));
}

/** The most calls that held one and the same of these contacts at once. */
function mostAtOnceOfOne(stage: Stage, addresses: readonly string[]): number {
  return Math.max(...addresses.map((address) => mostAtOnce(callsWith(stage, address))));
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

  test("holds up nobody where the vendor never answers it, however long it takes to find", async () => {
    const all = people(1_000);
    const [hangs = "", hangsToo = ""] = all.slice(333);
    const fails = all.at(777) ?? "";
    const stage = await openStage({ vendorLimit: "100/10s" });
    for (const match of [hangs, hangsToo]) await stage.fault({ delayMs: 60 * MINUTE, match, path: UPSERT });
    await stage.fault({ status: 500, match: fails, path: UPSERT });
    await stage.complete(...all);
    await stage.start();
    const delivered = async () => (await stage.counts()).delivered;
    await stage.until("the other batches arrive", async () => (await delivered()) >= 898, 10 * SECOND);
    for (let round = 0; round < 30; round += 1) {
      const late = people(10, 2_000 + 10 * round);
      await stage.complete(...late);
      await stage.until("what is new arrives", () => hasArrived(stage, late), SECOND);
      await stage.pass(8 * SECOND);
    }
    await allSettled(stage, { delivered: 997 + 300, pending: 3, rejected: 0 }, 2 * MINUTE);
    expect(callsWith(stage, hangs).length).toBeLessThanOrEqual(1 + 7 + 6);
    expect(mostAtOnceOfOne(stage, [hangs, hangsToo, fails])).toBe(1);
    expect((await stage.connection()).outage).toBeNull();
  });

  test("holds up nobody where it hangs alone in a quiet hour", async () => {
    const stage = await openStage();
    await stage.fault({ delayMs: 60 * MINUTE, match: "poison@" });
    await stage.complete("poison@example.org");
    await stage.start();
    await stage.until("it is tried again", () => callsWith(stage, "poison@").length === 3, 2 * MINUTE);
    for (let round = 0; round < 40; round += 1) {
      const late = people(1, round);
      await stage.pass(7 * SECOND);
      await stage.complete(...late);
      await stage.until("what is new arrives", () => hasArrived(stage, late), SECOND);
    }
    await stage.pass(20 * SECOND);
    await stage.until("it hangs", () => callsWith(stage, "poison@").at(-1)?.endedAt === null, 5 * MINUTE);
    await stage.complete(...people(1, 0));
    await stage.until("what changed arrives", () => callsWith(stage, "p00000@").length === 2, SECOND);
    await allSettled(stage, { delivered: 40, pending: 1 }, 15 * SECOND);
    expect(callsWith(stage, "poison@").at(-1)?.endedAt).toBeNull();
    expect(callsWith(stage, "poison@").length).toBeGreaterThan(5);
    expect(mostAtOnceOfOne(stage, ["poison@"])).toBe(1);
  });

  test("is found where it hangs in each of twenty batches", async () => {
    const all = people(2_000);
    const bad = every(100, all.slice(50));
    const stage = await withPoison({ delayMs: 60 * MINUTE }, bad, { vendorLimit: "100/10s" });
    await stage.complete(...all, ...people(1, 5_000));
    await stage.start();
    await stage.pass(35 * SECOND);
    const late = people(50, 6_000);
    await stage.complete(...late);
    await stage.until("what is new arrives", () => hasArrived(stage, late), SECOND);
    await allSettled(stage, { delivered: 2_001 - 20 + 50, pending: 20, rejected: 0 }, 20 * MINUTE);
    expect(mostAtOnceOfOne(stage, bad)).toBe(1);
  });

  test("holds up nobody where two thousand fail for it", async () => {
    const bad = Array.from({ length: 2_000 }, (_, n) => `bad${n}@example.org`);
    const stage = await withPoison({ status: 500 }, ["bad"], { vendorLimit: "100/10s" });
    await stage.complete(...people(100), ...bad);
    await stage.start();
    await stage.pass(12 * SECOND);
    for (let round = 0; round < 30; round += 1) {
      const late = people(1, 500 + round);
      await stage.complete(...late);
      // The window may be full at that moment, and the next place is its.
      await stage.until("what is new arrives", () => hasArrived(stage, late), 11 * SECOND);
      await stage.pass(10 * SECOND);
    }
    expect(stage.calls.filter(({ status }) => status === 429)).toEqual([]);
  });

  test("takes no more than half of the calls in flight where much of it is in quarantine", async () => {
    const bad = Array.from({ length: 100 }, (_, n) => `bad${String(n).padStart(3, "0")}@example.org`);
    const stage = await openStage({ vendorLimit: "100/10s" });
    await stage.fault({ status: 500, match: "bad" });
    await stage.complete(...people(100), ...bad);
    await stage.start();
    await allSettled(stage, { delivered: 100, pending: 100 }, 10 * MINUTE);
    await stage.clearFaults();
    await stage.fault({ delayMs: 60 * MINUTE, match: "bad" });
    const hanging = () => callsWith(stage, "bad").filter(({ endedAt }) => endedAt === null).length;
    await stage.until("half of the calls are taken", () => hanging() === 32, 10 * MINUTE);
    const late = people(50, 500);
    await stage.complete(...late);
    await stage.until("what is new arrives", () => hasArrived(stage, late), SECOND);
    await stage.pass(15 * MINUTE);
    expect(mostAtOnce(callsWith(stage, "bad"))).toBe(32);
    await stage.clearFaults();
    await allSettled(stage, { delivered: 250, pending: 0 }, 15 * MINUTE);
  });

  test("is found by the next process where the first one ends meanwhile", async () => {
    const stage = await withPoison({ delayMs: 60 * MINUTE }, ["p00033@"]);
    await stage.complete(...people(300));
    const first = await stage.start();
    await stage.until("it is bisected", () => callsWith(stage, "p00033@").length === 3, 5 * MINUTE);
    await stage.through(first.stop());
    const delivered = (await stage.counts()).delivered;
    expect(delivered).toBeGreaterThanOrEqual(200);
    expect(await stage.counts()).toMatchObject({ pending: 300 - delivered });
    await stage.start();
    await allSettled(stage, { delivered: 299, pending: 1 }, 10 * MINUTE);
    expect(mostAtOnceOfOne(stage, ["p00033@"])).toBe(1);
  });

  test("is given up for the moment when the vendor goes down while it is bisected", async () => {
    const stage = await withPoison({ delayMs: 60 * MINUTE }, ["p00033@"]);
    await stage.complete(...people(300));
    await stage.start();
    await stage.until("it is bisected", () => callsWith(stage, "p00033@").length === 3, 5 * MINUTE);
    await stage.fault({ status: 503 });
    await stage.complete(...people(50, 500));
    await stage.pass(15 * MINUTE);
    expect(isDegraded((await stage.connection()).outage)).toBe(true);
    const before = stage.calls.length;
    await stage.pass(30 * MINUTE);
    const probes = stage.calls.slice(before).map(({ contacts }) => contacts.length);
    expect(probes).toEqual([1, 1, 1, 1, 1, 1]);
    await stage.clearFaults();
    await allSettled(stage, { delivered: 350, pending: 0 }, 10 * MINUTE);
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
    const faults: Fault[] = [{ drop: true }, { status: 200, body: { results: [] } }];
    for (const fault of faults) {
      const all = people(100);
      const stage = await withPoison(fault, ["p00077@"]);
      await stage.complete(...all);
      await stage.start();
      await allSettled(stage, { delivered: 99, pending: 1, rejected: 0 });
    }
  });

  test("goes by itself and backs off, while others come and go", async () => {
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

  test("goes with others again once it changed", async () => {
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
    const [attempt] = await attemptsOf(store, { org: "acme", outcome: "rejected", limit: 10 });
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

describe("a lone record that clashes with what somebody writes at that moment", () => {
  const clash = { status: "error", category: "CONFLICT", message: "Contact already exists. Existing ID: 7" };

  test("is told once more, and arrives", async () => {
    const stage = await openStage();
    await stage.fault({ status: 409, body: clash, match: "p00000@", times: 1 });
    await stage.complete(...people(1));
    await stage.start();
    await allSettled(stage, { delivered: 1, rejected: 0, pending: 0 });
    expect(stage.calls.map(({ status }) => status)).toEqual([409, 200]);
  });

  test("is rejected with the vendor's words where it clashes again", async () => {
    const stage = await withPoison({ status: 409, body: clash }, ["p00000@"]);
    await stage.complete(...people(1));
    const { store } = await stage.start();
    await allSettled(stage, { delivered: 0, rejected: 1, pending: 0 });
    expect(stage.calls.map(({ status }) => status)).toEqual([409, 409]);
    const [attempt] = await attemptsOf(store, { org: "acme", outcome: "rejected", limit: 10 });
    expect(attempt).toMatchObject({ httpStatus: 409, reason: clash.message });
  });

  test("is told once more by itself where it alone of a call was refused for it", async () => {
    const stage = await openStage();
    const body = (email: string) => ({
      status: "COMPLETE",
      results: [{ id: "101", properties: { email: "p00001@example.org" } }],
      errors: [{ ...clash, context: { ids: [email] } }],
    });
    await stage.fault({ status: 207, body: body("p00000@example.org"), match: "p00000@", times: 1 });
    await stage.complete(...people(2));
    await stage.start();
    await allSettled(stage, { delivered: 2, rejected: 0, pending: 0 });
    expect(stage.calls.map(({ contacts }) => contacts.length)).toEqual([2, 1]);
  });

  test("whose clash HubSpot explains is rejected at once", async () => {
    const detail = { isValid: false, message: "taken", error: "NON_UNIQUE_VALUE", name: "jc_invitation_id" };
    const message = `Property values were not valid: ${JSON.stringify([detail])}`;
    const stage = await withPoison({ status: 409, body: { ...clash, message } }, ["p00000@"]);
    await stage.complete(...people(1));
    await stage.start();
    await allSettled(stage, { delivered: 0, rejected: 1, pending: 0 });
    expect(stage.calls).toHaveLength(1);
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
