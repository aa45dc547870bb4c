/** `erase --remote` where results are values of candidate properties and notes. */
import { describe, expect, test } from "vitest";
import { disc, importResults, succeed, type World } from "../world.ts";
import { type Application, apply, completed, control, define, NUMBER, resultOf } from "./company.ts";
import { publishedWorld, VENDOR } from "./world.ts";

const EMAIL = "ann.erased@example.org";

async function told(world: World, of: Application, isNamed: boolean): Promise<void> {
  const event = completed("inv_1", { email: EMAIL, ...(isNamed ? { of } : {}), tests: [disc()] });
  await importResults(world, [event]);
  await succeed(world, ["run", "retry"]);
  expect((await resultOf(world, of)).properties).toMatchObject({ jc_disc_d: 68 });
}

const erase = (world: World) =>
  world.run(["erase", "-", "--remote", "--yes", "--json"], { stdin: `${EMAIL}\n` });

describe("erase --remote", () => {
  test.each([true, false])(
    "clears our values and no other, and names the note that a person has to delete; source named: %s",
    async (isNamed) => {
      const world = await publishedWorld();
      const salary = { id: "p-own", key: "salary", label: "Salary", type: "NUMBER" };
      await define(world, [NUMBER("jc_disc_d"), NUMBER("jc_disc_i"), salary]);
      await succeed(world, ["connect", VENDOR]);
      const [of, others] = [
        await apply(world, { email: EMAIL }),
        await apply(world, { email: "bob@example.org", jobId: "j2" }),
      ];
      await told(world, of, isNamed);
      await importResults(world, [completed("inv_2", { email: "bob@example.org", of: others })]);
      await succeed(world, ["run", "retry"]);
      await control(world, "/values", { applicationId: of.applicationId, values: { salary: 5 } });
      // By the address alone nobody would know any more which one it was.
      await apply(world, { email: EMAIL, isNew: true });
      const { code, json, err } = await erase(world);
      expect((await resultOf(world, of)).properties).toEqual({ salary: 5 });
      expect((await resultOf(world, others)).properties).toMatchObject({ jc_disc_d: 68 });
      expect(json).toMatchObject({
        vendors: [
          {
            connection: `acme/${VENDOR}/production`,
            isDone: false,
            canAsk: false,
            words: expect.stringMatching(
              new RegExp(`for 1 application; no call removes a note, .*candidate ${of.candidateId}, job j1`),
            ),
          },
        ],
      });
      expect(code).toBe(7);
      expect(err).toContain("A person has to remove it there.");
    },
  );

  test("is whole where results are properties alone", async () => {
    const world = await publishedWorld({ env: { JC_SMARTRECRUITERS_RESULTS: "properties" } });
    await succeed(world, ["connect", VENDOR]);
    const of = await apply(world, { email: EMAIL });
    await told(world, of, false);
    const { code, json } = await erase(world);
    expect(code).toBe(0);
    expect(json).toMatchObject({ vendors: [{ isDone: true }] });
    expect((await resultOf(world, of)).properties).toEqual({});
  });

  test("finds the values of a result whose note was refused, which never counted as written", async () => {
    const world = await publishedWorld();
    await succeed(world, ["connect", VENDOR]);
    const of = await apply(world, { email: EMAIL });
    await world.smartrecruiters.settings({
      grantedScopes: ["candidates_read", "candidates_manage", "configuration_read"],
    });
    await importResults(world, [completed("inv_1", { email: EMAIL, tests: [disc()] })]);
    await world.run(["run", "retry"]);
    expect((await resultOf(world, of)).properties).toMatchObject({ jc_disc_d: 68 });
    expect((await erase(world)).code).toBe(0);
    expect((await resultOf(world, of)).properties).toEqual({});
  });

  test("that the vendor does not answer is asked again, and then done", async () => {
    const world = await publishedWorld();
    await succeed(world, ["connect", VENDOR]);
    const of = await apply(world, { email: EMAIL });
    await told(world, of, true);
    await world.smartrecruiters.fault({ status: 503, path: "/candidates", method: "PUT" });
    expect(await erase(world)).toMatchObject({
      code: 7,
      json: { vendors: [{ isDone: false, canAsk: true }] },
    });
    await world.smartrecruiters.clearFaults();
    await erase(world);
    expect((await resultOf(world, of)).properties).toEqual({});
  });
});
