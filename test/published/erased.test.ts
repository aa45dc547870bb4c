/** Thin events about a person who was erased: they name nobody, and bring nobody back. */
import { appendFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { logOf } from "../end-to-end/log.ts";
import { launchService, type Service } from "../end-to-end/program.ts";
import { succeed, until, type World } from "../world.ts";
import { apply, completed, control, move } from "./company.ts";
import { type PublishedWorld, publishedWorld, VENDOR } from "./world.ts";

const ANN = "ann.erased@example.org";
const BOB = "bob.stays@example.org";

/** JobCannon is asked for whoever comes to the stage, by a service that runs all the while. */
async function asking(): Promise<{ world: PublishedWorld; service: Service }> {
  const world = await publishedWorld();
  const invites = `invites_url = "${world.emulator.smartrecruiters}/jobcannon/invites"`;
  appendFileSync(world.configFile, `[jobcannon]\n${invites}\n[schedule]\nretry_every = "1s"\n`);
  await succeed(world, ["connect", VENDOR]);
  const service = await launchService(world);
  await succeed(world, ["webhooks", "subscribe"]);
  await succeed(world, [
    "catalog",
    "set",
    "--job",
    "j1",
    "--stage",
    "IN_REVIEW/Assessment",
    "--test",
    "disc",
  ]);
  return { world, service };
}

const askedFor = async (world: World) =>
  (Object(await control(world, "/invites")) as { data: { candidate: { email: string } } }[]).map(
    ({ data }) => data.candidate.email,
  );
const erase = (world: World) => succeed(world, ["erase", "-", "--yes", "--json"], ANN);
const refused = async (world: World) =>
  Object((await succeed(world, ["status", "--json"])).json).erased.refused;

describe("a thin event of an erased person", () => {
  test("that comes afterwards is answered, counted, and kept and asked about nowhere", async () => {
    const { world } = await asking();
    const [ann, bob] = [await apply(world, { email: ANN }), await apply(world, { email: BOB })];
    const { candidateId } = ann;
    const of = { ...ann, assessmentId: "jc_ann" };
    const told = world.file("told.ndjson", [completed("inv_ann", { email: ANN, of })]);
    await succeed(world, ["invites", "import", told]);
    await erase(world);
    const log = logOf(world);
    const named = () => log.count(`SELECT count(*) FROM events WHERE payload LIKE '%${candidateId}%'`);
    expect(await named()).toBe(0);
    const before = await refused(world);
    const looks = async () =>
      (await world.smartrecruiters.requests({ from: `/candidates/${candidateId}` })).filter(
        ({ method }) => method === "GET",
      ).length;
    const looked = await looks();
    await move(world, ann, "Assessment");
    await move(world, bob, "Assessment");
    await until("the other one is asked for", async () => (await askedFor(world)).includes(BOB));
    await until("hers is counted", async () => (await refused(world)) !== before);
    await succeed(world, ["run", "questions"]);
    await succeed(world, ["run", "requests"]);
    expect(await named()).toBe(0);
    expect(await looks()).toBe(looked);
    expect(await askedFor(world)).toEqual([BOB]);
    expect(await log.count("SELECT count(*) FROM invite_requests")).toBe(1);
  });

  test("that was stored before and is looked up afterwards asks for no invite", async () => {
    const { world } = await asking();
    const ann = await apply(world, { email: ANN });
    const of = { ...ann, assessmentId: "jc_ann" };
    await succeed(world, [
      "invites",
      "import",
      world.file("told.ndjson", [completed("inv_ann", { email: ANN, of })]),
    ]);
    await world.smartrecruiters.fault({ status: 503, path: "/candidates/", method: "GET" });
    await move(world, ann, "Assessment");
    const log = logOf(world);
    await until("it waits", async () => (await log.count("SELECT count(*) FROM questions")) > 0);
    await erase(world);
    await world.smartrecruiters.clearFaults();
    await succeed(world, ["run", "questions"]);
    await succeed(world, ["run", "requests"]);
    expect(await log.count("SELECT count(*) FROM questions")).toBe(0);
    expect(await log.count("SELECT count(*) FROM invite_requests")).toBe(0);
    expect(await askedFor(world)).toEqual([]);
  });

  test("whom nobody here knew by that id has JobCannon asked for nothing, once the vendor tells the address", async () => {
    const { world } = await asking();
    await erase(world);
    const [ann, bob] = [await apply(world, { email: ANN.toUpperCase() }), await apply(world, { email: BOB })];
    await move(world, ann, "Assessment");
    await move(world, bob, "Assessment");
    await until("the other one is asked for", async () => (await askedFor(world)).includes(BOB));
    const wanted = async () => Object((await succeed(world, ["invites", "wanted", "--json"])).json).wanted;
    const [request, ...others] = await until("hers is refused", async () => {
      const all = await wanted();
      return all[0]?.state === "refused" && all;
    });
    expect(others).toEqual([]);
    expect(request).toMatchObject({
      candidateId: ann.candidateId,
      reason: "the candidate was erased: what is told of them later is refused",
    });
    expect(await askedFor(world)).toEqual([BOB]);
    await succeed(world, ["erase", "-", "--allow", "--json"], ANN);
    await succeed(world, ["invites", "wanted", "--send", String(request.id)]);
    await until("she is asked for again", async () => (await askedFor(world)).length === 2);
  });
});
