/** Texts from outside that want to be more than texts, on their whole way: in at the door, out at a terminal. */
import { expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { launchService, send } from "../end-to-end/program.ts";
import { anEvent } from "../store/events.ts";
import { connected, type InviteEvent, invite, succeed, type World } from "../world.ts";

/** As an older version took it. */
async function takeAsBefore(world: World, email: string, invitationId: string): Promise<void> {
  const store = await openSqliteStore({ stateDir: world.stateDir, clock: world.clock });
  const candidate = { email, firstName: "\u009b2J", lastName: "\u202eLee" };
  await store.append([anEvent("completed", { invitationId, candidate })]);
  await store.close();
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const UNSAFE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

test("an address of 40,000 characters that an older version took breaks no command and stands nowhere", async () => {
  const world = await connected();
  const monster = `${"very.private".repeat(3_400)}@example.org`;
  await takeAsBefore(world, monster, "inv_monster");
  await takeAsBefore(world, `${"(".repeat(2_000)}@${"[".repeat(40_000)}`, "inv_brackets");
  await world.portal.fault({
    status: 400,
    path: "/crm/v3/objects",
    times: 2,
    body: { message: `no ${monster}` },
  });
  await world.run(["run", "retry"]);
  const looks = [
    ["invites", "list"],
    ["invites", "list", "--json"],
    ["invites", "show", "inv_monster"],
    ["invites", "show", "inv_brackets", "--json"],
    ["logs"],
    ["logs", "--json"],
    ["status"],
  ];
  for (const argv of looks) {
    const begun = process.cpuUsage();
    const { code, out, err } = await world.run(argv);
    expect({ argv, code, err }).toEqual({ argv, code: 0, err: "" });
    expect(out).not.toContain("very.privatevery.private");
    expect(out.replaceAll("\n", "")).not.toMatch(UNSAFE);
    expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(5_000);
  }
});

test("what names something is refused at the door where it is too long or steers a terminal; a name is kept", async () => {
  const world = await connected();
  const service = await launchService(world);
  const bad: Parameters<typeof invite>[0][] = [
    { email: `${"a".repeat(40_000)}@example.org` },
    { email: "ann\u202e@example.org" },
    { email: "ann\u0000@example.org" },
    { invitation_id: "inv\u009b2J" },
    { invitation_id: "i".repeat(201) },
    { tests: [{ slug: "disc\u001b[2J", status: "completed" }] },
  ];
  for (const changes of bad) expect((await send(service.url, invite(changes)))?.status).toBe(400);
  const named: InviteEvent = invite({ invitation_id: "inv_named" });
  Object.assign(named.data.candidate, { first_name: "Zoe\u0301\u200d", last_name: "\u202e\u0000\u009b2J" });
  expect((await send(service.url, named))?.status).toBe(202);
  const { json, out } = await succeed(world, ["invites", "show", "inv_named", "--json", "--reveal"]);
  expect(json).toMatchObject({
    invite: { candidate: { firstName: "Zoe\u0301\u200d", lastName: "\u202e\ufffd\u009b2J" } },
  });
  expect(out.replaceAll("\n", "")).not.toMatch(UNSAFE);
  expect(out).toContain(String.raw`\u202e`);
});

test("a candidate's address need not stand in a command line", async () => {
  const world = await connected();
  const events = [invite({ email: "ann@example.org", invitation_id: "inv_ann" }), invite()];
  await succeed(world, ["invites", "import", world.file("events.ndjson", events)]);
  await world.run(["run", "retry"]);
  const from = (argv: string[], stdin = "ann@example.org\n") => world.run([...argv, "--json"], { stdin });
  expect((await from(["invites", "list", "--email", "-"])).json).toMatchObject({
    invites: [{ invitationId: "inv_ann" }],
  });
  expect((await from(["invites", "show", "--email", "-"])).json).toMatchObject({
    invite: { invitationId: "inv_ann" },
  });
  expect((await from(["logs", "--email", "-"])).json).toMatchObject({ attempts: [{ outcome: "delivered" }] });
  expect((await from(["replay", "--email", "-"])).json).toMatchObject({ matched: 1 });
  for (const argv of [
    ["logs", "--email", "-"],
    ["replay", "--email", "-"],
    ["invites", "list", "--email", "-"],
  ])
    expect(await from(argv, "\n")).toMatchObject({
      code: 2,
      err: expect.stringContaining("stdin holds no address"),
    });
  for (const argv of [
    ["invites", "show"],
    ["invites", "show", "inv_ann", "--email", "ann@example.org"],
  ])
    expect(await world.run(argv)).toMatchObject({
      code: 2,
      err: expect.stringContaining("name one invitation"),
    });
});
