import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { faultsIn } from "../docs/schemas.ts";
import { fakeClock, withoutShortWaits } from "../fake-clock.ts";
import { succeed, until } from "../world.ts";
import {
  atsWorld,
  company,
  completedEvent,
  connectedAts,
  invited,
  post,
  rowOf,
  SCOPES,
  scorecard,
  servingAts,
  signatureOf,
  subscription,
  untilDelivered,
  webhookLog,
} from "./world.ts";

const GLOBEX = `[orgs.globex]
smartrecruiters_client_id = "sr-globex"
`;
const WITHOUT_WRITE = SCOPES.filter((scope) => scope !== "assessments:write");

/** A snapshot of JobCannon's about an assessment that SmartRecruiters asked for. */
function snapshot(
  { candidateId, assessmentId }: { candidateId: string; assessmentId: string },
  changes: { type?: string; status?: string; tests?: object[]; org?: string } = {},
) {
  const { type = "invite.sent", status = "invited", org = "acme" } = changes;
  const { tests = [{ slug: "disc", status: "assigned" }] } = changes;
  return {
    type,
    timestamp: "2026-05-15T10:15:00Z",
    data: {
      invitation_id: `inv_${assessmentId}`,
      org,
      status,
      sent_at: "2026-05-13T09:00:00Z",
      candidate: { email: "ann@example.com", first_name: "Ann", last_name: "Lee" },
      tests,
      source: {
        vendor: "smartrecruiters",
        candidate_id: candidateId,
        job_id: "j1",
        assessment_id: assessmentId,
      },
    },
  };
}

describe("a completed assessment", () => {
  test("is on the scorecard with its fields, summary and link, and its webhook back confirms it without a loop", async () => {
    const { world } = await servingAts();
    const ann = await invited(await company(world));
    await world.smartrecruiters.complete(ann.candidateId);
    await untilDelivered(world, 1);
    expect(await scorecard(world, ann.candidateId)).toEqual([
      {
        assessmentId: ann.assessmentId,
        title: "JobCannon: DISC",
        score: null,
        summary: "DISC: Dominance 68, Influence 41, Steadiness 55, Conscientiousness 80",
        resultUrl: `https://jobcannon.io/business/dashboard/invites/inv_${ann.assessmentId}`,
        completedAt: expect.stringMatching(/^20\d\d-.*Z$/),
        fields: [
          { fieldId: "cf-disc-d", value: "68" },
          { fieldId: "cf-disc-i", value: "41" },
          { fieldId: "cf-disc-s", value: "55" },
          { fieldId: "cf-disc-c", value: "80" },
        ],
      },
    ]);

    await until("the webhook came back", async () => (await webhookLog(world)).received.length === 1);
    await until(
      "its sender heard our answer",
      async () => (await world.smartrecruiters.deliveries()).length === 1,
    );
    expect(await world.smartrecruiters.deliveries()).toMatchObject([
      { status: 202, assessmentId: ann.assessmentId },
    ]);
    expect((await webhookLog(world)).received).toMatchObject([
      { ...ann, invitationId: `inv_${ann.assessmentId}`, isMatched: true },
    ]);
    await succeed(world, ["run", "questions"]);
    await succeed(world, ["run", "retry"]);
    expect(await world.smartrecruiters.requests({ to: "/results" })).toMatchObject([{ status: 201 }]);
    expect(await rowOf(world)).toMatchObject({ pushes: { delivered: 1, pending: 0 } });
    expect(await scorecard(world, ann.candidateId)).toHaveLength(1);
  });

  test("is replayed onto the same entry", async () => {
    const { world } = await servingAts();
    const ann = await invited(await company(world));
    await world.smartrecruiters.complete(ann.candidateId);
    await untilDelivered(world, 1);
    const before = await scorecard(world, ann.candidateId);
    const argv = ["replay", `inv_${ann.assessmentId}`, "--vendor", "smartrecruiters", "--json", "--yes"];
    expect((await succeed(world, argv)).json).toMatchObject({ matched: 1, delivered: 1 });
    expect(await world.smartrecruiters.requests({ to: "/results" })).toHaveLength(2);
    expect(await scorecard(world, ann.candidateId)).toEqual(before);
  });

  test("reaches the company of its own org, and no other", async () => {
    const { world } = await servingAts({ config: GLOBEX });
    await succeed(world, ["connect", "smartrecruiters", "--org", "globex"]);
    const [acmes, globexs] = [
      await invited(await company(world)),
      await invited(await company(world, "sr-globex")),
    ];
    await world.smartrecruiters.complete(globexs.candidateId, "globex");
    await untilDelivered(world, 1, "--org", "globex");
    expect(await rowOf(world)).toMatchObject({ pushes: { delivered: 0, pending: 0 } });
    expect(await scorecard(world, acmes.candidateId)).toEqual([]);
    expect(await scorecard(world, globexs.candidateId)).toHaveLength(1);
    await world.smartrecruiters.complete(acmes.candidateId);
    await untilDelivered(world, 1);
    expect(await scorecard(world, acmes.candidateId)).toHaveLength(1);
  });

  test("from before the connection waits for backfill, which connect names", async () => {
    const world = await atsWorld();
    const ann = await invited(await company(world));
    await serving(world);
    await world.smartrecruiters.complete(ann.candidateId);
    expect(await rowOf(world)).toMatchObject({ pushes: { pending: 0, delivered: 0 } });
    expect((await succeed(world, ["connect", "smartrecruiters", "--json"])).json).toMatchObject({
      waiting: 1,
    });
    const { out } = await succeed(world, ["connect", "smartrecruiters"]);
    expect(out).toContain("webhooks subscribe --org acme\n");
    expect(out).toContain(
      "1 earlier result waits: jc-integrations backfill --vendor smartrecruiters --org acme",
    );
    const argv = ["backfill", "--vendor", "smartrecruiters", "--json", "--yes"];
    expect((await succeed(world, argv)).json).toMatchObject({ matched: 1, delivered: 1 });
    expect(await scorecard(world, ann.candidateId)).toMatchObject([{ title: "JobCannon: DISC" }]);
    expect((await succeed(world, argv)).json).toMatchObject({ matched: 0, delivered: 0 });
  });
});

describe("a result that the vendor refuses", () => {
  test("is rejected with the vendor's words, and replayed once it was mended", async () => {
    const { world } = await servingAts();
    const ann = await invited(await company(world));
    const body = { errors: [{ code: "INVALID_VALUE", message: "The scorecard is closed" }] };
    await world.smartrecruiters.fault({ status: 422, path: "/v1/assessments", method: "POST", body });
    await world.smartrecruiters.complete(ann.candidateId);
    await until("it is rejected", async () => (await rowOf(world))?.pushes.rejected === 1);
    expect((await succeed(world, ["logs", "--outcome", "rejected"])).out).toContain(
      "The scorecard is closed",
    );
    await world.smartrecruiters.clearFaults();
    const argv = ["replay", "--status", "rejected", "--vendor", "smartrecruiters", "--json", "--yes"];
    expect((await succeed(world, argv)).json).toMatchObject({ matched: 1, delivered: 1 });
    expect(await scorecard(world, ann.candidateId)).toHaveLength(1);
  });
});

describe("a scope that is missing for the scorecard", () => {
  test("holds results with the guide's words in status, and a new consent lets them go by themselves", async () => {
    const world = await atsWorld();
    await world.smartrecruiters.settings({ grantedScopes: WITHOUT_WRITE });
    expect((await world.run(["connect", "smartrecruiters"])).code).toBe(7);
    await serving(world);
    await world.smartrecruiters.settings({ grantedScopes: null });
    const ann = await invited(await company(world));
    await world.smartrecruiters.settings({ grantedScopes: WITHOUT_WRITE });
    await world.smartrecruiters.complete(ann.candidateId);
    await until("it is held", async () => (await rowOf(world))?.pushes.held === 1);
    await until("it is told", async () => (await rowOf(world))?.banner?.includes("403 Forbidden"));
    const { banner } = (await rowOf(world)) ?? {};
    expect(banner).toContain("Assessment delivery failed (403 Forbidden)");
    expect(banner).toContain("(assessments:write)");
    expect(banner).toContain("Check integration scopes in SmartRecruiters.");
    expect(banner).toContain("If missing, re-authorize and approve all required scopes.");
    expect(banner).toContain("Run: jc-integrations connect smartrecruiters --org acme");
    expect(await scorecard(world, ann.candidateId)).toEqual([]);

    await world.smartrecruiters.settings({ grantedScopes: null });
    expect((await succeed(world, ["connect", "smartrecruiters"])).out).toMatch(/held results +1 go out now/);
    await untilDelivered(world, 1);
    expect(await scorecard(world, ann.candidateId)).toHaveLength(1);
    expect(await rowOf(world)).toMatchObject({ banner: null, missingScopes: [], pushes: { held: 0 } });
  });

  test("that was taken back later holds as well, until the admin gives it again", async () => {
    const { world } = await servingAts();
    const ann = await invited(await company(world));
    await world.smartrecruiters.settings({ grantedScopes: WITHOUT_WRITE });
    await world.smartrecruiters.complete(ann.candidateId);
    await until("it is told", async () => (await rowOf(world))?.banner?.includes("403 Forbidden"));
    await world.smartrecruiters.settings({ grantedScopes: null });
    await succeed(world, ["connect", "smartrecruiters"]);
    await untilDelivered(world, 1);
  });
});

describe("a scorecard field that was removed in SmartRecruiters", () => {
  test("holds the result, until the fields are read anew", async () => {
    const { world } = await servingAts();
    const ann = await invited(await company(world));
    await world.smartrecruiters.settings({
      customFields: [{ id: "cf-disc-d", label: "Dominance", type: "number" }],
    });
    await world.smartrecruiters.complete(ann.candidateId);
    await until("it is told", async () => (await rowOf(world))?.banner?.includes("scorecard field"));
    expect(await rowOf(world)).toMatchObject({ pushes: { held: 1 } });
    const { banner } = (await rowOf(world)) ?? {};
    expect(banner).toContain("SmartRecruiters has no scorecard field Influence (cf-disc-i)");
    expect(banner).toContain("jc-integrations resync-properties --vendor smartrecruiters --org acme");
    const resynced = await succeed(world, ["resync-properties", "--vendor", "smartrecruiters", "--json"]);
    expect(resynced.json).toMatchObject({ existing: ["Dominance (cf-disc-d)"], due: 1 });
    await untilDelivered(world, 1);
    expect((await scorecard(world, ann.candidateId))[0]?.fields).toEqual([
      { fieldId: "cf-disc-d", value: "68" },
    ]);
    expect(await rowOf(world)).toMatchObject({ banner: null, pushes: { held: 0 } });
  });

  test("and one that is new is filled by a resync for results that were delivered before", async () => {
    const { world } = await servingAts();
    await world.smartrecruiters.settings({
      customFields: [{ id: "cf-disc-d", label: "Dominance", type: "number" }],
    });
    await succeed(world, ["resync-properties", "--vendor", "smartrecruiters"]);
    const ann = await invited(await company(world));
    await world.smartrecruiters.complete(ann.candidateId);
    await untilDelivered(world, 1);
    await world.smartrecruiters.settings({ customFields: null });
    const { out } = await succeed(world, ["resync-properties", "--vendor", "smartrecruiters"]);
    expect(out).toContain("1 assessment will be sent again.");
    await until(
      "all four are there",
      async () => (await scorecard(world, ann.candidateId))[0]?.fields.length === 4,
    );
  });
});

describe("an outage of SmartRecruiters", () => {
  test("loses nothing, and says nothing to HubSpot", async () => {
    const { world } = await servingAts();
    await succeed(world, ["connect", "hubspot"]);
    const ann = await invited(await company(world));
    await world.smartrecruiters.fault({ status: 503, path: "/v1/assessments" });
    await world.smartrecruiters.complete(ann.candidateId);
    await until("HubSpot has it", async () => Object.keys(await world.portal.contacts()).length === 1);
    expect(await rowOf(world)).toMatchObject({ pushes: { pending: 1, rejected: 0 } });
    await world.smartrecruiters.clearFaults();
    await untilDelivered(world, 1);
  });
});

describe("a webhook that carries a result we lack", () => {
  const RESULT = {
    dimensions: [
      { name: "Dominance", score: 71 },
      { name: "Influence", score: 32 },
      { name: "Steadiness", score: 43 },
      { name: "Conscientiousness", score: 54 },
    ],
  };

  test("completes the invite once the vendor was asked for the test, and reaches scorecard and contact", async () => {
    const { world, service } = await servingAts();
    await succeed(world, ["connect", "hubspot"]);
    const ann = await invited(await company(world));
    expect((await service.post(snapshot(ann))).status).toBe(202);
    const { secret } = await subscription(world);
    const body = completedEvent({ ...ann, result: RESULT });
    expect(await post(world, body, signatureOf(body, secret))).toMatchObject({ status: 202 });
    expect((await succeed(world, ["run", "questions", "--json"])).json).toMatchObject({
      answered: 1,
      failed: [],
    });
    await untilDelivered(world, 1);
    expect(await scorecard(world, ann.candidateId)).toMatchObject([
      { summary: "DISC: Dominance 71, Influence 32, Steadiness 43, Conscientiousness 54" },
    ]);
    await until(
      "HubSpot has it",
      async () => (await world.portal.contacts())["ann@example.com"]?.jc_disc_d === "71",
    );
    expect((await world.portal.contacts())["ann@example.com"]?.jc_test_status).toBe("completed");

    // The vendor tells our own write-back; the invite has that result by now.
    await until("it came back", async () => (await webhookLog(world)).received.length === 2);
    await succeed(world, ["run", "questions"]);
    await succeed(world, ["run", "retry"]);
    expect(await world.smartrecruiters.requests({ to: "/results" })).toHaveLength(1);
  });

  test("and tells of no completion is kept and shown, and changes no contact", async () => {
    const { world, service } = await servingAts();
    await succeed(world, ["connect", "hubspot"]);
    const ann = await invited(await company(world));
    expect((await service.post(snapshot(ann))).status).toBe(202);
    const { secret } = await subscription(world);
    const statuses = ["EXPIRED", "REJECTED", "PENDING", "IN_PROGRESS", "expired", "put off", undefined];
    for (const [index, status] of statuses.entries()) {
      const body = completedEvent({ ...ann, status, result: RESULT }, { id: `evt_${index}` });
      expect(await post(world, body, signatureOf(body, secret))).toMatchObject({ status: 202 });
    }
    expect((await succeed(world, ["run", "questions", "--json"])).json).toMatchObject({ answered: 0 });
    await succeed(world, ["run", "retry"]);
    expect(await world.portal.contacts()).toEqual({});
    expect(await scorecard(world, ann.candidateId)).toEqual([]);
    const log = await succeed(world, ["webhooks", "log"]);
    const invite = await succeed(world, ["invites", "show", `inv_${ann.assessmentId}`]);
    expect(invite.out).toContain(`inv_${ann.assessmentId}  invited`);
    for (const { out } of [log, invite]) {
      for (const status of ["EXPIRED", "REJECTED", "PENDING", "IN_PROGRESS", "put off", "no status"])
        expect(out).toContain(`${status}: completes nothing`);
    }
    const { received } = v.parse(
      v.object({ received: v.array(v.object({ status: v.string(), isCompletion: v.boolean() })) }),
      (await succeed(world, ["webhooks", "log", "--vendor", "smartrecruiters", "--json"])).json,
    );
    expect(received).toEqual(
      statuses.map((status = "") => expect.objectContaining({ status, isCompletion: false })),
    );
  });

  test("counts until JobCannon's own snapshot comes, which then stands on both", async () => {
    const { world, service } = await servingAts();
    const ann = await invited(await company(world));
    await service.post(snapshot(ann));
    const { secret } = await subscription(world);
    const body = completedEvent({ ...ann, result: RESULT });
    await post(world, body, signatureOf(body, secret));
    await succeed(world, ["run", "questions"]);
    await untilDelivered(world, 1);
    const { json } = await succeed(world, ["invites", "show", `inv_${ann.assessmentId}`, "--json"]);
    expect(faultsIn("invites-show", json)).toBe(null);
    expect(json).toMatchObject({ invite: { tests: [{ reportedAt: expect.stringMatching(/^\d{4}-.*Z$/) }] } });
    const log = await succeed(world, ["webhooks", "log", "--json"]);
    expect(faultsIn("webhooks-log", log.json)).toBe(null);
    await world.smartrecruiters.complete(ann.candidateId).catch(() => {});
    const tests = [
      {
        slug: "disc",
        status: "completed",
        completed_at: "2026-05-15T11:00:00Z",
        result: { dimensions: RESULT.dimensions.map((each) => ({ ...each, score: 20 })) },
      },
    ];
    const own = snapshot(ann, { type: "invite.completed", status: "completed", tests });
    await service.post({ ...own, timestamp: new Date().toISOString() });
    await until("it stands there", async () =>
      (await scorecard(world, ann.candidateId))[0]?.summary?.includes("Dominance 20"),
    );
  });

  test("waits for its invite, and is matched when that comes", async () => {
    const { world, service } = await servingAts();
    const ann = await invited(await company(world));
    const { secret } = await subscription(world);
    const body = completedEvent({ ...ann, result: RESULT });
    await post(world, body, signatureOf(body, secret));
    expect((await webhookLog(world, "--unmatched")).received).toHaveLength(1);
    await service.post(snapshot(ann));
    expect((await webhookLog(world, "--unmatched")).received).toEqual([]);
    expect((await webhookLog(world)).received).toMatchObject([
      { isMatched: true, invitationId: `inv_${ann.assessmentId}` },
    ]);
    await succeed(world, ["run", "questions"]);
    await untilDelivered(world, 1);
  });

  test("is asked about by serve itself within a minute", async () => {
    const clock = withoutShortWaits(fakeClock(Date.now()));
    const { world, service } = await servingAts({ clock });
    const ann = await invited(await company(world));
    await service.post(snapshot(ann));
    const { secret } = await subscription(world);
    const body = completedEvent({ ...ann, result: RESULT });
    expect(await post(world, body, signatureOf(body, secret))).toMatchObject({ status: 202 });
    await until("it is on the scorecard", async () => {
      await clock.advance(10_000);
      return (await rowOf(world))?.pushes.delivered === 1;
    });
  });

  test("that the vendor refuses to speak of does not stand before the next one", async () => {
    const { world, service } = await servingAts();
    const recruiter = await company(world);
    const { secret } = await subscription(world);
    for (const email of ["ann@example.com", "bo@example.com"]) {
      const asked = await invited(recruiter, { email });
      await service.post(snapshot(asked));
      const body = completedEvent({ ...asked, result: RESULT });
      await post(world, body, signatureOf(body, secret));
    }
    await world.smartrecruiters.fault({
      status: 400,
      body: "{}",
      times: 1,
      method: "GET",
      path: "/v1/assessments",
    });
    expect((await succeed(world, ["run", "questions", "--json"])).json).toMatchObject({
      answered: 1,
      failed: [expect.stringContaining("400")],
    });
    expect((await succeed(world, ["run", "questions", "--json"])).json).toMatchObject({ answered: 1 });
  });

  test("waits while the vendor cannot be asked", async () => {
    const { world, service } = await servingAts();
    const ann = await invited(await company(world));
    await service.post(snapshot(ann));
    const { secret } = await subscription(world);
    const body = completedEvent({ ...ann, result: RESULT });
    await post(world, body, signatureOf(body, secret));
    await world.smartrecruiters.fault({ status: 503, method: "GET", path: "/v1/assessments" });
    expect((await succeed(world, ["run", "questions", "--json"])).json).toMatchObject({
      answered: 0,
      failed: [expect.stringContaining("503")],
    });
    await world.smartrecruiters.clearFaults();
    expect((await succeed(world, ["run", "questions", "--json"])).json).toMatchObject({ answered: 1 });
    await untilDelivered(world, 1);
  });
});

describe("deliveries on a road full of repetition", () => {
  test("swapped, doubled and late webhooks end with one entry and one write each", async () => {
    const { world } = await servingAts();
    await world.smartrecruiters.settings({ webhookCopies: 3, webhookReorder: true });
    const recruiter = await company(world);
    const people = [await invited(recruiter), await invited(recruiter, { email: "bo@example.com" })];
    for (const { candidateId } of people) await world.smartrecruiters.complete(candidateId);
    await untilDelivered(world, 2);
    await until("both came back", async () => (await webhookLog(world)).received.length === 2);
    await until("all copies came", async () => (await world.smartrecruiters.deliveries()).length >= 6);
    expect((await webhookLog(world)).received.every(({ isMatched }) => isMatched)).toBe(true);
    await succeed(world, ["run", "questions"]);
    expect(await world.smartrecruiters.requests({ to: "/results" })).toHaveLength(2);
  });
});

test("a webhook that is written anew on its way is refused, and the result is on the scorecard all the same", async () => {
  const world = await connectedAts();
  await serving(world);
  await succeed(world, ["webhooks", "subscribe"]);
  await world.smartrecruiters.settings({ webhookReserialize: true, webhookRetryMs: [] });
  const ann = await invited(await company(world));
  await world.smartrecruiters.complete(ann.candidateId);
  await untilDelivered(world, 1);
  await until("it is counted", async () => (await webhookLog(world)).refused.length === 1);
  expect(await world.smartrecruiters.deliveries()).toMatchObject([{ status: 401 }]);
});
