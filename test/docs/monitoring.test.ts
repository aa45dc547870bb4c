/** docs/monitoring.md and its alert rules speak of what a real scrape has, and of nothing else. */
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { launchService } from "../end-to-end/program.ts";
import { scrape } from "../daemon/scrape.ts";
import { freshWorld, prepared, until } from "../world.ts";

const RULES = fileURLToPath(new URL("../../docs/alerts.rules.yml", import.meta.url));
const rules = readFileSync(RULES, "utf8");
const text = readFileSync(new URL("../../docs/monitoring.md", import.meta.url), "utf8");
const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;
const isMissing = !hasPromtool && process.env.JC_TEST_ALL_PARTS !== "1";

const documented = text
  .split("\n")
  .filter((line) => line.startsWith("| `jc_"))
  .flatMap((line) => [...(line.split(" | ")[0] ?? "").matchAll(/`(jc_\w+)`/g)].map(([, name = ""]) => name));
/** Without what Prometheus makes of a histogram. */
const alerted = [...rules.matchAll(/\bjc_\w+/g)].map(([name]) => name.replace(/_bucket$/, ""));

test("the table lists every metric of a scrape, and no other", async () => {
  const { adminUrl } = await launchService(await prepared());
  const { names } = await scrape(adminUrl);
  expect(names.length).toBeGreaterThan(20);
  expect(documented.toSorted()).toEqual(names.toSorted());
});

describe("the alert rules", () => {
  test("ask for metrics that exist", () => {
    expect(alerted.length).toBeGreaterThan(10);
    expect(alerted.filter((name) => !documented.includes(name))).toEqual([]);
  });

  test.skipIf(isMissing)("are accepted by promtool", () => {
    const said = execFileSync("promtool", ["check", "rules", RULES], { encoding: "utf8" });
    expect(said).toContain("SUCCESS");
    expect(() =>
      execFileSync("promtool", ["check", "rules", fileURLToPath(import.meta.url)], { stdio: "pipe" }),
    ).toThrow();
  });

  test("tell commands that there are", async () => {
    const told = [...rules.matchAll(/do: "?(jc-integrations [^"\n]*)/g)].map(([, command = ""]) =>
      command
        .replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label) => EXAMPLES[label] ?? "")
        .split(" ")
        .slice(1),
    );
    expect(told.length).toBeGreaterThan(5);
    const world = await freshWorld();
    for (const argv of told.filter(([name]) => name !== "connect" && name !== "run")) {
      const { err } = await world.run(argv);
      expect(err, argv.join(" ")).not.toMatch(/unknown (option|command)|too many arguments/);
    }
  });
});

const EXAMPLES: Readonly<Record<string, string>> = {
  org: "acme",
  vendor: "hubspot",
  source: "jobcannon",
  job: "refresh",
};

test("the token that the document has set is taken", async () => {
  const [, command = ""] = /^(openssl rand .*)$/m.exec(text) ?? [];
  const [make = "", ...set] = command.split(" | ");
  const world = await prepared();
  const token = execFileSync("sh", ["-c", make], { encoding: "utf8" });
  const argv = set.join(" | ").split(" ").slice(1);
  expect(await world.run(argv, { stdin: token })).toMatchObject({ code: 0 });
  const { adminUrl } = await launchService(world);
  const headers = { "x-forwarded-for": "192.0.2.1", authorization: `Bearer ${token.trim()}` };
  await until("it is taken", async () => (await fetch(`${adminUrl}/metrics`, { headers })).status === 200);
});
