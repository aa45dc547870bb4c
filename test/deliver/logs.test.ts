import * as v from "valibot";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { connected, freshWorld, importResults, invite, succeed, until, type World } from "../world.ts";

const ANN = "ann.lee@example.org";
const REFUSED = {
  status: 400,
  body: { status: "error", message: `${ANN} is blocked`, category: "VALIDATION_ERROR", correlationId: "c-1" },
};

const Attempt = v.strictObject({
  version: v.optional(v.literal(1)),
  id: v.number(),
  at: v.string(),
  vendor: v.literal("hubspot"),
  subject: v.string(),
  pushVersion: v.number(),
  outcome: v.string(),
  httpStatus: v.nullable(v.number()),
  correlationId: v.nullable(v.string()),
  durationMs: v.number(),
  reason: v.nullable(v.string()),
  invitationId: v.nullable(v.string()),
});

async function attemptsOf(world: World, ...flags: string[]) {
  const { json } = await succeed(world, ["logs", "--json", ...flags]);
  return v.parse(
    v.strictObject({ version: v.literal(1), attempts: v.array(Attempt), more: v.number() }),
    json,
  ).attempts;
}

/** A world in which one result was refused and another delivered. */
async function tried(): Promise<World> {
  const world = await connected();
  await world.portal.fault({ ...REFUSED, match: ANN });
  await importResults(world, [invite({ email: ANN }), invite({ email: "bob@example.org" })]);
  expect(await world.run(["run", "retry"])).toMatchObject({ code: 7 });
  return world;
}

describe("logs", () => {
  test("of one invite, as tries, as counts and as webhooks; of what nothing is known it says so", async () => {
    const world = await tried();
    const [of] = await attemptsOf(world, "--outcome", "rejected");
    const invite = ["--invite", of?.invitationId ?? ""];
    expect(await attemptsOf(world, ...invite)).toEqual([of]);
    expect((await succeed(world, ["logs", "--summary", "--json", ...invite])).json).toMatchObject({
      sums: [{ outcome: "rejected", attempts: 1, subjects: 1 }],
    });
    const { json } = await succeed(world, ["webhooks", "log", "--json", ...invite]);
    expect(json).toMatchObject({ received: [{ invitationId: of?.invitationId }], refused: [] });
    expect((await succeed(world, ["logs", "--invite", "inv_none"])).out).toBe("No attempt matches.\n");
    const none = await succeed(world, ["webhooks", "log", "--invite", "inv_none"]);
    expect(none.out).toBe("No webhook that was taken speaks of invite inv_none.\n");
    for (const argv of [
      ["logs", "--runs"],
      ["logs", "--requests"],
      ["webhooks", "log", "--unmatched"],
    ])
      expect(await world.run([...argv, ...invite])).toMatchObject({ code: 2 });
  });

  test("hides addresses in names and in the vendor's words, until --reveal", async () => {
    const world = await tried();
    for (const argv of [["logs"], ["logs", "--json"], ["logs", "--runs"]])
      expect((await succeed(world, argv)).out).not.toContain(ANN);
    const masked = await attemptsOf(world, "--outcome", "rejected");
    expect(masked).toMatchObject([
      {
        subject: "a…@example.org",
        reason: "a…@example.org is blocked",
        correlationId: "c-1",
        httpStatus: 400,
      },
    ]);
    const revealed = await attemptsOf(world, "--outcome", "rejected", "--reveal");
    expect(revealed).toMatchObject([{ subject: ANN, reason: `${ANN} is blocked` }]);
    expect((await succeed(world, ["logs", "--reveal"])).out).toContain(ANN);
  });

  test("names the newest invite of each, since masked addresses look alike", async () => {
    const world = await connected();
    await world.portal.fault({ ...REFUSED, match: "ann.a@example.org" });
    await importResults(world, [
      invite({ invitation_id: "inv_a", email: "ann.a@example.org" }),
      invite({ invitation_id: "inv_b_old", email: "ann.b@example.org", timestamp: "2024-05-14T10:00:00Z" }),
      invite({ invitation_id: "inv_b", email: "Ann.B@example.org" }),
    ]);
    expect(await world.run(["run", "retry"])).toMatchObject({ code: 7 });
    const invites = (await attemptsOf(world)).map(({ outcome, invitationId }) => [outcome, invitationId]);
    expect(invites.toSorted()).toEqual([
      ["delivered", "inv_b"],
      ["rejected", "inv_a"],
    ]);
    const { out } = await succeed(world, ["logs", "--outcome", "rejected"]);
    expect(out).toMatch(/^outcome +at +vendor +candidate +invite +status +words$/m);
    expect(out).toMatch(/^✗ rejected +\d\d:\d\d:\d\d +hubspot +a…@example.org +inv_a /m);
  });

  test("hides an address that is none in the vendor's words, until --reveal", async () => {
    const world = await connected();
    await importResults(world, [invite({ email: "not-an-email" })]);
    expect(await world.run(["run", "retry"])).toMatchObject({ code: 7 });
    for (const argv of [["logs"], ["logs", "--json"]]) {
      expect((await succeed(world, argv)).out).not.toContain("not-an-email");
      expect((await succeed(world, [...argv, "--reveal"])).out).toContain("not-an-email");
    }
    const [{ reason } = { reason: null }] = await attemptsOf(world, "--reveal");
    expect(reason).toContain("not-an-email");
    expect(await attemptsOf(world)).toMatchObject([{ reason: reason?.replaceAll("not-an-email", "…") }]);
  });

  test("hides the address a replay was asked for, until --reveal", async () => {
    const world = await tried();
    await succeed(world, ["replay", "--email", "bob@example.org", "--yes"]);
    for (const flags of [[], ["--json"]]) {
      expect((await succeed(world, ["logs", "--runs", ...flags])).out).not.toContain("bob@example.org");
      const revealed = await succeed(world, ["logs", "--runs", "--reveal", ...flags]);
      expect(revealed.out).toContain("bob@example.org");
    }
  });

  test("shows what fits all filters, the last ones up to --limit", async () => {
    const world = await tried();
    expect(await attemptsOf(world, "--outcome", "delivered")).toMatchObject([{ subject: "b…@example.org" }]);
    expect(await attemptsOf(world, "--email", ANN.toUpperCase())).toMatchObject([{ outcome: "rejected" }]);
    expect(await attemptsOf(world, "--email", ANN, "--outcome", "delivered")).toEqual([]);
    const all = await attemptsOf(world);
    expect(await attemptsOf(world, "--limit", "1")).toEqual(all.slice(-1));
    expect(await attemptsOf(world, "--vendor", "smartrecruiters")).toEqual([]);
  });

  test("says it when only the filter finds none", async () => {
    const world = await connected();
    expect((await succeed(world, ["logs", "--outcome", "held"])).out).toBe("No attempts yet.\n");
    await importResults(world, [invite()]);
    await succeed(world, ["run", "retry"]);
    expect((await succeed(world, ["logs", "--outcome", "held"])).out).toBe("No attempt matches.\n");
  });

  test("refuses times with nothing between them", async () => {
    const world = await connected();
    for (const since of ["2026-11-02", "2026-11-03"])
      expect(await world.run(["logs", "--since", since, "--until", "2026-11-02"])).toMatchObject({
        code: 2,
        err: expect.stringContaining("--since is not before --until"),
      });
  });

  test("takes --since with its moment and --until without", async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 22));
    const world = await connected({ clock });
    await importResults(world, [invite()]);
    await succeed(world, ["run", "retry"]);
    expect(await attemptsOf(world, "--since", "2026-11-22")).toHaveLength(1);
    expect(await attemptsOf(world, "--until", "2026-11-22")).toHaveLength(0);
  });
});

describe("logs of many attempts", () => {
  test("say how many more there are, and show all on demand", async () => {
    const world = await connected();
    await importResults(
      world,
      Array.from({ length: 60 }, () => invite()),
    );
    await succeed(world, ["run", "retry"]);
    const cut = (await succeed(world, ["logs", "--since", "1h"])).out;
    expect(cut.match(/^✓/gm)).toHaveLength(50);
    expect(cut).toContain("10 more earlier attempts: --limit shows as many as you say, --all all of them");
    for (const whole of [["--all"], ["--limit", "60"]]) {
      const { out } = await succeed(world, ["logs", ...whole]);
      expect(out.match(/^✓/gm)).toHaveLength(60);
      expect(out).not.toContain("more earlier");
    }
    expect((await succeed(world, ["logs", "--limit", "7", "--json"])).json).toMatchObject({ more: 53 });
    expect((await world.run(["logs", "--all", "--limit", "3"])).code).toBe(2);
  });

  test("take times as people say them, and show them by the machine's clock on demand", async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 22, 11, 30));
    const world = await connected({ clock });
    await importResults(world, [invite()]);
    await succeed(world, ["run", "retry"]);
    const given = async (...since: string[]) => (await attemptsOf(world, "--since", ...since)).length;
    await clock.advance(24 * 3_600_000 - 60_000);
    expect([await given("11:30"), await given("12:30+01:00"), await given("11:29")]).toEqual([1, 1, 0]);
    await clock.advance(60_000);
    expect([await given("yesterday"), await given("today")]).toEqual([1, 0]);
    expect([await given("25h"), await given("1h"), await given("2d")]).toEqual([1, 0, 1]);
    expect([await given("2026-11-22T12:30+01:00"), await given("2026-11-22T12:31+01:00")]).toEqual([1, 0]);
    expect([await given("2026-11-22 11:30"), await given("2026-11-22T06:31-0500")]).toEqual([1, 0]);
    // Now it is 11:30 of the day after: a bare time is the last such one.
    expect([await given("11:30"), await given("11:31"), await given("11:31+01:00")]).toEqual([0, 0, 0]);
    for (const wrong of ["soon", "2026-02-30", "1 fortnight", "25:00", "7:00"])
      expect(await world.run(["logs", "--since", wrong])).toMatchObject({
        code: 2,
        err: expect.stringContaining("yesterday or 1h"),
      });
    vi.stubEnv("TZ", "Asia/Kolkata");
    onTestFinished(() => void vi.unstubAllEnvs());
    const { out } = await succeed(world, ["logs", "--local", "--since", "2026-11-22 17:00"]);
    expect(out).toContain("2026-11-22 (UTC+05:30)\n");
    expect(out).toMatch(/^✓ delivered +17:00:00 /m);
    expect((await succeed(world, ["logs", "--local", "--since", "2026-11-22 17:01"])).out).toBe(
      "No attempt matches.\n",
    );
  });

  test("show milliseconds and correlation ids with --wide alone", async () => {
    const world = await tried();
    expect((await succeed(world, ["logs"])).out).not.toMatch(/c-1| ms |correlation/);
    expect((await succeed(world, ["logs", "--wide"])).out).toMatch(/ms +correlation id[\s\S]* c-1 /);
  });
});

describe("logs --summary", () => {
  test("is what went out in that time, and where the reasons of the rest stand", async () => {
    const world = await tried();
    const { out, json } = await succeed(world, ["logs", "--summary", "--since", "yesterday"]);
    expect(json).toBeUndefined();
    expect(out).toMatch(/^✓ delivered +hubspot +1 {2}/m);
    expect(out).toMatch(/^✗ rejected +hubspot +1 {2}/m);
    expect(out).toContain("\n2 tries: 1 delivered, 1 rejected\n");
    expect(out).toContain("Why 1 result was rejected: jc-integrations logs --outcome rejected --org acme");
    const summed = await succeed(world, ["logs", "--summary", "--outcome", "delivered", "--json"]);
    expect(summed.json).toMatchObject({ sums: [{ outcome: "delivered", attempts: 1, subjects: 1 }] });
    expect((await succeed(world, ["logs", "--summary", "--until", "yesterday"])).out).toBe(
      "No attempt in that time.\n",
    );
  });
});

describe("logs --summary of a result that was rejected and delivered since", () => {
  test("counts it once, as delivered, and its tries apart", async () => {
    const world = await tried();
    await world.portal.clearFaults();
    await succeed(world, ["replay", "--status", "rejected", "--yes"]);
    const { out } = await succeed(world, ["logs", "--summary"]);
    expect(out).toMatch(/^✓ delivered +hubspot +2 {2}/m);
    expect(out).not.toMatch(/✗|Why/);
    expect(out).toContain("\n3 tries: 2 delivered, 1 rejected\n");
    const none = await succeed(world, ["logs", "--summary", "--outcome", "rejected"]);
    expect(none.out).toBe("No result ended so.\n\n1 try: 1 rejected\n");
  });
});

describe("logs --runs", () => {
  test("tells the filter in words, under a heading for each column", async () => {
    const world = await tried();
    await succeed(world, ["replay", "--email", "bob@example.org", "--since", "2026-11-01", "--yes"]);
    const rejected = ["replay", "--status", "rejected", "--vendor", "hubspot"];
    await world.run([...rejected, "--until", "2026-11-01T09:30:00Z", "--yes"]);
    await succeed(world, ["backfill", "--include-in-progress", "--yes"]);
    await succeed(world, ["backfill", "--yes"]);
    const { out } = await succeed(world, ["logs", "--runs"]);
    expect(out).toMatch(/^started +command +who +filter +counts +state$/m);
    expect(out).toMatch(/ {2}email b…@example\.org, since 2026-11-01 {2}.* ended$/m);
    expect(out).toMatch(/ {2}status rejected, until 2026-11-01T09:30:00Z, vendor hubspot {2}/);
    expect(out).toMatch(/ {2}include in progress {2}/);
    expect(out).toMatch(/ backfill +\S.* {2}– {2}/);
  });

  test("beside them, a held result names what it lacks as people know it, in every table", async () => {
    const world = await connected();
    await importResults(world, [invite({ invitation_id: "inv_held" })]);
    await world.portal.archiveProperty("jc_disc_d");
    await world.run(["run", "retry"]);
    const words = 'the field "JC DISC — Dominance" (jc_disc_d) is missing there';
    for (const argv of [["logs"], ["invites", "show", "inv_held"]])
      expect((await succeed(world, [...argv, "--wide"])).out).toContain(words);
    expect((await succeed(world, ["invites", "list", "--wide"])).out).toContain(
      "hubspot: held, a field is missing there",
    );
  });

  test("counts what was held, and what was held before", async () => {
    const world = await connected();
    await importResults(world, [invite()]);
    await world.portal.archiveProperty("jc_disc_d");
    await world.run(["run", "retry"]);
    await world.run(["replay", "--status", "held", "--yes"]);
    const { out } = await succeed(world, ["logs", "--runs", "--wide"]);
    expect(out).toMatch(/0 queued, 0 delivered, 0 rejected, 0 held, 1 held before/);
  });

  test.each([
    ["--outcome", "rejected"],
    ["--follow"],
    ["--email", ANN],
    ["--vendor", "hubspot"],
    ["--since", "2026-11-01"],
    ["--until", "2026-11-01"],
  ])("takes no filter that it would not heed: %s", async (...flags) => {
    const world = await freshWorld();
    const { code, err } = await world.run(["logs", "--runs", ...flags.filter(Boolean)]);
    expect(code).toBe(2);
    expect(err).toContain(`'--runs' cannot be used with option '${flags[0]}`);
  });
});

describe("logs --follow", () => {
  const lines = (out: string) => out.trimEnd().split("\n");

  test("--json prints one object a line, as they come, none twice and none left out", async () => {
    const world = await tried();
    const following = world.start(["logs", "--follow", "--json"]);
    await until("what was there is shown", () => lines(following.out()).length === 2);
    await importResults(
      world,
      Array.from({ length: 2_500 }, () => invite()),
    );
    await succeed(world, ["run", "retry"]);
    await until("all are shown", () => lines(following.out()).length === 2_502);
    const { code, out } = await following.stop();
    expect(code).toBe(0);
    const shown = lines(out).map((line) => v.parse(v.required(Attempt, ["version"]), JSON.parse(line)));
    const ids = shown.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(new Set(ids).size).toBe(2_502);
    expect(out).not.toContain(ANN);
  });

  test("shows only what fits, in text too", async () => {
    const world = await tried();
    const following = world.start(["logs", "--follow", "--outcome", "delivered"]);
    await until("what was there is shown", () => following.out().includes("b…@example.org"));
    await importResults(world, [invite({ email: "carla@example.org" })]);
    await succeed(world, ["run", "retry"]);
    await until("the new one is shown", () => following.out().includes("c…@example.org"));
    const { out } = await following.stop();
    expect(out).not.toContain("a…@example.org");
    const [day, first, second] = lines(out);
    expect(day).toMatch(/^\d{4}-\d\d-\d\d \(UTC\)$/);
    expect(first).toMatch(/^✓ delivered {2}\d\d:\d\d:\d\d {2}hubspot {10}b…@example\.org {10}inv_/);
    expect(second?.indexOf(" hubspot ")).toBe(first?.indexOf(" hubspot "));
    expect(out).not.toMatch(/ $/m);
  });
});
