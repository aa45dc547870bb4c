/** Where the configuration would lead a person, or a token, that no https guards: nothing is printed, opened or called. */
import { describe, expect, test } from "vitest";
import { openBrowser } from "../../src/shared/browser.ts";
import { safeUrl } from "../../src/shared/url.ts";
import { freshWorld, prepared } from "../world.ts";
import { linkFor, publicWorld } from "./linked.ts";
import { runProgram } from "./world.ts";

const UNSAFE = [
  "http://app.hubspot.example/oauth/authorize",
  "javascript:alert(1)",
  "file:///etc/passwd",
  "ftp://localhost/",
  "http://localhost.evil.example/",
  "http://127.0.0.1.evil.example/",
  "http://localhost@evil.example/",
  "no url",
];
const KEYS = [
  "JC_HUBSPOT_AUTHORIZE_URL",
  "JC_HUBSPOT_API_BASE",
  "JC_SMARTRECRUITERS_IDENTITY_BASE",
  "JC_SMARTRECRUITERS_API_BASE",
  "JC_SERVE_PUBLIC_URL",
  "JC_ALERTS_TELEGRAM_API_BASE",
  "JC_JOBCANNON_RESULT_BASE",
];

describe("a URL that is neither https nor of this machine", () => {
  test.each(UNSAFE)("%s is printed by no connect, and opened in no browser", async (url) => {
    const world = await prepared();
    const env = { JC_HUBSPOT_AUTHORIZE_URL: url };
    for (const argv of [
      ["connect", "hubspot"],
      ["connect", "hubspot", "--via-service"],
    ]) {
      const { code, out, err } = await world.run(argv, { env });
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toContain("hubspot.authorize_url is no https URL (JC_HUBSPOT_AUTHORIZE_URL)");
      expect(err).not.toContain(url);
    }
    expect(world.visits).toEqual([]);
    expect(safeUrl(url)).toBeNull();
    const desktop = { env: { DISPLAY: ":0" }, platform: process.platform };
    await expect(openBrowser(url, desktop)).rejects.toThrow("that is no link");
  });

  test.each(KEYS)("is refused in %s, whatever the command, with the key's name", async (key) => {
    const world = await freshWorld();
    const { code, err } = await world.run(["status"], { env: { [key]: "http://intranet.example" } });
    expect(code).toBe(2);
    expect(err).toContain(`is no https URL (${key})`);
    for (const fine of ["https://intranet.example/path", "http://localhost:1", "http://[::1]:1"])
      expect(await world.run(["status"], { env: { [key]: fine } })).toMatchObject({ code: 0 });
  });

  test("is refused by the built program", async () => {
    const world = await freshWorld({ env: { JC_SMARTRECRUITERS_IDENTITY_BASE: "http://sr.example" } });
    const { code, err } = await runProgram(world, ["connect", "smartrecruiters"]);
    expect(code).toBe(2);
    expect(err).toContain("smartrecruiters.identity_base");
  });
});

test.each(["http://127.0.0.1:8470", "http://[::1]:8470"])(
  "a link that leads back to %s comes with the word that HubSpot refuses IP addresses",
  async (url) => {
    const world = await publicWorld({ env: { JC_SERVE_PUBLIC_URL: url } });
    const { code, err } = await world.run(["connect", "hubspot", "--via-service"]);
    expect(code).toBe(0);
    expect(err).toContain("HubSpot refuses redirect URLs with an IP address");
    const named = await publicWorld();
    expect(await linkFor(named)).toContain("http://localhost:");
    expect((await named.run(["connect", "hubspot", "--via-service"])).err).not.toContain("IP address");
  },
);
