/** Every block of docs/operations.md does what the page says, in a shell, on the state that its section is about. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { ageDelivered } from "../aged.ts";
import { issued, missingForCertificates, tlsSettings } from "../certificates.ts";
import { removeTree } from "../directory.ts";
import { BIN, launchService } from "../end-to-end/program.ts";
import { MIGRATIONS } from "../../src/store/sqlite/file/migrations.ts";
import {
  CLIENT_SECRET,
  connected,
  importResults,
  invite,
  succeed,
  WEBHOOK_SECRET,
  type World,
} from "../world.ts";

const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

/** The shell blocks of each section. */
const sections = new Map(
  page.split(/^## /m).map((text) => {
    const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block = ""]) => block);
    return [text.slice(0, text.indexOf("\n")), blocks] as const;
  }),
);
const run = new Set<string>();

/** Runs a block as it stands, but for a consent: the browser is the test's own. */
async function runBlock(world: World, section: string, n: number, env = {}): Promise<string> {
  const block = sections.get(section)?.[n];
  if (block === undefined) throw new Error(`${section} has no block ${n}`);
  run.add(`${section} ${n}`);
  const [before = "", consent, after = ""] = block.split(/^jc-integrations (connect .*)\n/m);
  let out = shell(world, before, env);
  if (consent !== undefined) out += (await succeed(world, consent.split(" "))).out;
  return out + shell(world, after, env);
}

function shell(world: World, script: string, env: object): string {
  const bin = join(world.dir, "bin");
  mkdirSync(bin, { recursive: true });
  const shim = `#!/bin/sh\nexec "${process.execPath}" "${BIN}" "$@"\n`;
  writeFileSync(join(bin, "jc-integrations"), shim, { mode: 0o755 });
  return execFileSync("sh", ["-ec", script], {
    cwd: world.dir,
    encoding: "utf8",
    env: {
      ...world.env,
      PATH: `${bin}:${process.env.PATH}`,
      HOME: world.dir,
      STATE: world.stateDir,
      KEY: join(world.dir, "vault.key"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function withResults(): Promise<World> {
  const world = await connected();
  await importResults(world, [invite(), invite()]);
  return world;
}

const eventsIn = (log: string) => {
  const db = new Database(log, { readonly: true });
  const n = db.prepare("SELECT count(*) FROM events").pluck().get();
  db.close();
  return n;
};

test("Find what is wrong: nothing but warnings", async () => {
  const world = await connected();
  run.add("Find what is wrong 0");
  // The vendor, in this process, has to answer meanwhile.
  for (const line of (sections.get("Find what is wrong")?.[0] ?? "").trim().split("\n")) {
    const { out } = await succeed(world, line.split(" ").slice(1));
    expect(out).toMatch(/^acme {2}2 warnings$/m);
    expect(out).toContain("! No service runs");
  }
});

describe("docs/operations.md", () => {
  test("The admin page", async () => {
    const world = await withResults();
    const links = (await runBlock(world, "The admin page", 0)).trim().split("\n");
    expect(links).toHaveLength(2);
    for (const link of links) expect(link).toMatch(/\/admin\/sign-in\?link=[\w-]{43}$/);
  });

  test("Backup", async () => {
    const world = await withResults();
    const out = await runBlock(world, "Backup", 0);
    expect(out).toContain("is whole");
    expect(out).toContain(".backup: OK");
    expect(await runBlock(world, "Backup", 1)).toContain("before-the-upgrade.backup is whole");
  });

  test("Restore", async () => {
    const world = await withResults();
    await succeed(world, ["backup"]);
    await importResults(world, [invite()]);
    const out = await runBlock(world, "Restore", 0);
    expect(out).toContain("1 event of the old log came after it");
    expect(eventsIn(join(world.stateDir, "log.db"))).toBe(3);
    const [aside = ""] = readdirSync(world.stateDir).filter((name) => name.includes("before-restore"));
    expect(eventsIn(join(world.stateDir, aside, "log.db"))).toBe(3);
  });

  test("Retention", async () => {
    const world = await withResults();
    await succeed(world, ["run", "retry"]);
    ageDelivered(world.stateDir, 2);
    const out = await runBlock(world, "Retention", 0);
    expect(out).toContain("2 invites would be removed");
    expect(out).toContain("2 invites removed");
    expect(await runBlock(world, "Retention", 1)).toContain("The log was written anew");
  });

  test("A person's data", async () => {
    const world = await connected();
    await importResults(world, [invite({ email: "ann@example.com" }), invite()]);
    await succeed(world, ["run", "retry"]);
    const env = { ADDRESS: "ann@example.com" };
    expect(await runBlock(world, "A person's data", 0, env)).toContain("acme holds of this person: 1 invite");
    const out = await runBlock(world, "A person's data", 1, env);
    expect(out).toContain("Would go of acme:\n1 invite");
    expect(out).toContain("No byte of them is left in the log's files.");
  });

  test("Upgrade, and back", async () => {
    const world = await withResults();
    const log = join(world.stateDir, "log.db");
    await succeed(world, ["backup", `${log}.v${MIGRATIONS.length}-2026-11-28T00-00-00-000Z-1.backup`]);
    await importResults(world, [invite()]);
    const newer = new Database(log);
    newer.pragma(`user_version = ${MIGRATIONS.length + 1}`);
    newer.close();
    const refused = await world.run(["status"]);
    expect(refused).toMatchObject({
      code: 2,
      err: expect.stringContaining("was written by a newer jc-integrations"),
    });
    expect(refused.err).toContain(`restore ${log}.v`);
    await runBlock(world, "Upgrade, and back", 0);
    expect(eventsIn(log)).toBe(3);
  });

  test("Another machine", async () => {
    const world = await withResults();
    await runBlock(world, "Another machine", 0);
    const moved = { JC_STATE_DIR: join(world.dir, "new"), STATE: join(world.dir, "new") };
    removeTree(world.stateDir);
    rmSync(join(world.dir, "vault.key"));
    expect(await runBlock(world, "Another machine", 1, moved)).toContain("readable");
    const argv = ["--state-dir", moved.STATE];
    await succeed(world, [...argv, "run", "retry"]);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(2);
  });

  test("Rotating the vault's key", async () => {
    const world = await withResults();
    const before = readFileSync(join(world.dir, "vault.key"));
    expect(await runBlock(world, "Rotating the vault's key", 0)).toContain("readable");
    expect(readFileSync(join(world.dir, "vault.key")).equals(before)).toBe(false);
    await succeed(world, ["run", "retry"]);
  });

  test("Losing the vault's key", async () => {
    const world = await withResults();
    writeFileSync(join(world.dir, "vault.key"), "another key, and long enough to be one: 32 bytes");
    expect(await world.run(["vault", "status"])).toMatchObject({ code: 5 });
    writeFileSync(join(world.dir, "hubspot.secret"), CLIENT_SECRET);
    writeFileSync(join(world.dir, "jobcannon.secret"), WEBHOOK_SECRET);
    await runBlock(world, "Losing the vault's key", 0);
    await succeed(world, ["run", "retry"]);
    expect(Object.keys(await world.portal.contacts())).toHaveLength(2);
  });

  test("A full disk", async () => {
    expect(await runBlock(await withResults(), "A full disk", 0)).toContain("service not running");
  });

  test("A damaged log", async () => {
    const world = await withResults();
    await succeed(world, ["backup"]);
    writeFileSync(join(world.stateDir, "log.db"), "no log any more, and long enough to look like one");
    expect(await world.run(["status"])).toMatchObject({ code: 2 });
    expect(await runBlock(world, "A damaged log", 0)).toContain("The log is the backup's: it held 2 events");
  });

  test.skipIf(missingForCertificates !== null)("TLS", async () => {
    const world = await connected();
    const pair = issued();
    world.env = { ...world.env, ...tlsSettings(pair) };
    const { url } = await launchService(world);
    const out = await runBlock(world, "TLS", 0, { CERT: pair.certFile });
    expect(out).toContain("notAfter=");
    expect(out).toContain("certificate until");
    expect(await runBlock(world, "TLS", 1, { LISTEN: new URL(url).host })).toContain("New, TLSv1.2");
  });

  test("Monitoring", async () => {
    const world = await connected();
    const { adminUrl } = await launchService(world);
    const out = await runBlock(world, "Monitoring", 0, { ADMIN: adminUrl });
    expect(out).toContain('{"status":"ready","reasons":[]}');
    expect(out).toContain("jc_ready 1");
    expect(await runBlock(world, "Monitoring", 1)).toContain("serve.metrics-token is set");
  });

  test("has no block that was not run", () => {
    const all = [...sections].flatMap(([name, blocks]) => blocks.map((_, n) => `${name} ${n}`));
    expect(all.filter((each) => !run.has(each))).toEqual([]);
  });
});
