/** Several addresses that the portal shows to be one contact: one person, one result. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { disc, invite } from "../world.ts";
import { openStage, type Stage } from "./stage.ts";
import { tries } from "../tries.ts";

const [WORK, PRIVATE, OLD] = ["ann@work.example", "ann@private.example", "ann@old.example"];
const CONTACT = "/crm/v3/objects/contacts/";

/** A finished DISC test of that day; all of its scores are the same. */
function result(email: string, day: number, dominance: number) {
  const at = `2024-11-${String(day).padStart(2, "0")}T10:00:00Z`;
  const test = { ...disc([dominance, dominance, dominance, dominance]), completed_at: at };
  const sent = { sent_at: at, completed_at: at, timestamp: at };
  return invite({ email, ...sent, tests: [test], invitation_id: `inv_${email}_${day}` });
}

/** The example: the newer result is that of the work address. */
const NEWER = result(WORK, 20, 80);
const OLDER = result(PRIVATE, 1, 20);

async function settled(stage: Stage): Promise<void> {
  await stage.until("all is delivered", async () => {
    const { pending, held, rejected } = await stage.counts();
    return pending + held + rejected === 0;
  });
}

/** What each contact shows, by all of its addresses. */
async function shown({ portal }: Stage): Promise<Record<string, string | undefined>> {
  const contacts = await portal.wholeContacts();
  return Object.fromEntries(
    contacts.map(({ properties }) => [addressesOf(properties).join(" "), properties.jc_disc_d]),
  );
}

function addressesOf(properties: Record<string, string>): string[] {
  return [properties.email ?? "", ...(properties.hs_additional_emails?.split(";") ?? [])].toSorted();
}

async function reads({ portal }: Stage): Promise<number> {
  const requests = await portal.requests({ from: CONTACT });
  return requests.filter(({ method }) => method === "GET").length;
}

async function raise(stage: Stage, ...subjects: string[]): Promise<void> {
  const { store } = await stage.start();
  await store.raise((await stage.connection()).id, { subjects }, stage.clock.now());
}

const BOTH = `${PRIVATE} ${WORK}`;

describe("one contact with two addresses shows the newest result of both", () => {
  test.each([
    ["the older first", [[OLDER], [NEWER]]],
    ["the newer first", [[NEWER], [OLDER]]],
    ["both at once", [[OLDER, NEWER]]],
    ["both at once, the other way round", [[NEWER, OLDER]]],
  ])("%s", async (_, imports) => {
    const stage = await openStage();
    await stage.portal.makeContact(PRIVATE, WORK);
    await stage.start();
    for (const events of imports) {
      await stage.take(...events);
      await settled(stage);
    }
    expect(await shown(stage)).toEqual({ [BOTH]: "80" });
    expect(await stage.counts()).toMatchObject({ delivered: 2, pending: 0 });
    expect(await reads(stage)).toBe(1);
  });

  test("and is never written twice in one call, nor in two at once, once it is known", async () => {
    const stage = await openStage();
    await stage.portal.makeContact(PRIVATE, WORK);
    const { store } = await stage.start();
    await stage.take(OLDER, NEWER);
    await settled(stage);
    stage.calls.length = 0;
    const { id } = await stage.connection();
    for (let n = 0; n < 3; n += 1) {
      await store.raise(id, { subjects: [WORK, PRIVATE] }, stage.clock.now());
      await settled(stage);
    }
    expect(stage.calls.map(({ contacts, status }) => [contacts.length, status])).toEqual(
      Array.from({ length: 6 }, () => [1, 200]),
    );
    const ends = stage.calls.map(({ endedAt }) => endedAt ?? Number.POSITIVE_INFINITY);
    for (const [index, { at }] of stage.calls.slice(1).entries())
      expect(at).toBeGreaterThanOrEqual(ends[index] ?? 0);
    expect(await reads(stage)).toBe(1);
  });

  test("also when only the older one is replayed, or has news of its own", async () => {
    const stage = await openStage();
    await stage.portal.makeContact(PRIVATE, WORK);
    await stage.start();
    await stage.take(OLDER, NEWER);
    await settled(stage);
    await raise(stage, PRIVATE);
    await settled(stage);
    expect(await shown(stage)).toEqual({ [BOTH]: "80" });
    await stage.take(result(PRIVATE, 2, 30));
    await settled(stage);
    expect(await shown(stage)).toEqual({ [BOTH]: "80" });
    await stage.take(result(PRIVATE, 25, 90));
    await settled(stage);
    expect(await shown(stage)).toEqual({ [BOTH]: "90" });
  });

  test("also where the address that we were never told of comes last", async () => {
    const stage = await openStage();
    await stage.portal.makeContact(PRIVATE, WORK, OLD);
    await stage.start();
    await stage.take(NEWER);
    await settled(stage);
    expect(await stage.counts()).toMatchObject({ delivered: 1, pending: 0 });
    await stage.take(OLDER, result(OLD, 2, 10));
    const seen = new Set<string | undefined>();
    await stage.until("all is delivered", async () => {
      seen.add((await shown(stage))[`${OLD} ${BOTH}`]);
      return (await stage.counts()).pending === 0;
    });
    // At no time did it show an older one.
    expect(seen).toEqual(new Set(["80"]));
    expect(stage.calls.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await reads(stage)).toBe(1);
  });
});

describe("a merge in the portal", () => {
  test.each([false, true])("is found by the next answer; the primary keeps its id: %s", async (keepsId) => {
    const stage = await openStage();
    await stage.start();
    await stage.take(OLDER, NEWER);
    await settled(stage);
    const [older, newer] = await Promise.all(
      [PRIVATE, WORK].map(async (address) =>
        (await stage.portal.wholeContacts()).find(({ email }) => email === address),
      ),
    );
    await stage.portal.mergeContacts(older?.id ?? "", newer?.id ?? "", { keepsId });
    expect(await shown(stage)).toEqual({ [BOTH]: "20" });
    await raise(stage, WORK);
    await settled(stage);
    expect(await shown(stage)).toEqual({ [BOTH]: "80" });
    await raise(stage, PRIVATE);
    await settled(stage);
    expect(await shown(stage)).toEqual({ [BOTH]: "80" });
    expect(await reads(stage)).toBe(1);
  });

  test("may as well be a new primary address beside the old one", async () => {
    for (const [first, second] of [
      [NEWER, OLDER],
      [OLDER, NEWER],
    ]) {
      const stage = await openStage();
      await stage.start();
      await stage.take(first ?? NEWER);
      await settled(stage);
      const [contact] = await stage.portal.wholeContacts();
      const address = second?.data.candidate.email;
      const properties = { email: address, hs_additional_emails: contact?.email };
      await stage.ask("PATCH", CONTACT + contact?.id, { properties });
      await stage.take(second ?? OLDER);
      await settled(stage);
      expect(await shown(stage)).toEqual({ [BOTH]: "80" });
      expect(await reads(stage)).toBe(1);
    }
  });

  test("that gives an address of one person to another joins no results of theirs", async () => {
    const stage = await openStage();
    await stage.start();
    await stage.take(NEWER);
    await settled(stage);
    const [contact] = await stage.portal.wholeContacts();
    await stage.ask("PATCH", CONTACT + contact?.id, { properties: { email: PRIVATE } });
    await stage.take(OLDER);
    await settled(stage);
    expect(await shown(stage)).toEqual({ [PRIVATE]: "20" });
    await raise(stage, WORK);
    await settled(stage);
    expect(await shown(stage)).toEqual({ [PRIVATE]: "20", [WORK]: "80" });
  });

  test("undone there is found by the next answer, and each has its own results again", async () => {
    const stage = await openStage();
    const id = await stage.portal.makeContact(PRIVATE, WORK);
    await stage.start();
    await stage.take(OLDER, NEWER);
    await settled(stage);
    await stage.portal.unmergeContact(id, WORK);
    await raise(stage, WORK);
    await settled(stage);
    expect(await shown(stage)).toEqual({ [WORK]: "80", [PRIVATE]: "20" });
    await stage.take(result(PRIVATE, 28, 5));
    await settled(stage);
    expect(await shown(stage)).toEqual({ [WORK]: "80", [PRIVATE]: "5" });
  });
});

describe("where the contact cannot be read", () => {
  test.each([
    ["for the moment, it is told again until it can", { status: 503, times: 3 }],
    ["within the limit, it waits", { status: 429, times: 3 }],
    ["for want of a scope, the answer's own address has to do", { status: 403, body: { message: "no" } }],
  ])("%s", async (_, fault) => {
    const stage = await openStage();
    const id = await stage.portal.makeContact(PRIVATE, WORK);
    await stage.start();
    await stage.fault({ ...fault, method: "GET", path: CONTACT + id });
    for (const event of [NEWER, OLDER]) {
      await stage.take(event);
      await settled(stage);
    }
    expect(await shown(stage)).toEqual({ [BOTH]: "80" });
    expect(await reads(stage)).toBeGreaterThan(0);
  });
});

/** What happens to three addresses, in any order. */
const ADDRESSES = [WORK, PRIVATE, OLD];
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("results"), of: fc.uniqueArray(fc.nat(2), { minLength: 1 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("merge"), of: fc.tuple(fc.nat(2), fc.nat(2)) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unmerge"), of: fc.tuple(fc.nat(2)) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("settle"), of: fc.constant([]) }) },
);

test("whatever is merged and imported in whatever order, each contact ends with the newest result of its addresses", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 8 }),
      fc.boolean(),
      fc.boolean(),
      async (steps, keepsId, isTwo) => {
        const stage = await openStage();
        const { store } = await stage.start();
        if (isTwo) await stage.start();
        const newest = new Map<string, number>();
        const contactOf = async (index: number) =>
          (await stage.portal.wholeContacts()).find(({ properties }) =>
            addressesOf(properties).includes(ADDRESSES[index] ?? ""),
          );
        for (const [index, { kind, of }] of steps.entries()) {
          const found = await Promise.all(of.map(contactOf));
          const [first, second = first] = found;
          if (kind === "merge" && first && second && first.id !== second.id)
            await stage.portal.mergeContacts(first.id, second.id, { keepsId });
          const address = ADDRESSES[of[0] ?? 0] ?? "";
          if (kind === "unmerge" && first && addressesOf(first.properties).length > 1)
            await stage.portal.unmergeContact(first.id, address);
          if (kind === "settle") await settled(stage);
          if (kind !== "results") continue;
          // Older ones come last, now and then.
          const results = of.map((who) => ({
            email: ADDRESSES[who] ?? "",
            day: 1 + ((index * 7 + who * 3) % 28),
          }));
          for (const { email, day } of results) newest.set(email, Math.max(newest.get(email) ?? 0, day));
          await stage.take(...results.map(({ email, day }) => result(email, day, day)));
        }
        await settled(stage);
        // The next answer of each finds what was changed in the portal since.
        const { id } = await stage.connection();
        await store.raise(id, { subjects: [...newest.keys()] }, stage.clock.now());
        await settled(stage);
        for (const { properties } of await stage.portal.wholeContacts()) {
          const days = addressesOf(properties).flatMap((address) => newest.get(address) ?? []);
          if (days.length > 0) expect(properties.jc_disc_d).toBe(String(Math.max(...days)));
        }
        // From now on all is known: nothing is refused, read, or told in one call that is one contact.
        stage.calls.length = 0;
        const readBefore = await reads(stage);
        await store.raise(id, { subjects: [...newest.keys()] }, stage.clock.now());
        await settled(stage);
        expect(stage.calls.filter(({ status }) => status !== 200)).toEqual([]);
        expect(await reads(stage)).toBe(readBefore);
      },
    ),
    tries(40),
  );
});
