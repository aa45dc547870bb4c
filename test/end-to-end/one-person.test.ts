import { expect, test } from "vitest";
import { connected, disc, invite, until, type World } from "../world.ts";
import { allDelivered, launch, launchService } from "./program.ts";

const [WORK, PRIVATE] = ["ann@work.example", "ann@private.example"];

function result(email: string, at: string, dominance: number) {
  const tests = [{ ...disc([dominance, 1, 2, 3]), completed_at: at }];
  return invite({
    invitation_id: `inv_${dominance}`,
    email,
    timestamp: at,
    sent_at: at,
    completed_at: at,
    tests,
  });
}

const OLDER = result(PRIVATE, "2024-11-01T10:00:00Z", 20);
const NEWER = result(WORK, "2024-11-20T10:00:00Z", 80);

async function typed(world: World, ...argv: string[]): Promise<string> {
  const { code, out, err } = await launch(world, argv).ended;
  expect({ argv, code, err }).toMatchObject({ code: 0 });
  return out;
}

test.each([
  ["the older result first", [[OLDER], [NEWER]]],
  ["the newer result first", [[NEWER], [OLDER]]],
  ["both in one file", [[OLDER, NEWER]]],
])("one contact with two addresses shows the newest result: %s", async (_, files) => {
  const world = await connected();
  const id = await world.portal.makeContact(PRIVATE, WORK);
  const service = await launchService(world);
  for (const events of files) {
    await typed(world, "invites", "import", world.file("events.ndjson", events));
    await allDelivered(world);
  }
  const dominance = async () =>
    (await world.portal.wholeContacts()).map(({ properties }) => properties.jc_disc_d);
  expect(await dominance()).toEqual(["80"]);

  await typed(world, "replay", "inv_20", "--yes");
  await allDelivered(world);
  expect(await dominance()).toEqual(["80"]);
  expect(await world.portal.upserts()).toEqual(
    files.length === 1 ? expect.arrayContaining([409, 200]) : expect.not.arrayContaining([409]),
  );

  const text = await typed(world, "invites", "show", "inv_80");
  expect(text).toContain(`hubspot: shares contact ${id} with a…@private.example`);
  expect(text).not.toContain(PRIVATE);
  expect(await typed(world, "invites", "show", "inv_80", "--reveal")).toContain(`${id} with ${PRIVATE}`);
  const json = JSON.parse(await typed(world, "invites", "show", "inv_20", "--json"));
  expect(json.pushes).toMatchObject([{ shared: { record: id, subjects: ["a…@work.example"] } }]);
  service.child.kill("SIGTERM");
  expect(await service.ended).toMatchObject({ code: 0 });
});

test("a killed service writes no older result over a newer one when it comes back", async () => {
  const world = await connected();
  await world.portal.makeContact(PRIVATE, WORK);
  await typed(world, "invites", "import", world.file("older.ndjson", [OLDER]));
  await world.run(["run", "retry"]);
  // The contact was written, and nobody heard of it.
  await world.portal.fault({ delayMs: 60_000, times: 1, path: "/crm/v3/objects/contacts", match: WORK });
  const first = await launchService(world);
  await typed(world, "invites", "import", world.file("newer.ndjson", [NEWER]));
  await until("it was written", async () =>
    (await world.portal.wholeContacts()).some(({ properties }) => properties.jc_disc_d === "80"),
  );
  first.child.kill("SIGKILL");
  await first.ended;
  const second = await launchService(world);
  await allDelivered(world);
  await typed(world, "replay", "inv_20", "--yes");
  await allDelivered(world);
  expect((await world.portal.wholeContacts()).map(({ properties }) => properties.jc_disc_d)).toEqual(["80"]);
  second.child.kill("SIGTERM");
  await second.ended;
});

test.each([
  ["before it", ["stage", "result"]],
  ["after it", ["result", "stage"]],
])(
  "an invite for another system hides no result while it has no test done, imported %s",
  async (_, order) => {
    const world = await connected();
    const events = new Map<string, object>([
      ["result", result(WORK, "2024-11-01T10:00:00Z", 20)],
      ["stage", { ...stageOf({ status: "started" }) }],
    ]);
    for (const name of order)
      await typed(world, "invites", "import", world.file(`${name}.ndjson`, [events.get(name) ?? {}]));
    const shown = async () => {
      await typed(world, "run", "sweep");
      await world.run(["run", "retry"]);
      return (await world.portal.contacts())[WORK];
    };
    expect(await shown()).toMatchObject({
      jc_test_status: "completed",
      jc_invitation_id: "inv_20",
      jc_result_url: "https://jobcannon.io/business/dashboard/invites/inv_20",
      jc_disc_d: "20",
    });
    const done = stageOf({ ...disc([70, 1, 2, 3]), completed_at: "2024-11-21T10:00:00Z" });
    await typed(
      world,
      "invites",
      "import",
      world.file("done.ndjson", [{ ...done, timestamp: "2024-11-21T10:00:00Z" }]),
    );
    expect(await shown()).toMatchObject({ jc_invitation_id: "inv_ats", jc_disc_d: "70" });
  },
);

function stageOf(test: object) {
  const at = "2024-11-20T10:00:00Z";
  const source = { vendor: "smartrecruiters", candidate_id: "c1", job_id: "j1", assessment_id: "a1" };
  const { data, ...event } = invite({
    invitation_id: "inv_ats",
    email: WORK,
    type: "invite.progress",
    timestamp: at,
    sent_at: at,
  });
  const tests = [{ slug: "disc", ...test }];
  return { ...event, data: { ...data, tests, source } };
}
