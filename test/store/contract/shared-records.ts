/** Several subjects that the vendor knows as one record. */
import { describe, expect, test } from "vitest";
import type { SeenRecord } from "../../../src/core/push.ts";
import type { Claim, Store } from "../../../src/store/contract/store.ts";
import { NOON } from "../../core/example.ts";
import { anEvent, anotherAccount, candidate, completedFor, connect, MINUTE } from "../events.ts";
import { claimsOf } from "../looks.ts";
import { type OpenStore, opened } from "../world.ts";
import { DELIVERED } from "./delivering.ts";

const [ANN, BOB, CAT] = ["ann@example.com", "bob@example.com", "cat@example.com"];
const BOTH: SeenRecord = { id: "101", subjects: [ANN, BOB] };

export function describeSharedRecords(open: OpenStore): void {
  /** A store with a result for each name, and its claims. */
  async function told(...names: string[]) {
    const store = await opened(open);
    const { id } = await connect(store);
    await store.append(completedFor(...names));
    const claim = (limit = 10, now = NOON + MINUTE) => claimsOf(store, { connectionId: id, limit, now });
    /** Claims what is due until nothing is; each answer names the record of its subject. */
    const deliver = async (records: Record<string, SeenRecord> = {}) => {
      const subjects: string[] = [];
      for (let claims = await claim(); claims.length > 0; claims = await claim()) {
        subjects.push(...claims.map(({ subject }) => subject));
        await settle(store, claims, records);
      }
      return subjects.toSorted();
    };
    return { store, id, claim, deliver };
  }

  describe("subjects that are one record of the vendor's", () => {
    test("are claimed one at a time, each with the invites of all and the newest version of them", async () => {
      const { store, id, claim, deliver } = await told("ann", "bob", "cat");
      await deliver({ [ANN]: { id: "101" }, [BOB]: BOTH, [CAT]: { id: "102" } });
      await store.raise(id, { subjects: [ANN, BOB, CAT] }, NOON);
      const first = await claim();
      expect(first.map(({ subject }) => subject)).toEqual([ANN, CAT]);
      expect(first.map(({ known }) => known)).toEqual([
        { id: "101", isShared: true },
        { id: "102", isShared: false },
      ]);
      expect(first[0]?.invites.map(({ invitationId }) => invitationId)).toEqual(["inv_ann", "inv_bob"]);
      expect(await claim()).toEqual([]);
      expect(await store.dueWork(NOON + MINUTE)).toEqual([]);
      await settle(store, first);
      expect(await store.dueWork(NOON + MINUTE)).toMatchObject([{ connectionId: id, dueAt: NOON }]);
      const second = await claim();
      expect(second.map(({ subject }) => subject)).toEqual([BOB]);
      expect(second[0]?.carries).toBe(Math.max(second[0]?.version ?? 0, first[0]?.carries ?? 0));
    });

    test("are raised together when they are found to be one, once", async () => {
      for (const records of [
        { [BOB]: BOTH },
        { [ANN]: BOTH },
        { [ANN]: { id: "101" }, [BOB]: BOTH },
        { [ANN]: BOTH, [BOB]: BOTH },
      ]) {
        const { deliver } = await told("ann", "bob", "cat");
        expect(await deliver(records)).toEqual([ANN, ANN, BOB, BOB, CAT]);
        expect(await deliver(records)).toEqual([]);
      }
    });

    test("are told again where the record is remembered as another's, so that it is looked at", async () => {
      const { store, claim, deliver } = await told("ann", "bob");
      const [ann, bob] = await claim();
      await settle(store, [ann], { [ANN]: { id: "101" } });
      await settle(store, [bob], { [BOB]: { id: "101" } });
      const [again, ...others] = await claim();
      expect([again?.subject, again?.invites.length, others]).toEqual([BOB, 1, []]);
      expect(again?.known?.id).not.toBe("101");
      await settle(store, [again], { [BOB]: { id: "101", subjects: [BOB] } });
      expect(await deliver()).toEqual([]);
    });

    test("are found while the other is in flight, which is due again then", async () => {
      const { store, claim, deliver } = await told("ann", "bob");
      const [ann, bob] = await claim();
      await settle(store, [bob], { [BOB]: BOTH });
      expect(await claim()).toEqual([]);
      await settle(store, [ann], { [ANN]: { id: "101" } });
      expect(await deliver()).toEqual([ANN, BOB]);
    });

    test("are not raised for one who has no invite, who is listed nowhere until there is one", async () => {
      const { store, id, claim, deliver } = await told("ann");
      expect(await deliver({ [ANN]: { id: "101", subjects: [ANN, BOB, CAT] } })).toEqual([ANN]);
      expect(await store.countPushes({ pushes: { connectionId: id } })).toMatchObject({
        delivered: 1,
        pending: 0,
      });
      const { subjects } = await store.selectSubjects(
        { pushes: { connectionId: id } },
        { after: null, limit: 10 },
      );
      expect(subjects).toEqual([ANN]);
      await store.append(completedFor("bob"));
      const [bob] = await claim();
      expect(bob).toMatchObject({ subject: BOB, known: { id: "101", isShared: true } });
      expect(bob?.invites.map(({ invitationId }) => invitationId).toSorted()).toEqual(["inv_ann", "inv_bob"]);
    });

    test("that are one no longer are raised, each with its own invites", async () => {
      const { store, id, claim, deliver } = await told("ann", "bob");
      await deliver({ [BOB]: BOTH });
      await store.raise(id, { subjects: [BOB] }, NOON);
      expect(await deliver({ [BOB]: { id: "102", subjects: [BOB] } })).toEqual([ANN, BOB, BOB]);
      await store.raise(id, { subjects: [ANN, BOB] }, NOON);
      const claims = await claim();
      expect(claims.map(({ subject, invites, known }) => [subject, invites.length, known])).toEqual([
        [ANN, 1, { id: "101", isShared: false }],
        [BOB, 1, { id: "102", isShared: false }],
      ]);
    });

    test("may be joined by a record with others of its own", async () => {
      const { store, id, deliver } = await told("ann", "bob", "cat");
      await deliver({ [ANN]: { id: "100" }, [BOB]: { id: "101", subjects: [BOB, CAT] } });
      await store.raise(id, { subjects: [CAT] }, NOON);
      const all: SeenRecord = { id: "103", subjects: [ANN, BOB, CAT] };
      expect(await deliver({ [CAT]: all })).toEqual([ANN, BOB, CAT, CAT]);
      await store.raise(id, { subjects: [ANN, BOB, CAT] }, NOON);
      expect(await deliver({ [ANN]: all })).toEqual([ANN, BOB, CAT]);
    });

    test("are told of an end at once, as the contact that it is was told something", async () => {
      const { store, claim, deliver } = await told("ann");
      await deliver({ [ANN]: BOTH });
      await store.append([anEvent("cancelled", { invitationId: "inv_bob", candidate: candidate(BOB) })]);
      expect((await claim()).map(({ subject }) => subject)).toEqual([BOB]);
    });

    test("are seen on each of their invites", async () => {
      const { store, deliver } = await told("ann", "bob", "cat");
      await deliver({ [ANN]: BOTH });
      const sharedOf = async (invitationId: string) =>
        (await store.invite("acme", invitationId))?.pushes[0]?.shared;
      expect(await sharedOf("inv_ann")).toEqual({ record: "101", subjects: [BOB] });
      expect(await sharedOf("inv_bob")).toEqual({ record: "101", subjects: [ANN] });
      expect(await sharedOf("inv_cat")).toBeUndefined();
    });

    test("are nobody's once the account is another one, also where the old one answers late", async () => {
      const { store, id, claim, deliver } = await told("ann", "bob");
      await deliver({ [ANN]: { id: "101", subjects: [ANN, BOB, CAT] } });
      await store.raise(id, { subjects: [ANN] }, NOON);
      const late = await claim();
      await anotherAccount(store);
      await store.raise(id, { subjects: [ANN, BOB] }, NOON);
      const claims = await claim();
      expect(claims.map(({ subject, known, invites }) => [subject, known, invites.length])).toEqual([
        [ANN, null, 1],
        [BOB, null, 1],
      ]);
      await settle(store, late, { [ANN]: BOTH });
      await settle(store, claims, { [ANN]: { id: "7" }, [BOB]: { id: "8" } });
      expect(await deliver()).toEqual([]);
    });

    test("change nothing while another process has taken the push over", async () => {
      const { store, claim, deliver } = await told("ann", "bob");
      const claims = await claim();
      const lost = claims.map((each) => ({ ...each, lease: each.lease + 1_000 }));
      await settle(store, lost, { [ANN]: BOTH });
      await settle(store, claims);
      expect(await deliver()).toEqual([]);
    });
  });
}

async function settle(
  store: Store,
  claims: readonly (Claim | undefined)[],
  records: Record<string, SeenRecord> = {},
): Promise<void> {
  await store.settle(
    claims.flatMap((claim) => {
      if (!claim) return [];
      const record = records[claim.subject];
      return [{ claim, now: NOON + MINUTE, outcome: DELIVERED, ...(record ? { record } : {}) }];
    }),
  );
}
