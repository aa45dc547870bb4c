import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { type AskedVendor, KEY, openAskedVendor } from "./asked-vendor.ts";

const MINUTE_MS = 60_000;

async function withKey(options: Partial<Parameters<typeof openAskedVendor>[0]> = {}) {
  const clock = fakeClock();
  const vendor = await openAskedVendor({ clock, ...options });
  await vendor.setKey(KEY);
  const open = (ids: readonly string[]) => {
    for (const id of ids) vendor.applications.set(id, {});
  };
  return { clock, vendor, open };
}

async function addressesIn({ store }: AskedVendor, org = "acme"): Promise<string[]> {
  const found = await store.invites({ org, limit: 1_000 });
  return found.map(({ invite }) => invite.candidate.email).toSorted();
}

async function waitingIn({ store }: AskedVendor, org = "acme") {
  return (await store.overview(org, 0)).questions.map(({ n, reason }) => ({ n, reason }));
}

describe("events that only name what happened", () => {
  test("are looked up with the org's key, each once, and become invites", async () => {
    const { vendor, open } = await withKey();
    const ids = Array.from({ length: 40 }, (_, n) => `app-${n}`);
    open(ids);
    await vendor.receive(ids);
    expect(await vendor.run()).toEqual({ answered: 40, failed: [], isLeft: false, isAnyOpen: false });
    expect(await vendor.run()).toMatchObject({ answered: 0, failed: [] });
    expect(vendor.asked.toSorted()).toEqual(ids.toSorted());
    expect(await addressesIn(vendor)).toEqual(ids.map((id) => `${id}@example.com`).toSorted());
    expect(await waitingIn(vendor)).toEqual([]);
    const invites = await vendor.store.invites({ org: "acme", limit: 1_000 });
    expect(new Set(invites.map(({ invite }) => invite.toldBy))).toEqual(new Set(["greenhouse"]));
  });

  test("are asked about so many at once, and no more", async () => {
    for (const atOnce of [1, 3]) {
      const { vendor, open } = await withKey({ atOnce, holdsUntil: atOnce });
      const ids = Array.from({ length: 20 }, (_, n) => `app-${n}`);
      open(ids);
      await vendor.receive(ids);
      await vendor.run();
      expect(vendor.mostAtOnce()).toBe(atOnce);
    }
  });

  test("are asked about within the rate window of the key, whoever holds it", async () => {
    const { clock, vendor, open } = await withKey({ rateLimit: { calls: 5, windowMs: 10_000 } });
    await vendor.setKey(KEY, "globex");
    const ids = Array.from({ length: 6 }, (_, n) => `app-${n}`);
    open(ids);
    for (const id of ids) vendor.applications.set(`g-${id}`, { org: "globex" });
    await vendor.receive(ids);
    await vendor.receive(
      ids.map((id) => `g-${id}`),
      { org: "globex" },
    );
    const ended = vendor.run();
    await clock.advance(9_900);
    while (vendor.asked.length < 5) await clock.advance(0);
    expect(vendor.asked).toHaveLength(5);
    for (let windows = 0; windows < 5; windows += 1) await clock.advance(10_000);
    while (vendor.asked.length < 12) await clock.advance(1_000);
    expect(await ended).toMatchObject({ answered: 12, failed: [] });
  });

  test("wait for a vendor that asks for rest, and are asked on within the run", async () => {
    const { clock, vendor, open } = await withKey({ atOnce: 1, rateLimit: { calls: 50, windowMs: 10_000 } });
    open(["app-2"]);
    vendor.applications.set("app-1", { status: 429 });
    await vendor.receive(["app-1", "app-2"]);
    const ended = vendor.run();
    while (clock.sleepers() === 0) await clock.advance(0);
    expect(vendor.asked).toEqual(["app-1"]);
    open(["app-1"]);
    await clock.advance(9_000);
    expect(vendor.asked).toEqual(["app-1"]);
    await clock.advance(2_000);
    while (vendor.asked.length < 3) await clock.advance(1_000);
    expect(await ended).toEqual({
      answered: 2,
      failed: ["it answered 429"],
      isLeft: false,
      isAnyOpen: false,
    });
  });

  test("are left for another run when many keep it long, so that who came meanwhile has its turn", async () => {
    const { clock, vendor, open } = await withKey({ rateLimit: { calls: 5, windowMs: 10_000 } });
    const ids = Array.from({ length: 30 }, (_, n) => `app-${n}`);
    open(ids);
    await vendor.receive(ids);
    const ended = vendor.run();
    for (let seconds = 0; seconds < 45; seconds += 1) await clock.advance(1_000);
    const { answered, isLeft } = await ended;
    expect(isLeft).toBe(true);
    expect(answered).toBeGreaterThan(10);
    expect(answered).toBeLessThan(25);
    const all = vendor.run({ insists: true });
    for (let seconds = 0; seconds < 60; seconds += 1) await clock.advance(1_000);
    expect(await all).toEqual({ answered: 30 - answered, failed: [], isLeft: false, isAnyOpen: false });
  });

  test("that the vendor knows nothing of are ignored", async () => {
    const { vendor } = await withKey();
    await vendor.receive(["app-gone"]);
    expect(await vendor.run()).toMatchObject({ answered: 1, failed: [] });
    expect((await vendor.store.overview("acme", 0)).events).toMatchObject({ total: 1, ignored: 1 });
  });

  test("of which one is refused wait for that one alone, longer each time, and a person need not wait", async () => {
    const { clock, vendor, open } = await withKey();
    open(["app-1", "app-3"]);
    vendor.applications.set("app-2", { status: 400 });
    await vendor.receive(["app-1", "app-2", "app-3"]);
    expect(await vendor.run()).toMatchObject({ answered: 2, failed: ["it answered 400"] });
    expect(await vendor.run()).toMatchObject({ answered: 0, failed: [] });
    expect(await waitingIn(vendor)).toEqual([{ n: 1, reason: "Greenhouse: it answered 400" }]);
    await clock.advance(1_000);
    expect((await vendor.run()).failed).toHaveLength(1);
    await clock.advance(900);
    expect((await vendor.run()).failed).toHaveLength(0);
    vendor.applications.set("app-2", {});
    expect(await vendor.run({ insists: true })).toMatchObject({ answered: 1, failed: [] });
  });

  test("of a vendor that fails are not asked on, and no single one stands before the others for ever", async () => {
    const { clock, vendor, open } = await withKey({ atOnce: 1 });
    open(["app-2", "app-3"]);
    vendor.applications.set("app-1", { status: 503 });
    await vendor.receive(["app-1", "app-2", "app-3"]);
    expect(await vendor.run()).toMatchObject({ answered: 0, failed: ["it answered 503"] });
    expect(vendor.asked).toEqual(["app-1"]);
    expect(await vendor.run()).toMatchObject({ answered: 2, failed: [] });
    await clock.advance(MINUTE_MS);
    expect((await vendor.run()).failed).toEqual(["it answered 503"]);
  });

  test("of one account that cannot be asked hold up no other", async () => {
    const { vendor, open } = await withKey();
    open(["app-1"]);
    vendor.applications.set("app-g", { org: "globex" });
    await vendor.setKey("a key that the vendor does not know", "globex");
    await vendor.receive(["app-g"], { org: "globex" });
    await vendor.receive(["app-1"]);
    expect(await vendor.run()).toMatchObject({ answered: 1, failed: [expect.any(String)] });
    expect(await addressesIn(vendor)).toEqual(["app-1@example.com"]);
  });

  test("wait without losing a try while the key is refused or not set, and say what to type", async () => {
    const clock = fakeClock();
    const vendor = await openAskedVendor({ clock });
    vendor.applications.set("app-1", {});
    await vendor.receive(["app-1"]);
    await vendor.run();
    expect(await waitingIn(vendor)).toEqual([
      { n: 1, reason: expect.stringMatching(/not set.*secrets set greenhouse.api-key --org acme/) },
    ]);
    await vendor.setKey("an old key");
    await vendor.run();
    expect(await waitingIn(vendor)).toEqual([
      { n: 1, reason: expect.stringMatching(/does not take the API key.*secrets set greenhouse.api-key/) },
    ]);
    expect(await vendor.store.questions({ after: 0, limit: 1 })).toMatchObject([{ tries: 0 }]);
    await vendor.setKey(KEY);
    expect(await vendor.run()).toMatchObject({ answered: 1, failed: [] });
  });

  test("a key that is replaced while it is refused is taken at once", async () => {
    const { vendor, open } = await withKey();
    open(["app-1"]);
    vendor.keys.clear();
    vendor.keys.add("the next key");
    await vendor.setKey("the next key");
    await vendor.receive(["app-1"]);
    expect(await vendor.run()).toMatchObject({ answered: 1, failed: [] });
  });

  const untaken: [what: string, application: { at?: number; org?: string }, reason: RegExp][] = [
    ["comes from the future", { at: fakeClock().now() + 6 * MINUTE_MS }, /5 minutes ahead of our clock/],
    ["belongs to another org", { org: "globex" }, /belongs to another org/],
  ];
  test.each(untaken)("whose answer %s make no invite", async (_what, application, reason) => {
    const { vendor } = await withKey();
    vendor.applications.set("app-1", application);
    await vendor.receive(["app-1"]);
    expect((await vendor.run()).failed).toEqual([expect.stringMatching(reason)]);
    expect([...(await addressesIn(vendor)), ...(await addressesIn(vendor, "globex"))]).toEqual([]);
    expect(await waitingIn(vendor)).toMatchObject([{ n: 1 }]);
  });

  test("of which the answer comes from the future are folded when its time has come", async () => {
    const { clock, vendor } = await withKey();
    vendor.applications.set("app-1", { at: clock.now() + 6 * MINUTE_MS });
    await vendor.receive(["app-1"]);
    await vendor.run();
    await clock.advance(2 * MINUTE_MS);
    expect(await vendor.run()).toMatchObject({ answered: 1, failed: [] });
  });
});
