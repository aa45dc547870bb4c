import { describe, expect, test } from "vitest";
import type { Application } from "../../../src/core/catalog.ts";
import { WANTED } from "../../../src/core/invite-request.ts";
import type { Store } from "../../../src/store/contract/store.ts";
import { NOON } from "../../core/example.ts";
import { anEvent, aThinEvent, connect, MINUTE, ORIGIN, SMARTRECRUITERS } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
import { claimsOf } from "../looks.ts";

const { org, vendor, environment } = SMARTRECRUITERS;
const HERE = { org, vendor, environment };
const ENTRY = {
  test: "disc",
  required: true,
  trigger: "auto",
  dueDays: 7,
  emailTemplate: "branded",
} as const;
const PLACE = { jobId: "j1", stage: "INTERVIEW/Assessment" };
const REACHED: Application = {
  applicationId: "app1",
  candidateId: "c1",
  jobId: "j1",
  status: "INTERVIEW",
  subStatus: "Assessment",
};

/** The vendor told of a candidate's move, and answered where that led. */
async function moved(store: Store, eventId: string, to: Partial<Application> = {}, at = HERE): Promise<void> {
  await store.append([aThinEvent(eventId, at)]);
  const question = (await store.questions({ after: 0, limit: 10 })).at(-1);
  await store.settleQuestion(
    question?.seq ?? 0,
    { kind: "application", application: { ...REACHED, ...to } },
    NOON,
  );
}

const wanted = (store: Store) => store.inviteRequests({ org, states: WANTED, limit: 10 });

/** What stages trigger, and the invites that are asked for. */
export function describeRequests(open: OpenStore): void {
  describe("a stage that asks for a test", () => {
    test("is kept with what it asks for, by job", async () => {
      const store = await opened(open);
      await store.saveCatalogEntry(HERE, PLACE, ENTRY);
      await store.saveCatalogEntry(HERE, { ...PLACE, jobId: "j2" }, ENTRY);
      await store.saveCatalogEntry(HERE, PLACE, { ...ENTRY, test: "mbti" });
      expect(await store.catalogEntries(HERE, "j1")).toEqual([
        { ...PLACE, entry: { ...ENTRY, test: "mbti" } },
      ]);
      expect(await store.catalogEntries(HERE)).toHaveLength(2);
      expect(await store.catalogEntries({ ...HERE, org: "other" })).toEqual([]);
    });

    test("asks once for an application, however often the candidate comes there and whatever becomes of it", async () => {
      const store = await opened(open);
      await store.saveCatalogEntry(HERE, PLACE, ENTRY);
      await moved(store, "evt_1");
      await moved(store, "evt_2");
      const [request, ...others] = await wanted(store);
      expect(others).toEqual([]);
      expect(request).toMatchObject({
        state: "open",
        candidateId: "c1",
        stage: PLACE.stage,
        entry: ENTRY,
        tries: 0,
      });
      await store.noteRequest(request?.id ?? 0, { state: "sent", reason: null }, NOON);
      await moved(store, "evt_3");
      expect(await wanted(store)).toEqual([]);
      await moved(store, "evt_4", { applicationId: "app2" });
      expect(await wanted(store)).toHaveLength(1);
    });

    test("asks for nothing at another stage, on another job or in another environment; a bare status means all its steps", async () => {
      const store = await opened(open);
      await store.saveCatalogEntry(HERE, PLACE, ENTRY);
      await moved(store, "evt_1", { subStatus: "Phone screen" });
      await moved(store, "evt_2", { jobId: "j2" });
      await moved(store, "evt_3", {}, { ...HERE, environment: "sandbox" });
      expect(await wanted(store)).toEqual([]);
      expect((await store.overview(org, NOON)).events.ignored).toBe(3);
      await store.saveCatalogEntry(HERE, { jobId: "j3", stage: "INTERVIEW" }, ENTRY);
      await moved(store, "evt_4", { jobId: "j3", subStatus: "Phone screen" });
      expect(await wanted(store)).toHaveLength(1);
    });

    test("leaves it to a person where it is triggered by hand", async () => {
      const store = await opened(open);
      await store.saveCatalogEntry(HERE, PLACE, { ...ENTRY, trigger: "manual" });
      await moved(store, "evt_1");
      expect(await wanted(store)).toMatchObject([{ state: "by hand" }]);
      expect(await store.inviteRequests({ states: ["open"], limit: 9 })).toEqual([]);
    });

    test("keeps what a sandbox asked for out of production", async () => {
      const store = await opened(open);
      const sandbox = { ...HERE, environment: "sandbox" } as const;
      const production = await connect(store, { ...SMARTRECRUITERS, subject: "result" });
      const trial = await connect(store, { ...SMARTRECRUITERS, subject: "result", environment: "sandbox" });
      await store.saveCatalogEntry(sandbox, PLACE, ENTRY);
      await moved(store, "evt_1", {}, sandbox);
      await store.append([anEvent("completed", { origin: ORIGIN })]);
      expect(await claimsOf(store, { connectionId: production.id, limit: 9, now: NOON })).toEqual([]);
      expect(await claimsOf(store, { connectionId: trial.id, limit: 9, now: NOON })).toHaveLength(1);
    });
  });

  describe("an invite that was asked for", () => {
    test("is due again when it was put off, and its tries are kept", async () => {
      const store = await opened(open);
      await store.saveCatalogEntry(HERE, PLACE, ENTRY);
      await moved(store, "evt_1");
      const [request] = await wanted(store);
      const attempt = { outcome: "retry", httpStatus: 503, durationMs: 4, reason: "answered 503" } as const;
      const id = request?.id ?? 0;
      await store.noteRequest(
        id,
        { attempt, state: "open", dueAt: NOON + MINUTE, reason: "answered 503" },
        NOON,
      );
      const due = (dueBy: number) => store.inviteRequests({ states: ["open"], dueBy, limit: 9 });
      expect(await due(NOON)).toEqual([]);
      expect(await due(NOON + MINUTE)).toMatchObject([{ tries: 1, reason: "answered 503" }]);
      expect(await store.requestAttempts({ org, limit: 9 })).toMatchObject([
        { ...attempt, at: NOON, assessmentId: request?.assessmentId, candidateId: "c1", test: "disc" },
      ]);
      expect(await store.requestAttempts({ org: "other", limit: 9 })).toEqual([]);
    });

    test("has come once JobCannon tells of an invite with its id, whoever asked", async () => {
      const store = await opened(open);
      await store.saveCatalogEntry(HERE, PLACE, ENTRY);
      await moved(store, "evt_1");
      const [{ assessmentId = "" } = {}] = await wanted(store);
      await store.append([anEvent("invited", { origin: { ...ORIGIN, assessmentId } })]);
      expect(await wanted(store)).toEqual([]);
      expect(await store.inviteRequests({ org, states: ["sent"], limit: 9 })).toHaveLength(1);
    });

    test("stays sent when it is noted otherwise afterwards", async () => {
      const store = await opened(open);
      await store.saveCatalogEntry(HERE, PLACE, ENTRY);
      await moved(store, "evt_1");
      const id = (await wanted(store))[0]?.id ?? 0;
      await store.noteRequest(id, { state: "sent", reason: null }, NOON);
      await store.noteRequest(id, { state: "open", reason: "late" }, NOON);
      expect(await wanted(store)).toEqual([]);
    });
  });
}
