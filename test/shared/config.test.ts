import { listKeysCommand } from "../../src/core/advice/command-lines.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Environment, loadConfig } from "../../src/shared/config.ts";
import { globalKeys, type KeyKind } from "../../src/shared/config-keys.ts";
import { VENDORS } from "../../src/vendors/index.ts";

function load(toml: string | null, env: Environment = {}) {
  const dir = mkdtempSync(join(tmpdir(), "jc-config-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "config.toml");
  if (toml !== null) writeFileSync(file, toml);
  return loadConfig({ file, isRequired: false, env, flags: {}, listKeys: listKeysCommand, vendors: VENDORS });
}

/** Some value that is not the default: as it is written, and as the program sees it. */
function another(key: KeyKind & { default: string | number | boolean }): [string, string | number | boolean] {
  switch (key.kind) {
    case "text":
    case "url":
      return ["https://example.org/one", "https://example.org/one"];
    case "choice": {
      const other = key.of.find((choice) => choice !== key.default) ?? "";
      return [other, other];
    }
    case "choices":
      return [key.of[0] ?? "", key.of[0] ?? ""];
    case "yes-no":
      return [String(!key.default), !key.default];
    case "number":
      return [String(key.min), key.min];
    case "networks":
      return ["10.0.0.0/8,::1", "10.0.0.0/8, ::1"];
    case "duration":
      return ["2h", 7_200_000];
    case "time-of-day":
      return ["23:59", 23 * 60 + 59];
    case "address":
      return ["[::1]:9000", "[::1]:9000"];
  }
}

describe("every key", () => {
  const keys = Object.entries(globalKeys(VENDORS)).filter(
    ([name]) => !["store.url", "store.direct_url"].includes(name),
  );

  test.each(keys)("%s can be given in the environment, over the file", (name, key) => {
    const variable = `JC_${name.toUpperCase().replaceAll(".", "_")}`;
    const [written, meant] = another(key);
    const config = load(null, { [variable]: written });
    expect(config).toMatchObject({ [name]: meant, origins: { [name]: variable } });
    expect(load(null, { [variable]: "" })).toMatchObject({
      [name]: key.default,
      origins: { [name]: "default" },
    });
  });

  test.each(keys)("%s can be given in the file", (name, key) => {
    const [written, meant] = another(key);
    const isBare = key.kind === "number" || key.kind === "yes-no";
    expect(load(`${name} = ${isBare ? written : JSON.stringify(written)}`)).toMatchObject({ [name]: meant });
  });
});

test("without a file the defaults hold", () => {
  expect(load(null)).toMatchObject({
    org: "default",
    "hubspot.tier": "free",
    file: null,
    orgs: {},
    sandbox: {},
  });
});

test("an id written as a number is the text of its digits", () => {
  expect(load("[alerts.telegram]\nchat_id = -1001234567890")).toMatchObject({
    "alerts.telegram.chat_id": "-1001234567890",
  });
});

test("the file that the documents show is understood", () => {
  const config = load(`
    org = "acme"
    [hubspot]
    client_id = "app"
    api_version = "2026-03"
    tier = "paid"
    pkce = false
    redirect_port = 9000
    [serve]
    listen = "0.0.0.0:443"
    [schedule]
    retry_every = "90s"
    sweep_at = "00:30"
    [orgs.big-enterprise]
    retention_days = 365
    hubspot_tier = "marketplace"
    [orgs.globex]
    residency = "us"
    [sandbox.hubspot]
    client_id = "sandbox-app"
    redirect_port = 9001
  `);
  expect(config).toMatchObject({
    org: "acme",
    "hubspot.api_version": "2026-03",
    "hubspot.pkce": false,
    "serve.listen": "0.0.0.0:443",
    "schedule.retry_every": 90_000,
    "schedule.sweep_at": 30,
    orgs: {
      "big-enterprise": { retention_days: 365, hubspot_tier: "marketplace" },
      globex: { residency: "us" },
    },
    sandbox: { hubspot: { client_id: "sandbox-app", redirect_port: 9001 } },
  });
});
