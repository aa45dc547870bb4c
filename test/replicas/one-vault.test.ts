import { copyFileSync, existsSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { faultsIn } from "../docs/schemas.ts";
import { allDelivered, launch, send } from "../end-to-end/program.ts";
import { asked, describeWithPostgres, postgresServer } from "../store/postgres-server.ts";
import {
  connected,
  freshWorld,
  importResults,
  invite,
  type InviteEvent,
  succeed,
  until,
  WEBHOOK_SECRET,
} from "../world.ts";
import { replicated } from "./world.ts";

const OTHER_SECRET = `whsec_${Buffer.from("another secret of thirty-two bytes").toString("base64")}`;

describeWithPostgres("services on machines of their own", () => {
  test("deliver with tokens and secrets that were set on another one, and hear of new ones", async () => {
    const world = await replicated();
    const [one, two] = [await world.launch(), await world.launch()];
    for (const { url } of [one, two]) expect((await send(url, invite()))?.status).toBe(202);
    await allDelivered(world);
    const status = await launch(world, ["status"]).ended;
    for (const { child } of [one, two])
      expect(status.out).toMatch(new RegExp(`on ${hostname()} +pid ${child.pid} `));
    const { json } = await world.run(["status", "--json"]);
    expect(faultsIn("status", json)).toBe(null);
    expect(json).toMatchObject({ services: [{ host: hostname() }, { host: hostname() }] });
    expect(Object.keys(await world.portal.contacts())).toHaveLength(2);

    await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    await succeed(world, ["secrets", "set", "jobcannon.webhook-secret"], OTHER_SECRET);
    for (const { url } of [one, two])
      await until("the old secret counts no more", async () => (await send(url, invite()))?.status === 401);
    expect(WEBHOOK_SECRET).not.toBe(OTHER_SECRET);
  });

  test("note nothing any more of an account that another one disconnected, whether they run or are started later", async () => {
    const world = await replicated();
    const later = { ...world, env: { ...world.env, JC_STATE_DIR: join(world.dir, "machine-later") } };
    const notesOf = (machine: string) =>
      existsSync(join(world.dir, machine, "vault-notes"))
        ? readdirSync(join(world.dir, machine, "vault-notes"))
        : [];
    await importResults(world, [invite()]);
    expect(await launch(later, ["run", "retry"]).ended).toMatchObject({ code: 0 });
    const running = await world.launch();
    expect((await send(running.url, invite()))?.status).toBe(202);
    await allDelivered(world);
    const all = () => [notesOf("machine-1").length, notesOf("machine-later").length];
    expect(all()).toEqual([1, 1]);
    await succeed(world, ["disconnect", "hubspot", "--yes"]);
    // It reads the vault to judge what it is sent.
    await until("the running one has taken it away", async () => {
      expect((await send(running.url, invite()))?.status).toBe(202);
      return notesOf("machine-1").length === 0;
    });
    expect(all()).toEqual([0, 1]);
    expect(await launch(later, ["vault", "status"]).ended).toMatchObject({ code: 0 });
    expect(all()).toEqual([0, 0]);
  });

  test("one without the key says what is missing and stores nothing it cannot judge; with it, it goes on", async () => {
    const world = await replicated();
    const key = join(world.dir, "vault.key");
    const away = join(world.dir, "vault.key.elsewhere");
    copyFileSync(key, away);
    rmSync(key);
    const service = await world.launch();
    expect((await send(service.url, invite()))?.status).toBe(503);
    await until("it says why", () => service.err().includes("The vault's key is missing"));
    await until("status says which machine", async () =>
      (await launch(world, ["status"]).ended).out
        .replaceAll(/\s+/g, " ")
        .includes(`vault.key (on ${hostname()})`),
    );
    copyFileSync(away, key);
    await until("it is taken", async () => (await send(service.url, invite()))?.status === 202);
  });

  test("one without the key holds nothing that another delivers, and says what is wrong; alone it holds, until another comes", async () => {
    const world = await replicated({ env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
    Object.assign(world.env, { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram });
    await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
    const keyless = { JC_VAULT_KEY_FILE: join(world.dir, "not-here.key") };
    const from = (env: object) => ({ ...world, env: { ...world.env, ...env } });
    const isThere = async ({ data }: InviteEvent) => data.candidate.email in (await world.portal.contacts());
    const healthy = await world.launch();
    const without = await world.launch(keyless);
    const readiness = await fetch(`${without.url}/readyz`);
    expect([readiness.status, await readiness.json()]).toEqual([503, { status: "vault" }]);
    await until("the journal tells", () =>
      without.err().includes("what is due is left to a service that can read the vault"),
    );
    for (let n = 0; n < 5; n += 1) {
      const event = invite();
      expect((await send(healthy.url, event))?.status).toBe(202);
      await until("it is delivered", () => isThere(event));
    }
    for (const { err } of [healthy, without]) expect(err()).not.toContain("results wait");
    for (const env of [{}, keyless]) {
      const { code, out } = await launch(from(env), ["status"]).ended;
      expect({ code, out: out.replaceAll(/\s+/g, " ") }).toEqual({
        code: 0,
        out: expect.stringMatching(
          /the vault cannot be read there, and other services deliver: .*not-here\.key/,
        ),
      });
    }
    await succeed(world, ["run", "alerts"]);
    const messages = (await world.telegram.messages()).map(({ text }) => text);
    expect(messages).toEqual([
      expect.stringContaining(`jc-integrations on ${hostname()}: the vault cannot be read there`),
    ]);
    const doctor = await launch(from(keyless), ["doctor"]).ended;
    expect(doctor.code).not.toBe(0);
    expect(doctor.out).toContain("not-here.key");

    healthy.child.kill("SIGTERM");
    await healthy.ended;
    const last = invite();
    await importResults(world, [last]);
    await until("it waits, and status says so", async () => (await world.run(["status"])).code === 5);
    await until("the journal tells", () => without.err().includes("results wait"));
    await world.launch();
    await until("it is delivered", () => isThere(last));
    expect((await world.run(["status"])).code).toBe(0);
  });

  test("a keychain, which is one machine's, is refused before anything begins", async () => {
    const url = await (await postgresServer()).database();
    const world = await freshWorld({ env: { JC_STORE_URL: url, JC_VAULT_BACKEND: "keychain" } });
    const { code, err } = await world.run(["status"]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('vault.backend = "sealed"') });
  });

  test("vault status and doctor name the place, vault rekey what every machine needs; the database holds no word of it", async () => {
    const url = await (await postgresServer()).database();
    const world = await connected({ env: { JC_STORE_URL: url } });
    const status = await world.run(["vault", "status"]);
    expect(status.out).toContain("the sealed vault in postgres://");
    const newKey = join(world.dir, "new.key");
    const { code, out } = await launch(world, ["vault", "rekey", "--key-file", newKey]).ended;
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining("Every machine needs that key: copy it there."),
    });
    expect((await world.run(["vault", "status"])).code).toBe(5);
    expect((await world.run(["vault", "status"], { env: { JC_VAULT_KEY_FILE: newKey } })).code).toBe(0);
    const rows = await asked(url, "SELECT name, encode(sealed, 'escape') AS sealed FROM jc_vault.items");
    expect(rows.length).toBeGreaterThan(2);
    expect(JSON.stringify(rows)).not.toContain(WEBHOOK_SECRET);
  });
});
