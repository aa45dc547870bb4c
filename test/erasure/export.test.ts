/** `export` as an operator meets it. */
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { connected, importResults, invite, succeed } from "../world.ts";

const ANN = "ann@example.com";

describe("export", () => {
  test("writes all that is held and was sent, once for programs and once to read, private, under names without an address", async () => {
    const clock = fakeClock(Date.UTC(2026, 10, 22, 12));
    const world = await connected({ clock });
    const ann = { email: "Ann@Example.com", first_name: "Ann <b>", last_name: "Lee" };
    await importResults(world, [invite({ candidate: ann }), invite()]);
    await succeed(world, ["run", "retry"]);
    const dir = join(world.dir, "requests");
    mkdirSync(dir);
    const { json } = await succeed(world, ["export", "-", "--dir", dir, "--json"], `${ANN}\n`);
    const names = readdirSync(dir).toSorted();
    expect(names).toEqual(["person-acme-20261122T120000Z.html", "person-acme-20261122T120000Z.json"]);
    expect(json).toMatchObject({ rows: { invites: 1, events: 1, pushes: 1, attempts: 1 } });
    for (const name of names) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    const [html = "", text = ""] = names.map((name) => readFileSync(join(dir, name), "utf8"));
    expect(JSON.parse(text)).toMatchObject({
      version: 1,
      org: "acme",
      addresses: [ANN],
      held: {
        invites: [{ state: { candidate: { firstName: "Ann <b>" }, tests: [{ slug: "disc" }] } }],
        events: [
          {
            source: "jobcannon",
            payload: { data: { candidate: ann } },
            received_at: "2026-11-22T12:00:00.000Z",
          },
        ],
        pushes: [{ subject: ANN, state: "delivered", projection: { jc_disc_d: "68" } }],
        attempts: [{ outcome: "delivered" }],
      },
    });
    expect(text).not.toContain("example.org");
    expect(html).toContain("What we sent about you, and to whom");
    expect(html).toContain("jc_disc_d");
    expect(html).not.toMatch(/<b>|<script|https?:\/\/(?!jobcannon)/);

    // Within the same second the names are the same.
    const again = await world.run(["export", "-", "--dir", dir], { stdin: ANN });
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining("is there already") });
    expect(readFileSync(join(dir, names[1] ?? ""), "utf8")).toBe(text);
  });

  test("of who is not held writes nothing, and says so with 0", async () => {
    const world = await connected();
    const { code, out } = await world.run(["export", "-"], { stdin: ANN });
    expect({ code, out }).toEqual({
      code: 0,
      out: "acme holds nothing of this person. No file was written.\n",
    });
  });

  test("where nothing can be written leaves no half of it", async () => {
    const world = await connected();
    await importResults(world, [invite({ email: ANN })]);
    const { code, err } = await world.run(["export", "-", "--dir", "/nowhere"], { stdin: ANN });
    expect(code).toBe(2);
    expect(err).toContain("/nowhere cannot be written");
  });
});
