/** Stages that ask for tests: the catalogue that is kept here, and what JobCannon is asked for. */
import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { faultsIn } from "../docs/schemas.ts";
import { allDelivered, launchService } from "../end-to-end/program.ts";
import { succeed, until, type World } from "../world.ts";
import { type Application, apply, control, move, resultOf } from "./company.ts";
import { type PublishedWorld, publishedWorld, VENDOR } from "./world.ts";

const SET = ["catalog", "set", "--job", "j1", "--test", "disc"];
const EMAIL = "ann@example.org";

const Asked = v.array(
  v.object({ id: v.string(), times: v.number(), data: v.record(v.string(), v.unknown()) }),
);
const asked = async (world: World) => v.parse(Asked, await control(world, "/invites"));

const Wanted = v.object({
  wanted: v.array(
    v.object({
      id: v.number(),
      state: v.string(),
      candidateId: v.string(),
      test: v.string(),
      stage: v.string(),
      reason: v.nullable(v.string()),
    }),
  ),
});
async function wanted(world: World) {
  const { json } = await succeed(world, ["invites", "wanted", "--json"]);
  expect(faultsIn("invites-wanted", json)).toBe(null);
  return v.parse(Wanted, json).wanted;
}

/** Connected and subscribed; `at`: under the emulator, where JobCannon is asked. Blank for nowhere. */
async function asking(at = "/jobcannon/invites"): Promise<PublishedWorld> {
  const world = await publishedWorld();
  await succeed(world, ["connect", VENDOR]);
  const service = await launchService(world);
  await succeed(world, ["webhooks", "subscribe"]);
  service.child.kill("SIGTERM");
  await service.ended;
  const url = at === "" ? "" : `invites_url = "${world.emulator.smartrecruiters}${at}"\n`;
  appendFileSync(world.configFile, `[jobcannon]\n${url}[schedule]\nretry_every = "1s"\n`);
  return world;
}

describe("catalog set in the published profile", () => {
  test("keeps what a stage triggers here, its stage read from the company's hiring processes", async () => {
    const world = await publishedWorld();
    await succeed(world, ["connect", VENDOR]);
    const { json } = await succeed(world, [...SET, "--stage", "phone screen", "--json"]);
    expect(json).toMatchObject({ jobId: "j1", stage: "INTERVIEW/Phone screen", test: "disc", changed: true });
    await succeed(world, [...SET, "--stage", "INTERVIEW/phone screen", "--optional"]);
    const list = await succeed(world, ["catalog", "list", "--job", "j1", "--json"]);
    expect(list.json).toMatchObject({ stages: [{ stage: "INTERVIEW/Phone screen", required: false }] });
    const shown = await succeed(world, [
      "catalog",
      "show",
      "--job",
      "j1",
      "--stage",
      "Phone Screen",
      "--json",
    ]);
    expect(shown.json).toMatchObject({ test: "disc", dueDays: 7 });
  });

  test.each(["names", "objects"])(
    "refuses a stage that is none, or means several; steps are %s",
    async (subStatusesAre) => {
      const world = await publishedWorld();
      await succeed(world, ["connect", VENDOR]);
      await world.set({ subStatusesAre });
      const none = await world.run([...SET, "--stage", "Phone sceen"]);
      expect(none).toMatchObject({ code: 2 });
      expect(none.err).toContain("no hiring process of the company has the stage");
      const gone = await world.run([...SET, "--stage", "Gone"]);
      expect(gone.code).toBe(2);
      const several = await world.run([...SET, "--stage", "Assessment"]);
      expect(several.code).toBe(2);
      expect(several.err).toContain("IN_REVIEW/Assessment, INTERVIEW/Assessment");
      await succeed(world, [...SET, "--stage", "IN_REVIEW/Assessment"]);
    },
  );
});

describe("catalog set for a job", () => {
  const AT = [...SET, "--stage", "IN_REVIEW/Assessment"];

  async function kept(world: World) {
    const { json } = await succeed(world, ["catalog", "list", "--job", "j1", "--json"]);
    return Object(json).stages;
  }

  async function withJobs(jobs: string[]) {
    const world = await publishedWorld();
    await succeed(world, ["connect", VENDOR]);
    await world.smartrecruiters.settings({ jobs });
    return world;
  }

  test("refuses one that the company does not have, however much it is meant", async () => {
    const world = await withJobs(["j2"]);
    const { code, err } = await world.run(AT);
    expect(code).toBe(2);
    expect(err).toContain("SmartRecruiters has no job j1");
    expect(err).toContain("by its id there, not by its title. Nothing was changed.");
    expect(await world.run([...AT, "--yes"])).toMatchObject({ code: 2 });
    expect(await kept(world)).toEqual([]);
    await world.smartrecruiters.settings({ jobs: ["j2", "j1"] });
    await succeed(world, AT);
    expect(await kept(world)).toMatchObject([{ stage: "IN_REVIEW/Assessment" }]);
  });

  test.each([
    ["is away", { status: 503 }, "503"],
    [
      "lets nobody see its jobs",
      { status: 403, body: { errors: [{ code: "OAuthPermissionsException" }] } },
      "jobs_read",
    ],
    ["has a proxy before it that answers 404", { status: 404, body: "<html>" }, "404"],
  ])("takes it unasked where the vendor %s and --yes insists", async (_, fault, words) => {
    const world = await withJobs(["j2"]);
    await world.smartrecruiters.fault({ ...fault, path: "/jobs/" });
    const refused = await world.run(AT);
    expect(refused).toMatchObject({ code: 6 });
    expect(refused.err).toContain(words);
    expect(refused.err).toContain("If job and stage are known to be right, run it again with --yes.");
    expect(await kept(world)).toEqual([]);
    const vague = await world.run([...SET, "--stage", "assessment", "--yes"]);
    expect(vague).toMatchObject({ code: 6 });
    expect(vague.err).toContain("INTERVIEW/Phone screen");
    const { err } = await succeed(world, [...AT, "--yes"]);
    expect(err).toContain("Taken as written, since the vendor did not say");
    expect(await kept(world)).toMatchObject([{ stage: "IN_REVIEW/Assessment", test: "disc" }]);
  });
});

describe("a candidate who comes to such a stage", () => {
  async function arrived(
    world: PublishedWorld,
    person: { email: string; jobId?: string } = { email: EMAIL },
  ) {
    const of = await apply(world, person);
    await move(world, of, "Assessment");
    return of;
  }

  test("has JobCannon asked once, however often they come, and the result finds the way back", async () => {
    const world = await asking();
    await succeed(world, [...SET, "--stage", "IN_REVIEW/Assessment"]);
    await launchService(world);
    await world.set({ copies: 2 });
    const of = await arrived(world);
    const [request] = await until("JobCannon is asked", async () => {
      const all = await asked(world);
      return all.length > 0 && all;
    });
    expect(request).toMatchObject({
      id: expect.stringMatching(/^jc_[0-9a-f]{24}$/),
      times: 1,
      data: {
        org: "acme",
        candidate: { email: EMAIL, first_name: "Ann", last_name: "Lee" },
        job: { id: "j1" },
        test: "disc",
        required: true,
        due_days: 7,
        template: "branded",
        source: { vendor: VENDOR, candidate_id: of.candidateId, job_id: "j1", assessment_id: request?.id },
      },
    });
    await move(world, of, "Screening");
    await move(world, of, "Assessment");
    await control(world, "/invites/complete", { id: request?.id });
    const { properties, notes } = await until("the result is back", async () => {
      const result = await resultOf(world, of);
      return result.notes.length > 0 && result;
    });
    expect(properties).toMatchObject({ jc_disc_d: 68 });
    expect(notes).toHaveLength(1);
    const show = ["invites", "show", `inv_${request?.id}`, "--reveal", "--json"];
    await until("it is noted as delivered", async () => {
      const [push] = Object((await succeed(world, show)).json).pushes;
      return push?.subject === request?.id && push?.state === "delivered";
    });
    const log = await until("the request is noted as sent", async () => {
      const shown = await succeed(world, ["logs", "--requests", "--json"]);
      return Object(shown.json).requests.length > 0 && shown;
    });
    expect(log.json).toMatchObject({
      requests: [
        { outcome: "sent", httpStatus: 202, assessmentId: request?.id, candidateId: of.candidateId },
      ],
    });
    // Our own writes came back as an event; nothing followed from it.
    await allDelivered(world);
    expect(await asked(world)).toEqual([request]);
    expect(await wanted(world)).toEqual([]);
    expect((await resultOf(world, of)).notes).toHaveLength(1);
  });

  test("is asked for again while JobCannon fails, through kills, with one id, and is seen in status and logs meanwhile", async () => {
    const world = await asking();
    await succeed(world, [...SET, "--stage", "IN_REVIEW/Assessment"]);
    await world.smartrecruiters.fault({ status: 503, path: "/jobcannon" });
    let service = await launchService(world);
    await arrived(world);
    await until("it was tried", async () => (await wanted(world))[0]?.reason);
    const status = await succeed(world, ["status"]);
    expect(status.out).toContain("1 invite wanted by stages");
    expect(status.out).toContain("JobCannon answered 503: jc-integrations logs --requests");
    service.child.kill("SIGKILL");
    await service.ended;
    await world.smartrecruiters.clearFaults();
    await world.smartrecruiters.fault({ drop: true, times: 1, path: "/jobcannon" });
    service = await launchService(world);
    await succeed(world, ["run", "requests"]);
    const all = await until("it is taken", async () => {
      await world.run(["run", "requests"]);
      return (await wanted(world)).length === 0 && (await asked(world));
    });
    expect(all).toHaveLength(1);
    const { json } = await succeed(world, ["logs", "--requests", "--json"]);
    expect(JSON.stringify(json)).toContain('"retry"');
    expect(JSON.stringify(json)).toContain('"sent"');
  });

  test("is listed for a person where nobody can be asked, or its stage is triggered by hand", async () => {
    const world = await asking("");
    await succeed(world, [...SET, "--stage", "IN_REVIEW/Assessment"]);
    await succeed(world, [
      "catalog",
      "set",
      "--job",
      "j2",
      "--test",
      "mbti",
      "--stage",
      "IN_REVIEW/Assessment",
      "--trigger",
      "manual",
    ]);
    await launchService(world);
    const first = await arrived(world);
    const second = await arrived(world, { email: "bob@example.org", jobId: "j2" });
    const list = await until("both are listed", async () => {
      const all = await wanted(world);
      return all.length === 2 && all;
    });
    const of = ({ candidateId }: Application) => list.find((each) => each.candidateId === candidateId);
    expect(of(first)).toMatchObject({ state: "open", test: "disc", stage: "IN_REVIEW/Assessment" });
    expect(of(second)).toMatchObject({ state: "by hand", test: "mbti" });
    expect((await succeed(world, ["status"])).out).toContain(
      "2 for a person to send: jc-integrations invites wanted",
    );
    const plain = await succeed(world, ["invites", "wanted"]);
    expect(plain.out).not.toContain("@example.org");
    expect((await succeed(world, ["invites", "wanted", "--reveal"])).out).toContain(`<${EMAIL}>`);
    const done = await succeed(world, ["invites", "wanted", "--done", String(of(first)?.id), "--json"]);
    expect(faultsIn("invites-wanted", done.json)).toBe(null);
    expect((await wanted(world)).map(({ candidateId }) => candidateId)).toEqual([second.candidateId]);
    expect(await world.run(["invites", "wanted", "--send", String(of(second)?.id)])).toMatchObject({
      code: 2,
    });
    expect(await asked(world)).toEqual([]);
  });

  test("is not asked for again, and gets no second note, after an old backup took the log's place", async () => {
    const world = await asking();
    const { file } = Object((await succeed(world, ["backup", "--json"])).json);
    await succeed(world, [...SET, "--stage", "IN_REVIEW/Assessment"]);
    const service = await launchService(world);
    const of = await arrived(world);
    const [request] = await until("JobCannon is asked", async () => {
      const all = await asked(world);
      return all.length > 0 && all;
    });
    await control(world, "/invites/complete", { id: request?.id });
    await until("the result is back", async () => (await resultOf(world, of)).notes.length > 0);
    await allDelivered(world);
    service.child.kill("SIGTERM");
    await service.ended;
    await succeed(world, ["restore", file, "--yes"]);
    const list = await succeed(world, ["catalog", "list", "--job", "j1", "--json"]);
    expect(list.json).toMatchObject({ stages: [{ test: "disc" }] });
    await succeed(world, ["run", "questions"]);
    await succeed(world, ["run", "requests"]);
    await succeed(world, ["replay", "--vendor", VENDOR, "--status", "delivered", "--yes"]);
    expect(await asked(world)).toEqual([request]);
    expect((await resultOf(world, of)).notes).toHaveLength(1);
  });

  test("is told apart where JobCannon says no: a person sees why, and can have it asked again", async () => {
    const world = await asking();
    await succeed(world, [...SET, "--stage", "IN_REVIEW/Assessment"]);
    await world.smartrecruiters.fault({ status: 422, times: 1, path: "/jobcannon" });
    await launchService(world);
    await arrived(world);
    const [refused] = await until("it is refused", async () => {
      const all = await wanted(world);
      return all[0]?.state === "refused" && all;
    });
    expect(refused?.reason).toBe("JobCannon answered 422");
    await succeed(world, ["invites", "wanted", "--send", String(refused?.id)]);
    expect((await succeed(world, ["run", "requests", "--json"])).json).toMatchObject({ sent: 1 });
    expect(await asked(world)).toHaveLength(1);
  });
});
