import { describe, expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { callApi } from "../connect/world.ts";
import { fakeClock } from "../fake-clock.ts";
import { anEvent } from "../store/events.ts";
import {
  connected,
  DISC_SCORES,
  disc,
  freshWorld,
  invite,
  prepared,
  succeed,
  type InviteEvent,
  type World,
} from "../world.ts";

async function take(world: World, ...events: InviteEvent[]): Promise<void> {
  expect(await world.run(["invites", "import", world.file("events.ndjson", events)])).toMatchObject({
    code: 0,
  });
}

describe("invites list", () => {
  test("is short of words when there is none", async () => {
    const world = await freshWorld();
    expect(await world.run(["invites", "list"])).toMatchObject({
      code: 0,
      out: "No invites yet. Feed some in: jc-integrations invites import events.ndjson\n",
    });
  });

  test("says it when only the filter finds none", async () => {
    const world = await freshWorld();
    const expired = ["invites", "list", "--status", "expired"];
    expect((await world.run(expired)).out).toMatch(/^No invites yet\./);
    await take(world, invite({ email: "ann@example.org" }));
    for (const argv of [expired, ["invites", "list", "--email", "bob@example.org"]])
      expect(await world.run(argv)).toMatchObject({ code: 0, out: "No invite matches.\n" });
  });

  test("shows the newest first, and where each result stands", async () => {
    const world = await connected();
    const done = invite({ invitation_id: "inv_done", timestamp: "2024-05-15T10:00:00Z" });
    const begun = invite({
      invitation_id: "inv_begun",
      type: "invite.progress",
      timestamp: "2024-05-16T10:00:00Z",
      tests: [disc(), { slug: "mbti", status: "assigned" }],
    });
    await take(world, done, begun);
    await world.run(["run", "retry"]);
    const { out } = await world.run(["invites", "list"]);
    const [, first, second] = out.split("\n");
    expect(first).toMatch(/^inv_begun +\S+@example.org +in_progress +1\/2 +2024-05-16 10:00 UTC +–$/);
    expect(second).toMatch(
      /^inv_done +\S+@example.org +completed +1\/1 +2024-05-15 10:00 UTC +hubspot: delivered$/,
    );
  });

  test("says what waits for the sweep", async () => {
    const world = await connected();
    await take(world, invite({ invitation_id: "inv_1", email: "ann@example.org" }));
    await world.run(["run", "retry"]);
    const tests = [disc([1, 2, 3, 4]), { slug: "mbti", status: "started" }];
    await take(
      world,
      invite({ invitation_id: "inv_2", type: "invite.progress", email: "Ann@example.org", tests }),
    );
    expect((await world.run(["invites", "list"])).out).toMatch(/^inv_2 .*hubspot: waits for the sweep$/m);
  });

  test("says how many more there are, takes times, and shows all on demand", async () => {
    const clock = fakeClock(Date.UTC(2024, 4, 16, 12));
    const world = await freshWorld({ clock });
    const days = ["2024-05-14T10:00:00Z", "2024-05-15T10:00:00Z", "2024-05-16T11:30:00Z"];
    await take(world, ...days.map((timestamp) => invite({ timestamp })));
    const { out, json } = await world.run(["invites", "list", "--limit", "1"]);
    expect(out).toContain("\n2 more invites: --limit shows as many as you say, --all all of them\n");
    expect(json).toBeUndefined();
    const shown = async (...argv: string[]) =>
      (await world.run(["invites", "list", ...argv])).out.match(/^inv_/gm)?.length ?? 0;
    expect([await shown(), await shown("--all"), await shown("--limit", "2")]).toEqual([3, 3, 2]);
    expect([await shown("--since", "1h"), await shown("--since", "yesterday")]).toEqual([1, 2]);
    expect(await shown("--until", "2024-05-15T12:00+02:00")).toBe(1);
    expect((await world.run(["invites", "list", "--limit", "1", "--json"])).json).toMatchObject({ more: 2 });
  });

  test("filters by status and e-mail, and stops at the limit", async () => {
    const world = await freshWorld();
    const sent = [{ slug: "disc", status: "assigned" }];
    await take(
      world,
      invite({ invitation_id: "inv_a", email: "one@example.org" }),
      invite({ invitation_id: "inv_b", email: "ONE@example.org ", type: "invite.sent", tests: sent }),
      invite({ invitation_id: "inv_c", email: "two@example.org", type: "invite.sent", tests: sent }),
    );
    const ids = async (...argv: string[]) => {
      const { out } = await world.run(["invites", "list", ...argv]);
      return [...out.matchAll(/^inv_\w/gm)].map(([id]) => id).sort();
    };
    expect(await ids()).toEqual(["inv_a", "inv_b", "inv_c"]);
    expect(await ids("--status", "invited")).toEqual(["inv_b", "inv_c"]);
    expect(await ids("--email", "One@example.org")).toEqual(["inv_a", "inv_b"]);
    expect(await ids("--limit", "1")).toHaveLength(1);
  });

  test("prints nothing that a terminal would obey, of what an older version took", async () => {
    const world = await freshWorld();
    const store = await openSqliteStore({ stateDir: world.stateDir, clock: world.clock });
    const candidate = { email: "red\u001b]0;title\u0007@example.org", firstName: null, lastName: null };
    await store.append([anEvent("completed", { invitationId: "inv_\u001b[31m", candidate })]);
    await store.close();
    const { out } = await world.run(["invites", "list", "--reveal"]);
    expect(out).toContain("red ]0;title @example.org");
    for (const character of ["\u001b", "\u0007"]) expect(out).not.toContain(character);
  });
});

describe("invites show", () => {
  test("tells the whole story of one invite", async () => {
    const world = await connected();
    const sent = invite({
      invitation_id: "inv_story",
      type: "invite.sent",
      timestamp: "2024-05-13T09:00:00Z",
      email: "ann@example.org",
      tests: [{ slug: "disc", status: "assigned" }],
    });
    const completed = invite({
      invitation_id: "inv_story",
      email: "ann@example.org",
      tests: [disc([68, 41, 55, 180])],
    });
    await take(world, sent, completed);
    await world.run(["run", "retry"]);
    const { out } = await world.run(["invites", "show", "inv_story"]);
    expect(out).toMatch(/^inv_story {2}completed {2}a…@example.org$/m);
    expect(out).toMatch(/^✓ Delivered to HubSpot \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC as contact 101\.$/m);
    expect(out).toMatch(
      /^disc +completed +2024-05-15 10:01:00 UTC +Dominance 68, Influence 41, Steadiness 55, Conscientiousness 180$/m,
    );
    expect(out).toMatch(/^jc_disc_i +41$/m);
    expect(out).toMatch(/^jc_disc_c +hubspot +is outside 0–100$/m);
    expect(out).toMatch(/^invite.sent +2024-05-13 09:00:00 UTC /m);
    expect(out).toMatch(/^invite.completed +2024-05-15 10:15:00 UTC /m);
    expect(out).toMatch(/^✓ delivered +\S+ \d\d:\d\d:\d\d UTC +hubspot +200/m);
  });

  test("as JSON holds what the contact was told, and each attempt", async () => {
    const world = await connected();
    await take(world, invite({ invitation_id: "inv_json", email: "ann@example.org" }));
    await world.run(["run", "retry"]);
    const { json } = await world.run(["invites", "show", "inv_json", "--json"]);
    expect(json).toMatchObject({
      version: 1,
      invite: { invitationId: "inv_json", org: "acme", status: "completed", at: "2024-05-15T10:15:00.000Z" },
      events: [{ source: "jobcannon", type: "invite.completed", conflict: false }],
      pushes: [{ vendor: "hubspot", state: "delivered", delivered: true, projection: DISC_SCORES }],
      attempts: [{ vendor: "hubspot", outcome: "delivered", httpStatus: 200 }],
    });
  });

  test("keeps a vendor's no, in the vendor's words", async () => {
    const world = await connected();
    await take(world, invite({ invitation_id: "inv_no", email: "no address at all" }));
    await world.run(["run", "retry"]);
    expect((await world.run(["status", "--json"])).json).toMatchObject({ pushes: { rejected: 1 } });
    const { json } = await world.run(["invites", "show", "inv_no", "--reveal", "--json"]);
    expect(json).toMatchObject({
      pushes: [{ state: "rejected", rejection: { message: expect.stringContaining("no address at all") } }],
      attempts: [{ outcome: "rejected" }],
    });
    const { out } = await world.run(["invites", "show", "inv_no", "--reveal"]);
    expect(out).toMatch(
      /^✗ Refused by HubSpot .*no address at all is invalid\. It waits until the record is mended; run: /,
    );
    expect(out).toContain("run: jc-integrations replay inv_no --org acme --yes\n");
    expect(out).toMatch(/^✗ rejected +.* hubspot +207 +.*no address at all/m);
    const wide = await world.run(["invites", "show", "inv_no", "--wide"]);
    expect(wide.out).toMatch(/ms +correlation id +words$/m);
  });

  test("hides an address that is none, wherever it stands, until --reveal", async () => {
    const world = await connected();
    await take(world, invite({ invitation_id: "inv_no", email: "No.Address (home)+1" }));
    await world.run(["run", "retry"]);
    for (const words of [
      ["invites", "list"],
      ["invites", "show", "inv_no"],
    ])
      for (const format of [[], ["--json"]]) {
        expect((await world.run([...words, ...format])).out).not.toMatch(/no\.address/i);
        expect((await world.run([...words, ...format, "--reveal"])).out).toMatch(/no\.address/i);
      }
    const { json } = await world.run(["invites", "show", "inv_no", "--json"]);
    expect(json).toMatchObject({
      pushes: [{ subject: "…", rejection: { message: expect.stringContaining("…") } }],
      attempts: [{ outcome: "rejected", reason: expect.stringContaining("…") }],
    });
  });

  test("says what the portal got no value for, and why: quota, another type, a value out of range, an unknown test", async () => {
    const world = await prepared();
    await world.portal.settings({ propertyQuota: 16 });
    expect((await world.run(["connect", "hubspot"])).code).toBe(7);
    const tests = [disc([1, 2, 3, 104]), { ...disc(), slug: "tarot" }];
    await take(world, invite({ invitation_id: "inv_out", email: "ann@example.org", tests }));
    await world.run(["run", "retry"]);
    const { out } = await world.run(["invites", "show", "inv_out"]);
    expect(out).toMatch(/^jc_invitation_id +hubspot +the portal has no room for another property \(quota\)/m);
    expect(out).toContain("run: jc-integrations resync-properties --org acme");
    expect(out).toMatch(/^jc_disc_c +hubspot +is outside 0–100$/m);
    expect(out).toContain('- the test "tarot" is unknown: its result is kept and mapped to nothing');

    const other = await connected();
    await callApi(other, "PATCH", "/crm/v3/properties/contacts/jc_disc_d", {
      type: "enumeration",
      fieldType: "select",
      options: [{ label: "High", value: "high", displayOrder: 0 }],
    });
    expect((await other.run(["resync-properties"])).code).toBe(0);
    await take(other, invite({ invitation_id: "inv_drift" }));
    await other.run(["run", "retry"]);
    expect((await other.run(["invites", "show", "inv_drift"])).out).toMatch(
      /^jc_disc_d +hubspot +type is enumeration, not number$/m,
    );
  });

  test("names the other invitations that speak for the same contact", async () => {
    const world = await connected();
    await take(
      world,
      invite({ invitation_id: "inv_one", email: "ann@example.org" }),
      invite({ invitation_id: "inv_two", email: "Ann@example.org " }),
    );
    const { out } = await world.run(["invites", "show", "--email", "ann@example.org"]);
    expect(out).toMatch(/^- other invitations of the same candidate: inv_(one|two)$/m);
  });

  test("answers at once what keeps a result back, with what to type", async () => {
    const world = await connected();
    await take(world, invite({ invitation_id: "inv_1" }));
    const answer = async (id: string) => (await world.run(["invites", "show", id])).out.split("\n")[0];
    expect(await answer("inv_1")).toMatch(
      /^· Waits since \S+ \S+ UTC because no service runs that would deliver it; run: jc-integrations serve$/,
    );
    await world.portal.fault({ status: 503 });
    await world.run(["run", "retry"]);
    expect(await answer("inv_1")).toMatch(
      /^· Waits since .* because HubSpot did not take it yet \(HubSpot answered 503\)\. No service .*; run: jc-integrations run retry$/,
    );
    await world.portal.clearFaults();
    await world.portal.fault({ revoked: true });
    await take(world, invite({ invitation_id: "inv_2" }));
    await world.run(["run", "refresh"]);
    await world.run(["run", "retry"]);
    expect(await answer("inv_2")).toMatch(
      /^✗ Waits since .* because HubSpot no longer takes our login; run: jc-integrations connect hubspot --org acme$/,
    );
    const { json } = await world.run(["invites", "show", "inv_2", "--json"]);
    expect(json).toMatchObject({
      answers: [{ vendor: "hubspot", tone: "bad", command: "jc-integrations connect hubspot --org acme" }],
    });
  });

  test.each([
    ["invites", "show", "inv_theirs"],
    ["invites", "show", "--email", "ann@example.org"],
    ["replay", "inv_theirs"],
  ])(
    "of an invite that another org holds names that org, with what to type there: %s %s",
    async (...words) => {
      const world = await connected();
      await take(world, invite({ invitation_id: "inv_theirs", email: "ann@example.org", org: "globex" }));
      await take(world, invite());
      const { code, err } = await world.run(words);
      expect(code).toBe(2);
      const what = words.includes("--email")
        ? "of that candidate; globex has one"
        : "inv_theirs; globex has inv_theirs";
      expect(err).toContain(`acme has no invite ${what}`);
      const [, hint = ""] = /→ jc-integrations (.*)$/m.exec(err) ?? [];
      expect((await succeed(world, hint.split(" "))).out).toContain("inv_theirs");
      const none = await world.run([...words.slice(0, -1), "nowhere@example.org"]);
      expect(none.err).not.toContain("globex");
    },
  );

  test("of an org that is connected to nothing says so", async () => {
    const world = await freshWorld();
    await take(world, invite({ invitation_id: "inv_1" }));
    expect((await world.run(["invites", "show", "inv_1"])).out).toMatch(
      /^✗ Not sent, because acme was never connected to HubSpot; run: jc-integrations connect hubspot --org acme\n/,
    );
  });
});
