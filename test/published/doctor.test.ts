/** `doctor` in the published profile. */
import * as v from "valibot";
import { expect, test } from "vitest";
import { succeed } from "../world.ts";
import { publishedWorld, subscribedWorld, VENDOR } from "./world.ts";

const Findings = v.object({
  findings: v.array(v.object({ id: v.string(), level: v.string(), command: v.nullable(v.string()) })),
  areas: v.array(v.object({ id: v.string(), isWell: v.boolean() })),
});

test("doctor finds nothing wrong with a subscribed account, and says what one without webhooks lacks", async () => {
  const { world } = await subscribedWorld();
  const { findings, areas } = v.parse(Findings, (await world.run(["doctor", VENDOR, "--json"])).json);
  expect(findings.filter(({ level }) => level === "error" || level === "fault")).toEqual([]);
  expect(areas).toContainEqual({ id: VENDOR, isWell: true });

  const other = await publishedWorld();
  await succeed(other, ["connect", VENDOR]);
  const lacking = v.parse(Findings, (await other.run(["doctor", VENDOR, "--json"])).json);
  expect(lacking.findings.map(({ command }) => command)).toContain(
    "jc-integrations webhooks subscribe --org acme",
  );
});
