import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, test } from "vitest";
import { displayWidth } from "../../src/shared/layout.ts";
import { API_VERSIONS } from "../../src/vendors/hubspot/versions.ts";
import { emulated } from "../emulated.ts";
import { freshWorld, until } from "../world.ts";

/** Without figures, which differ, and as one line, however wide it was. */
const wordsOf = (text: string) => text.replace(/\d+/g, "0").replace(/\s+/g, " ").trim();

function recorded(): string[] {
  const svg = readFileSync(new URL("../../docs/demo.svg", import.meta.url), "utf8");
  const lines = [...svg.matchAll(/<text [^>]*>(.*?)<\/text>/g)].map(([, line = ""]) => line);
  expect(lines.length).toBeGreaterThan(25);
  return lines.slice(1).map((line) => line.replaceAll("&lt;", "<").replaceAll("&amp;", "&"));
}

describe("demo", () => {
  test("shows both vendors from the connect to the result", async () => {
    const world = await freshWorld();
    const { code, out, err } = await world.run(["demo"]);
    expect(code).toBe(0);
    expect(err.match(/^\d .*/gm)).toEqual([
      "1  Connect a HubSpot portal (the emulator approves at once)",
      "2  serve receives signed webhooks and delivers; a file is imported beside it",
      "3  What JobCannon sent, and what HubSpot now holds",
      "4  A second resync creates nothing",
      "5  The daily sweep brings those who are still at it",
      "6  Connect SmartRecruiters, and subscribe to its webhooks",
      "7  A candidate reaches a stage that asks for a test, and takes it",
    ]);
    expect(out).toMatch(/summary +DISC: Dominance 68, Influence 41, Steadiness 55, Conscientiousness 80\n/);
    expect(out).toMatch(
      /fields +Dominance 68, Influence 41, Steadiness 55, JC DISC — Conscientiousness\n +80\n/,
    );
    expect(
      (out + err).split("\n").filter((line) => displayWidth(line) > 80 && !/^\d{4}-/.test(line)),
    ).toEqual([]);
    expect(err).toContain("HubSpot holds  jc_disc_d 68 _i 41 _s 55 _c 80");
    expect(err).toContain("Confirmed by SmartRecruiters' own webhook: a1 is inv_a1");
    const said = wordsOf(out + err);
    const stale = recorded().filter((line) => !said.includes(wordsOf(line)));
    expect(stale, "docs/demo.svg shows what the demo does not say: npm run recording").toEqual([]);
  });

  test("shows SmartRecruiters as its own documents have it, from the stage to properties and note", async () => {
    const world = await freshWorld();
    const { code, out, err } = await world.run(["demo", "--profile", "published"]);
    expect(code, err).toBe(0);
    expect(err).toContain("6 candidate properties found");
    expect(err).toContain("7  A candidate reaches a stage that asks for a test, and takes it");
    expect(err).toMatch(/JobCannon was asked once, and sent its id back: jc_[0-9a-f]{24}/);
    expect(err).toContain("HubSpot holds  jc_disc_d 68 _i 41 _s 55 _c 80");
    expect(out).toMatch(/jc_disc_d +68/);
    expect(err).toContain('smartrecruiters.profile = "published"');
    expect(wordsOf(err.replaceAll("\\\n", " "))).toContain(
      "connect smartrecruiters --org <your org> --method client-credentials",
    );
    expect(err).toMatch(
      /resync-properties --vendor smartrecruiters[\s\S]*webhooks subscribe[\s\S]*catalog set/,
    );
    expect(out).toContain("DISC: Dominance 68, Influence 41, Steadiness 55, Conscientiousness 80");
  });

  test("goes on in that profile with what shows its results", async () => {
    const world = await freshWorld();
    const running = world.start(["demo", "--keep", "--profile", "published"]);
    await until("it goes on", () => running.err().includes("until Ctrl-C"));
    expect(running.err()).not.toContain("scorecards");
    const [, url = ""] = /curl (\S+\/_control\/smartrecruiters\/results)/.exec(running.err()) ?? [];
    expect(await (await fetch(url)).json()).toMatchObject([{ properties: { jc_disc_d: 68 } }]);
    expect(await running.stop()).toMatchObject({ code: 0 });
  });

  test.each(API_VERSIONS)("runs whole in HubSpot's API %s, and asks in no other", async (version) => {
    const world = await freshWorld();
    const running = world.start(["demo", "--keep", "--hubspot-version", version]);
    await until("it goes on", () => running.err().includes("until Ctrl-C"));
    expect(running.err()).toContain(`API ${version}, tokens in a sealed vault`);
    expect(running.err()).toContain("HubSpot holds  jc_disc_d 68 _i 41 _s 55 _c 80");
    const [, url = ""] = /curl (\S+)\/_control\/smartrecruiters\/scorecards/.exec(running.err()) ?? [];
    const asked = (await emulated({ url }).hubspot.requests()).filter(
      ({ path }) => path !== "/oauth/authorize",
    );
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter(({ path, status }) => !path.includes(`/${version}/`) || status >= 400)).toEqual([]);
    expect(await running.stop()).toMatchObject({ code: 0 });
  });

  test("goes on with --keep, at the URLs that it shows, until Ctrl-C, and leaves nothing behind", async () => {
    const world = await freshWorld();
    const running = world.start(["demo", "--keep"]);
    await until("it goes on", () => running.err().includes("until Ctrl-C"));
    const [, url = ""] = /curl (\S+)\/_control\/smartrecruiters\/scorecards/.exec(running.err()) ?? [];
    const { smartrecruiters } = emulated({ url });
    expect(await smartrecruiters.scorecards()).toMatchObject({ c1: [{ title: "JobCannon: DISC" }] });
    expect(running.err()).toContain(`SmartRecruiters:  ${url}/smartrecruiters`);
    const [, config = ""] = /--config (\S+)/.exec(running.err()) ?? [];
    expect(existsSync(config)).toBe(true);
    expect(await running.stop()).toMatchObject({ code: 0 });
    expect(existsSync(dirname(config))).toBe(false);
  });
});
