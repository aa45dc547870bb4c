import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { addressName, candidateName, inviteName } from "../../../src/core/erasure.ts";
import type { EraseRequest, Person } from "../../../src/store/contract/erasure.ts";
import type { Store } from "../../../src/store/contract/store.ts";
import { NOON } from "../../core/example.ts";
import {
  aConfirmation,
  anEvent,
  anUnknownEvent,
  candidate,
  completedFor,
  connect,
  HUBSPOT,
  MINUTE,
  ORIGIN,
  SMARTRECRUITERS,
} from "../events.ts";
import { claimsOf } from "../looks.ts";
import { type OpenStore, opened } from "../world.ts";
import { anAttempt, DELIVERED } from "./delivering.ts";

const ANN = "ann@example.com";
const BOB = "bob@example.com";
const LATER = NOON + 10 * MINUTE;

const mark = (name: string) => createHash("sha256").update(name).digest("hex");

function requestOf({ addresses, invitationIds, candidates }: Person): EraseRequest {
  const names = [
    ...addresses.map((each) => addressName("acme", each)),
    ...invitationIds.map((each) => inviteName("acme", each)),
    ...candidates.map((each) => candidateName("acme", each.vendor, each.candidateId)),
  ];
  return {
    org: "acme",
    address: ANN,
    person: mark(addressName("acme", ANN)),
    at: LATER,
    marks: names.map(mark),
    known: { addresses, invitationIds, candidates },
    who: "carol",
    now: LATER,
  };
}

async function eraseAnn(store: Store) {
  return await store.erase(requestOf(await store.person("acme", ANN)));
}

const mentioning = (eventId: string, payload: string) => ({ ...anUnknownEvent(eventId), payload });
const ofAcme = (note: string) => JSON.stringify({ data: { org: "acme", note } });

export function describeErasure(open: OpenStore): void {
  describe("erasing a person", () => {
    test("takes out all that is theirs and leaves everybody else's", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann", "bob"));
      const claims = await claimsOf(store, { connectionId: id, limit: 9, now: LATER });
      await store.settle(
        claims.map((claim) => ({ claim, now: LATER, attempt: anAttempt("delivered"), outcome: DELIVERED })),
      );
      const bobs = await store.personRows("acme", BOB);
      const person = await store.person("acme", ANN);
      expect(person).toEqual({
        addresses: [ANN],
        invitationIds: ["inv_ann"],
        candidates: [],
        told: [{ connectionId: id, subjects: [ANN], records: [], receipts: [], places: [] }],
        rows: { events: 1, invites: 1, pushes: 1, attempts: 1 },
      });
      expect(await store.erase(requestOf(person))).toEqual({ kind: "erased", rows: person.rows, leases: [] });
      expect(await store.personRows("acme", ANN)).toEqual({});
      expect(await store.personRows("acme", BOB)).toEqual(bobs);
      expect(await eraseAnn(store)).toMatchObject({ kind: "erased", rows: {} });
    });

    test("finds them in texts of others, escaped and percent-encoded, and not within a longer address", async () => {
      const store = await opened(open);
      await store.append(completedFor("ann", "joann"));
      const escaped = [...ANN].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
      await store.append([
        mentioning("escaped", `{"data":{"org":"acme","note":"${escaped.join("")}"}}`),
        mentioning("encoded", ofAcme(`https://x/?who=${encodeURIComponent(ANN)}`)),
        mentioning("no-json", `said by ${ANN.toUpperCase()}`),
        mentioning("longer", ofAcme(`jo${ANN}`)),
      ]);
      expect(await eraseAnn(store)).toMatchObject({ kind: "erased", rows: { events: 4, invites: 1 } });
      expect((await store.person("acme", "joann@example.com")).rows).toEqual({ events: 2, invites: 1 });
    });

    test("leaves another org's rows of the same address", async () => {
      const store = await opened(open);
      await connect(store, { org: "other" });
      await store.append([
        ...completedFor("ann"),
        ...completedFor("ann").map((event) => ({
          ...event,
          eventId: "of-other",
          snapshot: event.snapshot && { ...event.snapshot, org: "other" },
        })),
        mentioning("others", JSON.stringify({ data: { org: "other", note: ANN } })),
        mentioning("odd", JSON.stringify({ data: { org: "other", note: `\0 ${ANN}` } })),
      ]);
      const before = await store.personRows("other", ANN);
      expect(await eraseAnn(store)).toMatchObject({ rows: { events: 1, invites: 1 } });
      expect(await store.personRows("other", ANN)).toEqual(before);
      expect(Object.keys(before).toSorted()).toEqual(["events", "invites", "pushes"]);
    });

    test("takes a candidate's questions and vendor's words along", async () => {
      const store = await opened(open);
      await connect(store, SMARTRECRUITERS);
      const asks = { vendor: ORIGIN.vendor, org: "acme", environment: "production" } as const;
      await store.append([
        anEvent("completed", { candidate: candidate(ANN), origin: ORIGIN }),
        aConfirmation("word"),
        { ...mentioning("asks", "{}"), asks: { ...asks, about: { candidateId: "c2" } } },
        {
          ...mentioning("asks-theirs", "{}"),
          asks: { ...asks, about: { candidateId: ORIGIN.candidateId } },
        },
      ]);
      expect(await eraseAnn(store)).toMatchObject({
        kind: "erased",
        rows: { events: 3, confirmations: 1, questions: 1, invites: 1, pushes: 1 },
      });
      expect(await store.questions({ after: 0, limit: 9 })).toHaveLength(1);
    });

    test("scrubs what names them in rows that stay, and where two become the same, one is left", async () => {
      const store = await opened(open);
      await store.saveConnection(HUBSPOT, {
        state: "connected",
        account: { id: "1", name: `of ${ANN}`, kind: null, region: null },
      });
      const about = (who: string) => ({ org: "acme", key: `about ${who}`, text: `it is ${who}` });
      await store.keepIncidents([about(ANN), about("[erased]")], NOON);
      expect(await eraseAnn(store)).toMatchObject({ rows: { connections: 1, alerts: 1 } });
      expect((await store.connection(HUBSPOT))?.account?.name).toBe("of [erased]");
      expect(await store.personRows("acme", ANN)).toEqual({});
      expect(await store.keepIncidents([about("[erased]")], NOON)).toHaveLength(1);
    });

    test("does nothing where they have more names than were known", async () => {
      const store = await opened(open);
      await store.append(completedFor("ann"));
      const before = await store.person("acme", ANN);
      await store.append([anEvent("invited", { invitationId: "inv_2", candidate: candidate(ANN) })]);
      expect(await store.erase(requestOf(before))).toMatchObject({
        kind: "has more names",
        person: { invitationIds: ["inv_ann", "inv_2"] },
      });
      expect(await store.erasedAt(mark(addressName("acme", ANN)))).toBeNull();
      expect((await store.person("acme", ANN)).rows).toMatchObject({ invites: 2 });
    });

    test("refuses what comes later by any of their names, until it is allowed again", async () => {
      const store = await opened(open);
      const [event] = completedFor("ann");
      if (!event) throw new Error("there is no event");
      await store.append([event]);
      await eraseAnn(store);
      const marks = [mark(inviteName("acme", "inv_ann"))];
      expect(await store.append([{ ...event, marks }])).toMatchObject([{ outcome: "erased" }]);
      expect(await store.erasedAt(mark(addressName("acme", ANN)))).toBe(LATER);
      const allow = { mark: mark(addressName("acme", ANN)), org: "acme", who: "carol", now: LATER };
      expect(await store.allowAgain(allow)).toBe(true);
      expect(await store.allowAgain(allow)).toBe(false);
      expect(await store.append([{ ...event, marks }])).toMatchObject([{ outcome: "stored" }]);
    });

    test("tells under which leases they were being sent, and when those have ended", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann"));
      const claims = await claimsOf(store, { connectionId: id, limit: 9, now: LATER });
      const answer = await eraseAnn(store);
      expect(answer).toMatchObject({ kind: "erased", leases: [expect.any(Number)] });
      const leases = answer.kind === "erased" ? answer.leases : [];
      expect(await store.leasesOpen(leases)).toBe(1);
      await store.settle(claims.map((claim) => ({ claim, now: LATER, outcome: DELIVERED })));
      expect(await store.leasesOpen(leases)).toBe(0);
      expect((await store.person("acme", ANN)).rows).toEqual({});
    });

    test("takes over marks that are kept elsewhere, each once, and tells them all", async () => {
      const store = await opened(open);
      const kept = { org: "acme", person: mark("p"), at: NOON, marks: [mark("p"), mark("q")] };
      expect(await store.keepErasures([kept])).toBe(2);
      expect(await store.keepErasures([kept, { ...kept, at: LATER }])).toBe(0);
      const found = await store.erasures();
      expect(found).toHaveLength(2);
      for (const each of kept.marks)
        expect(found).toContainEqual({ mark: each, person: mark("p"), at: NOON });
      expect(await store.bytesDue()).toBe(false);
    });

    test("people are told in pages, whoever names them", async () => {
      const store = await opened(open);
      await connect(store);
      await store.append([...completedFor("ann"), mentioning("alone", ofAcme(BOB))]);
      const found: string[] = [];
      for (let after: string | null = null; ; ) {
        const { people, next }: Awaited<ReturnType<Store["people"]>> = await store.people(after);
        found.push(...people.map(({ address, invitationId }) => `${address} ${invitationId}`));
        if (next === null) break;
        after = next;
      }
      expect(found).toEqual([`${ANN} inv_ann`, `${ANN} null`, `${BOB} null`]);
    });
  });
}
