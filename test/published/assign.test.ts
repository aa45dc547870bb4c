/** Results that several candidates fit, and whoever says whose they are. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { faultsIn } from "../docs/schemas.ts";
import { disc, importResults, succeed, type World } from "../world.ts";
import { apply, completed, resultOf, resultsOf } from "./company.ts";
import { publishedWorld, rowOf, VENDOR } from "./world.ts";

const EMAIL = "ann@example.org";

async function connectedWorld() {
  const world = await publishedWorld();
  await succeed(world, ["connect", VENDOR]);
  return world;
}

async function told(world: World, id = "inv_1") {
  await importResults(world, [completed(id, { email: EMAIL })]);
  return await world.run(["run", "retry", "--json"]);
}

describe("a result without a source", () => {
  test.each(["addresses", "words"])(
    "goes to the one candidate who has its address; the search finds %s",
    async (searchFinds) => {
      const world = await connectedWorld();
      await world.set({ searchFinds });
      const of = await apply(world, { email: "Ann@Example.org" });
      const other = await apply(world, { email: "ann.lee@example.org" });
      await told(world);
      expect((await resultOf(world, of)).notes).toHaveLength(1);
      expect((await resultOf(world, other)).notes).toEqual([]);
    },
  );

  test("is rejected where nobody has its address, or is on no job, and follows once somebody is", async () => {
    const world = await connectedWorld();
    const { json } = await told(world);
    expect(json).toMatchObject({ rejected: 1 });
    const { out } = await succeed(world, ["logs", "--outcome", "rejected"]);
    expect(out).toContain("SmartRecruiters has no candidate with this address");
    const of = await apply(world, { email: EMAIL });
    await succeed(world, ["replay", "--vendor", VENDOR, "--status", "rejected", "--yes"]);
    expect((await resultOf(world, of)).notes).toHaveLength(1);
  });
});

describe("a result that several candidates fit", () => {
  async function held() {
    const world = await connectedWorld();
    const first = await apply(world, { email: EMAIL });
    const second = await apply(world, { email: EMAIL, jobId: "j2", isNew: true });
    await told(world);
    return { world, first, second };
  }

  test("is held, written to nobody, and says what to type", async () => {
    const { world, first, second } = await held();
    expect((await resultsOf(world)).flatMap(({ notes }) => notes)).toEqual([]);
    const shown = await succeed(world, ["invites", "list", "--json"]);
    expect(shown.json).toMatchObject({ invites: [{ pushes: [{ state: "held", heldCause: "candidate" }] }] });
    const { out, json } = await succeed(world, ["invites", "assign", "--json"]);
    expect(json).toMatchObject({
      waiting: [{ invitationId: "inv_1", reason: expect.stringContaining(second.candidateId) }],
    });
    expect(faultsIn("invites-assign", json)).toBe(null);
    expect(out).not.toContain(EMAIL);
    const list = await succeed(world, ["invites", "assign"]);
    expect(list.out).toContain("jc-integrations invites assign");
    const fits = await succeed(world, ["invites", "assign", "inv_1", "--json"]);
    expect(fits.json).toMatchObject({
      candidates: [
        { candidateId: first.candidateId, job: { id: "j1" } },
        { candidateId: second.candidateId, job: { id: "j2" } },
      ],
    });
    expect(faultsIn("invites-assign", fits.json)).toBe(null);
    expect((await rowOf(world))?.banner).toContain("1 result held");
  });

  test("goes to whom an operator names, and stays theirs when its source tells more", async () => {
    const { world, first, second } = await held();
    const { json } = await succeed(world, [
      ...["invites", "assign", "inv_1", "--candidate", second.candidateId, "--json"],
    ]);
    expect(json).toMatchObject({ invitation: "inv_1", candidate: second.candidateId, job: "j2" });
    expect(faultsIn("invites-assign", json)).toBe(null);
    await succeed(world, ["run", "retry"]);
    const later = completed("inv_1", {
      email: EMAIL,
      tests: [disc([1, 2, 3, 4])],
      at: "2024-05-16T10:00:00Z",
    });
    await importResults(world, [later]);
    await succeed(world, ["run", "retry"]);
    expect((await resultOf(world, second)).properties).toMatchObject({ jc_disc_d: 1 });
    expect((await resultOf(world, second)).notes).toHaveLength(2);
    expect((await resultOf(world, first)).notes).toEqual([]);
  });

  test("goes to nobody who has another address unless that is meant, and to no invite that is none", async () => {
    const { world } = await held();
    const other = await apply(world, { email: "bob@example.org" });
    const name = ["invites", "assign", "inv_1", "--candidate", other.candidateId, "--job", other.jobId];
    const refused = await world.run(name);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("has another address");
    for (const more of [[], ["--yes"]]) {
      const none = await world.run([
        ...["invites", "assign", "inv_1", "--candidate", "nosuch", "--job", other.jobId, ...more],
      ]);
      expect(none.code).toBe(2);
      expect(none.err).toContain("SmartRecruiters has no candidate nosuch");
      expect(none.err).toContain("jc-integrations invites assign inv_1 --org acme lists those that fit");
    }
    await succeed(world, [...name, "--yes"]);
    await succeed(world, ["run", "retry"]);
    expect((await resultOf(world, other)).notes).toHaveLength(1);
    expect(await world.run(["invites", "assign", "inv_none"])).toMatchObject({ code: 2 });
  });
});

test("erase takes a result of the profile along that no assessment asked for, with what was told of it", async () => {
  const world = await connectedWorld();
  await apply(world, { email: EMAIL });
  await told(world);
  const tables = () => {
    const db = new Database(join(world.stateDir, "log.db"), { readonly: true });
    const rows = ["pushes", "attempts", "invites"].map((table) =>
      db.prepare<[], string>(`SELECT json_group_array(json_array(t.rowid)) FROM ${table} t`).pluck().get(),
    );
    db.close();
    return rows;
  };
  expect(tables()).not.toContain("[]");
  const { json } = await succeed(world, ["erase", EMAIL, "--yes", "--json"]);
  expect(JSON.stringify(json)).not.toContain(EMAIL);
  expect(tables()).toEqual(["[]", "[]", "[]"]);
});
