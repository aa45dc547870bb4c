import { appendFileSync, statSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { launchService } from "../end-to-end/program.ts";
import { connected, disc, invite, type World } from "../world.ts";

const DAY_MS = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 22, 12);

/** A world whose clock a test sets, connected; what is imported was made at the moment of its import. */
async function datedWorld(env = {}) {
  const clock = fakeClock(NOW);
  const world = await connected({ clock, env });
  return { clock, world };
}

async function succeed(world: World, argv: readonly string[]) {
  const run = await world.run(argv);
  expect(run, run.err).toMatchObject({ code: 0 });
  return run;
}

async function take(world: World, events: object[]) {
  const { json } = await succeed(world, ["invites", "import", world.file("events.ndjson", events), "--json"]);
  return json;
}

const at = (ms: number) => new Date(ms).toISOString();
const ANN = { email: "ann@example.org" };

describe("run retention", () => {
  test("says on a terminal how far it is, and nothing of it to a script", async () => {
    const { clock, world } = await datedWorld();
    await take(world, [invite({ timestamp: at(NOW) }), invite({ timestamp: at(NOW) })]);
    await succeed(world, ["run", "retry"]);
    clock.jump(NOW + 91 * DAY_MS);
    const planned = await world.run(["run", "retention", "--dry-run"], { isTerminal: true });
    expect(planned.err).not.toContain("removing");
    const shown = await world.run(["run", "retention"], { isTerminal: true });
    // Each invite with its event, and the last attempt with its push.
    expect(shown).toMatchObject({ code: 0, err: expect.stringMatching(/removing {2}8 .*rows/) });
    expect((await world.run(["run", "retention"])).err).toBe("");
  });

  test("says what it would remove, removes it after 90 days, and an old file that comes again overwrites nothing", async () => {
    const { clock, world } = await datedWorld();
    const old = [invite({ ...ANN, timestamp: at(NOW - DAY_MS) }), invite({ timestamp: at(NOW) })];
    await take(world, old);
    await succeed(world, ["run", "retry"]);
    clock.jump(NOW + 91 * DAY_MS);
    const told = await world.portal.upserts();
    expect((await succeed(world, ["run", "retention", "--dry-run"])).out).toBe(
      "2 invites would be removed, with 2 events, 2 pushes and 2 attempts\n",
    );
    const { json } = await succeed(world, ["run", "retention", "--json"]);
    expect(json).toMatchObject({ version: 1, invites: 2, events: 2, pushes: 2, attempts: 2, rejected: 0 });
    expect((await succeed(world, ["invites", "list", "--json"])).json).toMatchObject({ invites: [] });
    expect(await take(world, old)).toMatchObject({ read: 2, stored: 0, known: 2 });
    await succeed(world, ["run", "sweep"]);
    await succeed(world, ["run", "retry"]);
    expect(await world.portal.upserts()).toEqual(told);
    expect((await succeed(world, ["status", "--json"])).json).toMatchObject({
      events: { total: 2 },
      pushes: { delivered: 2, pending: 0 },
      retention: { days: 90, invites: 2, rejected: 0 },
    });
  });

  test("is not undone by a backup that was made before", async () => {
    const { clock, world } = await datedWorld();
    const old = [invite({ timestamp: at(NOW) }), invite({ timestamp: at(NOW) })];
    await take(world, old);
    await succeed(world, ["run", "retry"]);
    const { file } = Object((await succeed(world, ["backup", "--json"])).json);
    clock.jump(NOW + 91 * DAY_MS);
    await succeed(world, ["run", "retention"]);
    const told = await world.portal.upserts();
    await succeed(world, ["restore", String(file), "--yes"]);
    expect((await succeed(world, ["invites", "list", "--json"])).json).toMatchObject({ invites: [] });
    expect(await take(world, old)).toMatchObject({ stored: 0, known: 2 });
    await succeed(world, ["run", "retry"]);
    expect(await world.portal.upserts()).toEqual(told);
  });

  test("heeds retention.days, and retention_days of one org", async () => {
    const { clock, world } = await datedWorld({ JC_RETENTION_DAYS: "7" });
    appendFileSync(world.configFile, "\n[orgs.globex]\nretention_days = 30\n");
    await take(
      world,
      [invite({ timestamp: at(NOW) }), { ...invite({ timestamp: at(NOW) }) }].map((event, n) =>
        n === 0 ? event : { ...event, data: { ...event.data, org: "globex" } },
      ),
    );
    await succeed(world, ["run", "retry"]);
    clock.jump(NOW + 8 * DAY_MS);
    expect((await succeed(world, ["run", "retention", "--json"])).json).toMatchObject({ invites: 1 });
    expect((await succeed(world, ["status", "--org", "globex", "--json"])).json).toMatchObject({
      retention: { days: 30, invites: 0, lastAt: null },
    });
    clock.jump(NOW + 31 * DAY_MS);
    expect((await succeed(world, ["run", "retention", "--json"])).json).toMatchObject({ invites: 1 });
  });

  test("warns of what a vendor had rejected, in its report and in status", async () => {
    const { clock, world } = await datedWorld();
    await take(world, [invite({ email: "no address at all", timestamp: at(NOW) })]);
    await world.run(["run", "retry"]);
    clock.jump(NOW + 91 * DAY_MS);
    expect((await succeed(world, ["run", "retention", "--dry-run"])).out).toContain(
      "1 result that a vendor had rejected would go, never delivered",
    );
    expect((await succeed(world, ["run", "retention"])).out).toContain(
      "; 1 result that a vendor had rejected went, never delivered\n",
    );
    expect((await succeed(world, ["status"])).out).toContain(
      "! 1 result that a vendor had rejected was removed after 90 days, never delivered, the last on 2027-02-21",
    );
  });

  test("keeps what waits, and what is held, for as long as it does", async () => {
    const { clock, world } = await datedWorld();
    await take(world, [invite({ timestamp: at(NOW) })]);
    clock.jump(NOW + 400 * DAY_MS);
    expect((await succeed(world, ["run", "retention", "--json"])).json).toMatchObject({
      invites: 0,
      events: 0,
    });
    await succeed(world, ["run", "retry"]);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(1);
    expect((await succeed(world, ["run", "retention", "--json"])).json).toMatchObject({
      invites: 1,
      pushes: 0,
    });
  });

  test("leaves options to the jobs that take them", async () => {
    const { world } = await datedWorld();
    for (const argv of [
      ["run", "sweep", "--dry-run"],
      ["run", "retry", "--compact"],
      ["run", "retention", "--dry-run", "--compact"],
    ])
      expect(await world.run(argv)).toMatchObject({ code: 2, out: "" });
    expect((await world.run(["run", "sweep", "--dry-run"])).err).toContain("Jobs that do: retention");
  });
});

describe("a contact whose old invite is gone", () => {
  const begun = { ...ANN, invitation_id: "inv_new", type: "invite.progress" } as const;

  /** An old completed invite, and a new one that was begun 80 days later; both told, the old one removed. */
  async function withOneGone() {
    const { clock, world } = await datedWorld();
    await take(world, [
      invite({
        ...ANN,
        invitation_id: "inv_old",
        timestamp: at(NOW),
        sent_at: at(NOW),
        tests: [{ ...disc([60, 61, 62, 63]), completed_at: at(NOW) }],
      }),
    ]);
    await succeed(world, ["run", "retry"]);
    const later = NOW + 80 * DAY_MS;
    clock.jump(later);
    await take(world, [
      invite({
        ...begun,
        timestamp: at(later),
        sent_at: at(later),
        tests: [{ slug: "mbti", status: "started" }],
      }),
    ]);
    await succeed(world, ["run", "sweep"]);
    await succeed(world, ["run", "retry"]);
    clock.jump(NOW + 91 * DAY_MS);
    expect((await succeed(world, ["run", "retention", "--json"])).json).toMatchObject({
      invites: 1,
      pushes: 0,
    });
    return { clock, world, later: NOW + 91 * DAY_MS };
  }

  test("is not raised by that", async () => {
    const { world } = await withOneGone();
    const told = await world.portal.upserts();
    expect((await succeed(world, ["run", "sweep", "--json"])).json).toMatchObject({ raised: 0 });
    await succeed(world, ["run", "retry"]);
    expect(await world.portal.upserts()).toEqual(told);
  });

  test("keeps its values when the new one has news, unless those are newer", async () => {
    const { world, later } = await withOneGone();
    const news = invite({
      ...begun,
      type: "invite.completed",
      timestamp: at(later),
      sent_at: at(NOW + 80 * DAY_MS),
      tests: [
        { slug: "mbti", status: "completed", completed_at: at(later), result: { type: "INFJ" } },
        { ...disc([1, 2, 3, 4]), completed_at: at(NOW - 30 * DAY_MS) },
      ],
    });
    await take(world, [news]);
    await succeed(world, ["run", "retry"]);
    const contacts = await world.portal.contacts();
    expect(contacts[ANN.email]).toMatchObject({
      jc_mbti_type: "INFJ",
      jc_disc_d: "60",
      jc_invitation_id: "inv_new",
    });
  });
});

describe("a log made by an older version", () => {
  const sizeOf = (world: World) => statSync(join(world.stateDir, "log.db")).size;

  async function olderLog() {
    const dated = await datedWorld();
    const { world } = dated;
    const db = new Database(join(world.stateDir, "log.db"));
    for (const pragma of ["journal_mode = DELETE", "auto_vacuum = NONE"]) db.pragma(pragma);
    db.exec("VACUUM");
    db.close();
    await take(
      world,
      Array.from({ length: 600 }, () => invite({ timestamp: at(NOW) })),
    );
    await succeed(world, ["run", "retry"]);
    return dated;
  }

  test("is written anew by --compact, and gives back what is free from then on", async () => {
    const { clock, world } = await olderLog();
    clock.jump(NOW + 91 * DAY_MS);
    await succeed(world, ["run", "retention"]);
    const before = sizeOf(world);
    const { json, out } = await succeed(world, ["run", "retention", "--compact", "--json"]);
    expect(json, out).toMatchObject({
      version: 1,
      invites: 0,
      bytesBefore: before,
      bytesAfter: sizeOf(world),
    });
    expect(sizeOf(world)).toBeLessThan(before / 2);
    const db = new Database(join(world.stateDir, "log.db"), { readonly: true });
    expect(db.pragma("auto_vacuum", { simple: true })).toBe(2);
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    db.close();
    expect((await succeed(world, ["status", "--json"])).json).toMatchObject({ events: { total: 600 } });
  });

  test("is not touched while serve runs on it", async () => {
    const { world } = await olderLog();
    const service = await launchService(world);
    const refused = await world.run(["run", "retention", "--compact"]);
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain("serve runs on this log");
    service.child.kill("SIGTERM");
    await service.ended;
    expect((await world.run(["run", "retention", "--compact"])).code).toBe(0);
  });
});
