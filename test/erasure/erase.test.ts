/** `erase` as an operator meets it: what goes, what stays, what is refused afterwards, and what is left to be done. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { company, invited, scorecard, servingAts, untilDelivered } from "../ats/world.ts";
import { serving } from "../daemon/serving.ts";
import { connected, importResults, invite, type InviteEvent, succeed, until, type World } from "../world.ts";
import { placesOf } from "./places.ts";

const ANN = "ann.erased@example.com";
const BOB = "bob.stays@example.com";

const of = (email: string, more: Partial<InviteEvent["data"]> & { type?: string } = {}) =>
  invite({ ...more, candidate: { email, first_name: "A", last_name: "B" } });
const events = () => [of(ANN.toUpperCase()), of(ANN), of(BOB)];
const erase = async (world: World, ...flags: string[]) =>
  Object((await succeed(world, ["erase", "-", "--yes", "--json", ...flags], `${ANN}\n`)).json);
const rowsOf = (world: World, sql: string): unknown[] => {
  const log = new Database(join(world.stateDir, "log.db"), { readonly: true });
  try {
    return log.prepare(sql).all();
  } finally {
    log.close();
  }
};

const mkdirOf = (world: World): string => mkdtempSync(join(world.dir, "elsewhere-"));

async function withBoth(lines: readonly object[] = events()): Promise<World> {
  const world = await connected();
  await importResults(world, lines);
  await succeed(world, ["run", "retry"]);
  return world;
}

describe("erase", () => {
  test("takes all of a person out, and no byte of them is left; everybody else stays; a note of it names nobody", async () => {
    const world = await withBoth();
    await succeed(world, ["replay", "--email", "-", "--yes"], ANN);
    await succeed(world, ["backup"]);
    const escaped = [...ANN].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
    const hidden = JSON.stringify(of(BOB, { type: "invite.archived" })).replace(
      '"sent_at"',
      `"note":"${escaped}","uri":"https://x/?who=${encodeURIComponent(ANN)}","sent_at"`,
    );
    await succeed(world, ["invites", "import", world.file("hidden.ndjson", [hidden])]);
    expect(placesOf(world, ANN)).not.toEqual([]);
    const dry = await succeed(world, ["erase", "-", "--dry-run", "--json"], ANN);
    expect(dry.json).toMatchObject({
      isDryRun: true,
      rows: { invites: 2, events: 3, pushes: 1, attempts: 2, runs: 1 },
    });
    expect(placesOf(world, ANN)).not.toEqual([]);

    expect(await erase(world)).toMatchObject({
      org: "acme",
      rows: { invites: 2, events: 3, pushes: 1, attempts: 2, runs: 1 },
      isDryRun: false,
      bytes: "gone",
      copies: [
        { file: expect.stringContaining("backups/log-"), goneBy: expect.any(String), isUnknown: false },
      ],
    });
    expect(placesOf(world, ANN)).toEqual([]);
    expect(placesOf(world, BOB)).not.toEqual([]);
    expect(await world.portal.contacts()).toHaveProperty([BOB]);
    expect(rowsOf(world, "SELECT who, what, about FROM audit")).toEqual([
      {
        who: expect.any(String),
        what: "erase",
        about: "a person: events 3, invites 2, pushes 1, attempts 2, runs 1",
      },
    ]);
    const { json } = await world.run(["status", "--json"]);
    expect(json).toMatchObject({ invites: 1, pushes: { delivered: 2 } });
    await succeed(world, ["backup", "verify"]);
  });

  test("asks first, and changes nothing without a yes; stdin without an address is told", async () => {
    const world = await withBoth();
    const asked = await world.run(["erase", ANN]);
    expect(asked.code).toBe(2);
    expect(asked.err).toContain("2 invites, 2 events, 1 result, 1 attempt");
    expect(asked.err).toContain("--yes");
    expect(placesOf(world, ANN)).not.toEqual([]);
    expect((await world.run(["erase", "-", "--yes"], { stdin: "\n" })).code).toBe(2);
    const help = await succeed(world, ["erase", "--help"]);
    expect(help.out).toContain("others on this machine may read (ps)");
  });

  test.each([
    ["erase", "-", "--yes"],
    ["export", "-"],
    ["invites", "list", "--email", "-"],
    ["invites", "show", "--email", "-"],
    ["logs", "--email", "-"],
    ["replay", "--email", "-", "--yes"],
  ])("two addresses on stdin are refused, and neither is taken: %s %s", async (...words) => {
    const world = await withBoth();
    const late = async function* () {
      yield `${ANN}\n`;
      await sleep(20);
      yield `${BOB}\n`;
    };
    for (const stdin of [`${ANN}\n${BOB}\n`, `${ANN}\r${BOB}`, `${ANN}${"\n".repeat(2_000)}${BOB}`, late()]) {
      const { code, out, err } = await world.run(words, { stdin });
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toContain("stdin holds more than one line");
    }
    expect(placesOf(world, ANN)).not.toEqual([]);
  });

  test("what can be nobody's address is refused where nothing is held under it, and taken where something is", async () => {
    const world = await connected();
    await importResults(world, [of("no address"), of(BOB)]);
    const long = `${"a".repeat(5_000)}@example.com`;
    for (const words of [
      ["erase", "--yes"],
      ["erase", "--dry-run"],
      ["export", "--json"],
      ["erase", "--allow"],
    ])
      for (const [given, said] of [
        ["notanaddress", "that is no address: it has no @"],
        [long, "that is no address: it is longer than 320 characters"],
      ] as const) {
        const { code, out, err } = await world.run([...words, given]);
        expect({ code, out }, words.join(" ")).toEqual({ code: 2, out: "" });
        expect(err).toContain(said);
        expect(err.length).toBeLessThan(500);
      }
    expect(rowsOf(world, "SELECT what FROM audit")).toEqual([]);
    const { json } = await succeed(world, ["erase", "no address", "--yes", "--json"]);
    expect(json).toMatchObject({ rows: { invites: 1 } });
    expect((await world.run(["erase", "no address", "--yes"])).code).toBe(0);
  });

  test("names what export wrote of them, where it lies beside the log or here, and the printed line removes it", async () => {
    const world = await withBoth([of("o'ann&co@example.com"), of(BOB)]);
    const odd = "o'ann&co@example.com";
    for (const flags of [["--dir", world.stateDir], []]) {
      await succeed(world, ["export", "-", ...flags], odd);
      await succeed(world, ["export", "-", "--org", "acme", "--dir", mkdirOf(world)], BOB);
    }
    const theirs = [world.dir, world.stateDir].flatMap((dir) =>
      readdirSync(dir)
        .filter((name) => name.startsWith("person-"))
        .map((name) => join(dir, name)),
    );
    expect(theirs).toHaveLength(4);
    const bobs = join(world.dir, "person-acme-20200101T000000Z.json");
    writeFileSync(bobs, JSON.stringify({ addresses: [BOB] }));
    const dry = Object((await succeed(world, ["erase", "-", "--dry-run", "--json"], odd)).json);
    expect(dry.copies.map(({ file }: { file: string }) => file)).toEqual(theirs.toSorted());
    const refused = await world.run(["erase", "-"], { stdin: odd });
    expect(refused.err).toContain(
      "Error: What is held of this person goes for good, and later events about them",
    );
    const { out, err } = await succeed(world, ["erase", "-", "--yes"], odd);
    for (const file of theirs) expect(err).not.toContain(file);
    for (const file of theirs) expect(out).toContain(`${file} still holds them, until somebody removes it`);
    const [, line = ""] = /^What export wrote is yours to remove:\n {2}(rm .*)$/m.exec(out) ?? [];
    execFileSync("sh", ["-c", line]);
    expect(theirs.filter((file) => existsSync(file))).toEqual([]);
    expect(existsSync(bobs)).toBe(true);
    const again = await succeed(world, ["erase", "-", "--yes"], odd);
    expect(again.out).not.toContain("person-");
  });

  test("names each backup once at a time, with the last day on which it goes", async () => {
    const world = await withBoth();
    await succeed(world, ["backup"]);
    const first = await succeed(world, ["erase", "-", "--yes"], ANN);
    expect(first.out).toMatch(
      /backup still holds them, until the daily backups remove it, by 20\d\d-\d\d-\d\d at the latest$/m,
    );
    const again = await succeed(world, ["erase", "-", "--yes"], ANN);
    expect((again.out + again.err).match(/still holds them/g)).toHaveLength(1);
  });

  test("of a person is not undone by whoever types their address afterwards", async () => {
    const world = await withBoth();
    await erase(world);
    for (const words of [
      ["replay", "--email", "-", "--yes"],
      ["replay", "--email", "-", "--since", "2020-01-01", "--status", "delivered", "--yes"],
      ["replay", "--email", "-"],
      ["invites", "list", "--email", "-"],
      ["invites", "show", "--email", "-"],
      ["logs", "--email", "-"],
      ["export", "-"],
      ["erase", "-", "--yes"],
      ["erase", "-", "--dry-run"],
    ])
      await world.run(words, { stdin: ANN });
    expect(placesOf(world, ANN)).toEqual([]);
    const { out } = await succeed(world, ["logs", "--runs", "--reveal"]);
    expect(out).toContain("[not held]");
    await succeed(world, ["replay", "--email", "-", "--yes"], BOB);
    expect(placesOf(world, BOB)).not.toEqual([]);
    expect((await succeed(world, ["logs", "--runs", "--reveal"])).out).toContain(BOB);
  });

  test("a second time finds nothing, needs no yes, and says when it was", async () => {
    const world = await withBoth();
    await erase(world);
    const { code, out } = await world.run(["erase", "-"], { stdin: ANN });
    expect(code).toBe(0);
    expect(out).toMatch(/^Nothing is held of this person: they were erased on \d{4}-\d\d-\d\d\.\n/);
  });

  test("of an address that nothing is held of asks too, and refuses it from then on", async () => {
    const world = await withBoth([of(BOB)]);
    const asked = await world.run(["erase", "-"], { stdin: ANN });
    expect(asked.code).toBe(2);
    expect(asked.err).toContain("Nothing is held of this person; their later events are refused");
    expect(await erase(world)).toMatchObject({ rows: {}, bytes: "gone" });
    const { json } = await world.run(["invites", "import", world.file("late.ndjson", [of(ANN)]), "--json"]);
    expect(json).toMatchObject({ stored: 0, refused: 1 });
    expect((await world.run(["erase", "-", "--org", "nobodys"], { stdin: ANN })).code).toBe(2);
  });

  test("--later leaves the bytes to the job, which takes them out", async () => {
    const world = await withBoth();
    expect(await erase(world, "--later")).toMatchObject({ bytes: "due" });
    expect(rowsOf(world, "SELECT 1 FROM invites")).toHaveLength(1);
    expect((await succeed(world, ["run", "vacuum", "--json"])).json).toMatchObject({ vacuumed: 1 });
    expect(placesOf(world, ANN)).toEqual([]);
    expect((await succeed(world, ["run", "vacuum", "--json"])).json).toMatchObject({ vacuumed: 0 });
  });

  test("takes another org's rows of the same address nowhere", async () => {
    const world = await withBoth([of(ANN), of(ANN, { org: "globex" })]);
    await erase(world);
    expect(rowsOf(world, "SELECT org FROM invites")).toEqual([{ org: "globex" }]);
    await succeed(world, ["invites", "import", world.file("late.ndjson", [of(ANN, { org: "globex" })])]);
    expect(rowsOf(world, "SELECT org FROM invites")).toHaveLength(2);
  });

  test("with a vault that cannot be read ends with 5, and nothing is half done", async () => {
    const world = await withBoth();
    const { code, err } = await world.run(["erase", "-", "--yes"], {
      stdin: ANN,
      env: { JC_VAULT_KEY_FILE: world.file("another.key", ["another key of more than 32 bytes, it is"]) },
    });
    expect(code).toBe(5);
    expect(err).not.toContain(ANN);
    expect(rowsOf(world, "SELECT 1 FROM invites")).toHaveLength(3);
    expect(rowsOf(world, "SELECT 1 FROM erasures")).toEqual([]);
  });

  test("cut off between the vault and the log is completed by typing it again", async () => {
    const world = await withBoth();
    const log = new Database(join(world.stateDir, "log.db"));
    log.exec("CREATE TRIGGER cut BEFORE INSERT ON erasures BEGIN SELECT RAISE(ABORT, 'cut off'); END");
    expect((await world.run(["erase", "-", "--yes"], { stdin: ANN })).code).not.toBe(0);
    expect(rowsOf(world, "SELECT 1 FROM invites")).toHaveLength(3);
    log.exec("DROP TRIGGER cut");
    log.close();
    expect(await erase(world)).toMatchObject({ rows: { invites: 2 }, bytes: "gone" });
    expect(placesOf(world, ANN)).toEqual([]);
  });

  test("addresses that are one contact go together", async () => {
    const world = await connected();
    const other = "ann.private@example.net";
    await importResults(world, [of(ANN), of(other), of(BOB)]);
    await succeed(world, ["run", "retry"]);
    const log = new Database(join(world.stateDir, "log.db"));
    log.exec(`UPDATE pushes SET record = '77' WHERE subject IN ('${ANN}', '${other}')`);
    log.close();
    const dry = await succeed(world, ["erase", "-", "--dry-run"], ANN);
    expect(dry.out).toContain("with what else is the same contact: a");
    expect(dry.out).not.toContain(other);
    expect(await erase(world)).toMatchObject({ joined: 1, rows: { invites: 2, pushes: 2 } });
    expect([...placesOf(world, ANN), ...placesOf(world, other)]).toEqual([]);
    const { json } = await world.run(["invites", "import", world.file("late.ndjson", [of(other)]), "--json"]);
    expect(json).toMatchObject({ stored: 0, refused: 1 });
  });
});

describe("later events of who was erased", () => {
  test("are answered 202 and counted, stored nowhere, also by a serve that ran all the while; --allow takes that back", async () => {
    const world = await connected();
    const service = await serving(world);
    const [first, late] = [of(ANN), of(ANN)];
    await service.post(first, { id: "one" });
    await until("it is delivered", async () => Object.keys(await world.portal.contacts()).length === 1);
    await erase(world);
    for (const body of [late, first, { ...late, type: "invite.unheard_of" }]) {
      const answer = await service.post(body, { id: `late-${body.type}-${body.data.invitation_id}` });
      expect(answer).toMatchObject({ status: 202, body: expect.stringContaining("refused") });
    }
    // Another address does not make the invitation another person's.
    const moved = {
      ...first,
      data: { ...first.data, candidate: { ...first.data.candidate, email: "new@example.com" } },
    };
    expect((await service.post(moved, { id: "moved" })).body).toContain("refused");
    expect((await service.post(of(BOB), { id: "bob" })).body).toContain("stored");
    expect(placesOf(world, ANN)).toEqual([]);
    expect(rowsOf(world, "SELECT org, what, n FROM purges")).toEqual([
      { org: "acme", what: "refused", n: 4 },
    ]);
    expect((await world.run(["status"])).out).toContain("4 later events of people who were erased refused");
    expect((await world.run(["status", "--json"])).json).toMatchObject({ erased: { people: 1, refused: 4 } });
    expect((await succeed(world, ["erase", "-", "--allow", "--json"], ANN)).json).toMatchObject({
      isLifted: true,
    });
    expect((await service.post(late, { id: "allowed" })).body).toContain("stored");
    expect((await succeed(world, ["erase", "-", "--allow", "--json"], ANN)).json).toMatchObject({
      isLifted: false,
    });
  });

  test("a result that was being sent when they were erased brings nothing back, and harms no other", async () => {
    const world = await connected();
    await importResults(world, events());
    await world.portal.fault({ delayMs: 2_500, path: "/crm/v3/objects/contacts/batch/upsert", times: 1 });
    const sending = world.run(["run", "retry"]);
    await until(
      "it is sent",
      async () =>
        (await world.portal.requests()).some(({ path }) => path.endsWith("/batch/upsert")) ||
        rowsOf(world, "SELECT 1 FROM pushes WHERE lease IS NOT NULL").length === 2,
    );
    expect(await erase(world)).toMatchObject({ rows: { pushes: 1 } });
    expect((await sending).code).toBe(0);
    expect(placesOf(world, ANN)).toEqual([]);
    expect(rowsOf(world, "SELECT subject, state FROM pushes")).toEqual([
      { subject: BOB, state: "delivered" },
    ]);
    expect(rowsOf(world, "SELECT 1 FROM attempts")).toHaveLength(1);
  });
});

describe("while serve lives on the log", () => {
  test("the log is written anew beside it: senders hear 202, or 503 with Retry-After and send again; nothing is lost, and it goes on", async () => {
    const world = await connected();
    const service = await serving(world);
    await importResults(world, [...events(), ...Array.from({ length: 3_000 }, () => invite())]);
    let isOver = false;
    let [stored, refused] = [0, 0];
    const sending = (async () => {
      for (let n = 0; !isOver; n += 1) {
        const { status, headers } = await service.post(of(`sender${n}@example.com`), { id: `s${n}` });
        if (status === 503) {
          expect(headers.get("retry-after")).toBe("5");
          refused += 1;
        } else {
          expect(status).toBe(202);
          stored += 1;
        }
        await sleep(5);
      }
    })();
    expect(await erase(world)).toMatchObject({ bytes: "gone" });
    isOver = true;
    await sending;
    expect(stored + refused).toBeGreaterThan(0);
    expect((await service.post(of(BOB), { id: "after" })).status).toBe(202);
    expect((await service.get("/readyz")).status).toBe(200);
    const senders = rowsOf(world, "SELECT 1 FROM invites WHERE contact LIKE 'sender%'");
    expect(senders).toHaveLength(stored);
    await service.running.stop();
    expect(placesOf(world, ANN)).toEqual([]);
  });
});

describe("erase --remote", () => {
  test("says beforehand, and with --allow, what of it no --allow takes back at HubSpot", async () => {
    const world = await withBoth();
    const asked = await world.run(["erase", "-", "--remote"], { stdin: ANN });
    expect(asked).toMatchObject({ code: 2, err: expect.stringContaining("on a blocklist") });
    expect((await world.run(["erase", "-"], { stdin: ANN })).err).not.toContain("blocklist");
    const dry = await succeed(world, ["erase", "-", "--remote", "--dry-run"], ANN);
    expect(dry.out).toContain("on a blocklist");
    await erase(world, "--remote");
    const allowed = await succeed(world, ["erase", "-", "--allow"], ANN);
    expect(allowed.out).toMatch(/Were they erased with --remote, too\? HubSpot keeps .* on a blocklist/);
    // What is told is what happens there, as far as anybody knows.
    await importResults(world, [of(ANN)]);
    const { code, out } = await world.run(["run", "retry"]);
    expect([code, out]).toEqual([7, expect.stringContaining("1 rejected")]);
  });

  test("asks HubSpot to delete them for good, and they are gone there too", async () => {
    const world = await withBoth();
    const report = await erase(world, "--remote");
    expect(report.vendors).toMatchObject([{ connection: "acme/hubspot/production", isDone: true }]);
    expect(Object.keys(await world.portal.contacts())).toEqual([BOB]);
    expect(
      (await world.portal.requests()).filter(({ path }) => path.endsWith("/gdpr-delete")).length,
    ).toBeGreaterThan(0);
    expect(placesOf(world, ANN)).toEqual([]);
  });

  test("that a vendor does not answer is 7 with the rest done; typed again it asks that vendor alone", async () => {
    const world = await withBoth();
    await world.portal.fault({ status: 503, path: "/crm/v3/objects/contacts/gdpr-delete" });
    const { code, err, out } = await world.run(["erase", "-", "--yes", "--remote"], { stdin: ANN });
    expect(code).toBe(7);
    expect(err).toContain("jc-integrations erase - --org acme --remote");
    expect(out + err).not.toContain(ANN);
    expect(placesOf(world, ANN)).toEqual([]);
    expect(await world.portal.contacts()).toHaveProperty([ANN]);
    await world.portal.clearFaults();
    expect(await erase(world)).toMatchObject({ rows: {}, vendors: [{ isDone: true }] });
    expect(await world.portal.contacts()).not.toHaveProperty([ANN]);
  });

  test("clears our values in SmartRecruiters and nothing else there; its webhook of that brings nobody back", async () => {
    const { world, service } = await servingAts();
    const { candidateId } = await invited(await company(world), { email: ANN });
    await world.smartrecruiters.complete(candidateId);
    await untilDelivered(world, 1);
    expect(await scorecard(world, candidateId)).toHaveLength(1);
    const report = await erase(world, "--remote");
    expect(report.vendors).toMatchObject([{ connection: "acme/smartrecruiters/production", isDone: true }]);
    const [entry] = await scorecard(world, candidateId);
    expect(entry).toMatchObject({
      title: "Removed at the candidate's request",
      score: null,
      summary: null,
      fields: [],
    });
    await until(
      "its webhook came and was refused",
      () => rowsOf(world, "SELECT 1 FROM purges WHERE what = 'refused'").length > 0,
    );
    expect(rowsOf(world, "SELECT 1 FROM confirmations")).toEqual([]);
    expect(rowsOf(world, "SELECT 1 FROM events")).toEqual([]);
    await service.running.stop();
    expect(placesOf(world, ANN)).toEqual([]);
  });
});
