/** What the vendors declare, held to what they do, to the emulator and to the documents. */
import { listKeysCommand } from "../../src/core/advice/command-lines.ts";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { BOT_TOKEN } from "../../src/alerts/bot-token.ts";
import { DEFAULT_ATS, DEFAULT_VENDOR } from "../../src/core/default-vendor.ts";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { SERVED_VERSIONS } from "../../src/emulator/hubspot/path.ts";
import { VENDORS as EMULATED } from "../../src/emulator/vendors.ts";
import { KEYS, ORG_KEYS } from "../../src/shared/config-keys.ts";
import { loadConfig } from "../../src/shared/config.ts";
import { createHttp } from "../../src/shared/http.ts";
import { VERSIONS } from "../../src/vendors/hubspot/versions.ts";
import { openDestination, openSources, VENDORS } from "../../src/vendors/index.ts";
import { fakeClock } from "../fake-clock.ts";

const DESTINATIONS = VENDORS.filter(({ destination }) => destination);

async function opened(vendor: string) {
  const http = createHttp({ caFile: null, proxy: null });
  onTestFinished(() => http.close());
  const config = loadConfig({
    file: "/nowhere",
    isRequired: false,
    env: {},
    flags: {},
    listKeys: listKeysCommand,
    vendors: VENDORS,
  });
  const options = { config, org: "acme", environment: "production", http, clock: fakeClock() } as const;
  return await openDestination(vendor, options);
}

describe.each(VENDORS.map((each) => [each.vendor, each] as const))("%s declares", (vendor, declared) => {
  test("a name, sections and secrets that nobody else has", () => {
    expect(VENDORS.filter((each) => each.vendor === vendor)).toHaveLength(1);
    const names = [...Object.keys(KEYS), ...Object.keys(ORG_KEYS)];
    expect(names.filter((name) => new RegExp(`^${vendor}[._]`).test(name))).toEqual(
      vendor === "jobcannon" ? ["jobcannon.result_base", "jobcannon.invites_url"] : [],
    );
    for (const { name } of declared.secrets) expect(name.startsWith(`${vendor}.`)).toBe(true);
  });

  test("for the sandbox, an org and the emulator only keys that it has", () => {
    const { global, org, sandbox } = declared.keys;
    const known = [...Object.keys(global), ...Object.keys(org)];
    expect(known).toEqual(expect.arrayContaining(Object.keys(sandbox)));
    expect(Object.keys(global)).toEqual(expect.arrayContaining(Object.keys(declared.emulated)));
  });

  test("an emulator to lead to, where it has hosts", () => {
    const hosts = Object.values(declared.keys.global).filter(({ default: value }) =>
      /^https:/.test(`${value}`),
    );
    expect(Object.keys(declared.emulated)).toHaveLength(hosts.length);
    if (hosts.length > 0) expect(Object.keys(EMULATED)).toContain(vendor);
  });

  test("the webhook secret of its source", async () => {
    const source = await declared.source?.();
    const rotating = declared.secrets.filter(({ rotates }) => rotates).map(({ name }) => name);
    expect(rotating).toEqual(source ? [source.secretName] : []);
    expect(source?.id ?? vendor).toBe(vendor);
  });
});

describe.each(DESTINATIONS.map((each) => [each.vendor, each] as const))(
  "as declared, %s",
  (vendor, declared) => {
    test("is called what it is called, and offers what it is said to", async () => {
      const destination = await opened(vendor);
      const { vendor: name, label, fieldWords, commonErrors } = destination;
      expect({ name, label, fieldWords, commonErrors }).toEqual({
        name: declared.vendor,
        label: declared.label,
        fieldWords: declared.destination?.fieldWords,
        commonErrors: declared.destination?.commonErrors,
      });
      expect(destination.ats !== undefined).toBe(declared.destination?.isAts);
    });

    test("takes its client id and secret from where they are declared", async () => {
      const { authorization } = await opened(vendor);
      expect(declared.secrets.map(({ name }) => name)).toContain(authorization.clientSecretName);
      expect(declared.keys.global).toHaveProperty("client_id");
      const ofOrg = authorization.orgClientIdKey;
      expect(ofOrg).toBe("client_id" in declared.keys.org ? `${vendor}_client_id` : undefined);
    });
  },
);

test("every source is on the list, each with a path of its own", async () => {
  const sources = await openSources();
  expect(sources.map(({ id }) => id)).toEqual(
    VENDORS.filter(({ source }) => source).map(({ vendor }) => vendor),
  );
  expect(new Set(sources.map(({ path }) => path)).size).toBe(sources.length);
});

test("whom commands mean when none is named is declared", () => {
  const named = (vendor: string) => VENDORS.find((each) => each.vendor === vendor)?.destination;
  expect(named(DEFAULT_VENDOR)).toBeDefined();
  expect(named(DEFAULT_ATS)?.isAts).toBe(true);
});

describe("HubSpot's API versions", () => {
  const hubspot = VENDORS.find(({ vendor }) => vendor === "hubspot");

  test("can all be chosen, and no others", () => {
    expect(hubspot?.versions).toBe(VERSIONS);
    expect(hubspot?.keys.global.api_version).toMatchObject({ of: Object.keys(VERSIONS) });
  });

  test("are those that the emulator serves", async () => {
    expect(Object.keys(VERSIONS)).toEqual(SERVED_VERSIONS);
    const emulator = await startEmulator({ hubspotLimit: "none" });
    onTestFinished(() => emulator.close());
    for (const { paths } of Object.values(VERSIONS))
      for (const path of [paths.properties, paths.propertyLimits, paths.accountDetails])
        expect((await fetch(emulator.hubspot + path)).status).toBe(401);
    expect((await fetch(`${emulator.hubspot}/crm/v2/properties/contacts`)).status).toBe(404);
  });
});

describe("the documents", () => {
  const ofVendors = VENDORS.map(({ vendor }) => `src/vendors/${vendor}/README.md`);
  const texts = ["README.md", ...readdirSync("docs").map((name) => `docs/${name}`), ...ofVendors]
    .filter((name) => name.endsWith(".md") && existsSync(name))
    .map((name) => readFileSync(name, "utf8"));
  /** Cells of each table row, whatever the table. */
  const rows = texts
    .flatMap((text) => text.split("\n"))
    .filter((line) => line.startsWith("| "))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const codesIn = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
  /** `hubspot.api_base`, `.pkce` are two keys of one section. */
  const keysIn = (cell = "") => {
    const [first = "", ...others] = codesIn(cell);
    const section = first.slice(0, first.lastIndexOf("."));
    return [first, ...others.map((name) => (name.startsWith(".") ? section + name : name))];
  };

  test.each(VENDORS.map((each) => [each.vendor, each] as const))(
    "list the keys of %s",
    (vendor, { keys }) => {
      const shown = rows.filter(([key]) => key?.startsWith(`\`${vendor}.`) && !/secret|key`/.test(key));
      for (const [name, key] of Object.entries(keys.global)) {
        const [row, ...more] = shown.filter(([cell]) => keysIn(cell).includes(`${vendor}.${name}`));
        expect({ name, rows: more.length + Number(row !== undefined) }).toEqual({ name, rows: 1 });
        const isAlone = keysIn(row?.[0]).length === 1;
        if (isAlone) expect(codesIn(row?.[1])).toEqual(key.default === "" ? [] : [String(key.default)]);
        if (key.kind === "choice") for (const choice of key.of) expect(codesIn(row?.[2])).toContain(choice);
      }
      const ofOrgs = rows
        .filter(([cell]) => cell === "`[orgs.<slug>]`")
        .flatMap(([, , cell]) => codesIn(cell));
      for (const name of Object.keys(keys.org)) expect(ofOrgs).toContain(`${vendor}_${name}`);
      const ofSandbox = rows
        .filter(([cell]) => cell === `\`[sandbox.${vendor}]\``)
        .flatMap(([, , cell]) => codesIn(cell));
      expect(ofSandbox.toSorted()).toEqual(Object.keys(keys.sandbox).toSorted());
    },
  );

  test.each(
    [...VENDORS.flatMap(({ secrets }) => secrets), BOT_TOKEN].map((each) => [each.name, each] as const),
  )("list the secret %s", (name, { isOrgs, rotates }) => {
    const [row] = rows.filter(([cell]) => cell === `\`${name}\``);
    expect(row?.[1]).toBe(isOrgs ? "of each org" : "of all orgs, or of one");
    expect(row?.[2]?.startsWith("several")).toBe(rotates);
  });

  test.each(DESTINATIONS.map(({ vendor }) => vendor))("list the command that connects %s", (vendor) => {
    expect(rows.some(([cell]) => cell === `\`connect ${vendor}\``)).toBe(true);
  });
});
