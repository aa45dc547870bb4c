import { describe, expect, test } from "vitest";
import { API_VERSIONS, VERSIONS } from "../../src/vendors/hubspot/versions.ts";
import { fakeClock } from "../fake-clock.ts";
import { connected, prepared } from "../world.ts";

const DAY_MS = 24 * 3_600_000;

describe.each(API_VERSIONS)("HubSpot's API %s", (version) => {
  const { supportedUntil } = VERSIONS[version];
  const env = { JC_HUBSPOT_API_VERSION: version };
  const daysBefore = (days: number) => fakeClock(Date.parse(supportedUntil) - days * DAY_MS);

  test("is named by connect, with its end", async () => {
    const world = await prepared({ env });
    const { out } = await world.run(["connect", "hubspot"]);
    expect(out).toMatch(new RegExp(`API version +${version}, supported until ${supportedUntil}`));
  });

  test("is warned of by status from 90 days before its end on, with what to set", async () => {
    const early = await connected({ env, clock: daysBefore(91) });
    expect((await early.run(["status"])).out).not.toContain("supported");
    const late = await connected({ env, clock: daysBefore(90) });
    const { code, out } = await late.run(["status"]);
    expect(code).toBe(0);
    expect(out).toContain(
      `! HubSpot's API ${version} is supported until ${supportedUntil}, for 90 more days.`,
    );
    expect(out).toContain(
      version === "2026-09"
        ? "A newer version of jc-integrations speaks a newer one"
        : 'Set hubspot.api_version = "2026-09" (until 2028-03-08) in the configuration, then restart serve',
    );
  });

  test("is told to be over after its end", async () => {
    const world = await connected({ env, clock: daysBefore(-1) });
    const { json } = await world.run(["status", "--json"]);
    expect(json).toMatchObject({
      connections: [
        {
          apiVersion: { name: version, supportedUntil },
          versionWarning: expect.stringContaining(`has not been supported since ${supportedUntil}`),
        },
      ],
    });
  });
});
