/** `/readyz` is the truth, and whoever is to be told hears of it, whatever became of the store. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { reasonsFor } from "../../src/daemon/readiness.ts";
import type { ServeFault } from "../../src/flows/watch/serve-faults.ts";
import { AppError } from "../../src/shared/errors.ts";
import { launchService, send, type Service } from "../end-to-end/program.ts";
import { leastOf, msOf } from "../least.ts";
import { connected, invite, succeed, until, WEBHOOK_SECRET, type World } from "../world.ts";

/** A connected org whose owner has a chat. */
async function withChat(): Promise<World> {
  const world = await connected({ env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
  Object.assign(world.env, { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram });
  await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
  return world;
}

async function readiness({ url }: Service): Promise<[number, string]> {
  const answer = await fetch(`${url}/readyz`);
  return [answer.status, Object(await answer.json()).status];
}

const isReady = async (service: Service) => (await readiness(service))[0] === 200;

async function messages(world: World): Promise<string[]> {
  return (await world.telegram.messages()).map(({ text }) => text);
}

async function stop(service: Service): Promise<void> {
  service.child.kill("SIGTERM");
  await service.ended;
}

/** Another process that writes and does not end; returns how it ends. */
function locked({ stateDir }: World): () => void {
  const holder = new Database(join(stateDir, "log.db"));
  onTestFinished(() => void holder.close());
  holder.exec("BEGIN IMMEDIATE");
  return () => void holder.exec("ROLLBACK");
}

describe("a log that cannot be written", () => {
  test("is told by /readyz, status and one message, and all is over when it can be, without a webhook", async () => {
    const world = await withChat();
    const service = await launchService(world);
    expect((await send(service.url, invite()))?.status).toBe(202);
    expect(await readiness(service)).toEqual([200, "ready"]);

    const unlock = locked(world);
    const refused = await send(service.url, invite());
    expect([refused?.status, refused?.headers["retry-after"]]).toEqual([503, "5"]);
    expect(await readiness(service)).toEqual([503, "storage"]);
    await until("its owner is told", async () => (await messages(world)).length === 1);
    expect((await messages(world))[0]).toMatch(/refuses webhooks with 503: .*log\.db.* is locked/);
    const status = await world.run(["status"]);
    expect(status.code).toBe(2);
    expect(status.out).toMatch(/! .*log\.db.* is locked/);

    unlock();
    await until("it is ready again", () => isReady(service));
    await until("its owner is told that it is over", async () => (await messages(world)).length === 2);
    expect((await messages(world))[1]).toContain("takes webhooks again");
    expect((await world.run(["status"])).code).toBe(0);
    expect((await send(service.url, invite()))?.status).toBe(202);
    await stop(service);
    expect(await messages(world)).toHaveLength(2);
  });

  test("is ready at once where the next event is stored", async () => {
    const world = await withChat();
    const service = await launchService(world);
    const unlock = locked(world);
    expect((await send(service.url, invite()))?.status).toBe(503);
    expect(await readiness(service)).toEqual([503, "storage"]);
    unlock();
    expect((await send(service.url, invite()))?.status).toBe(202);
    expect(await readiness(service)).toEqual([200, "ready"]);
  });

  test("since the disk is full is told all the same, and mended by room alone", async () => {
    const world = await withChat();
    // As large as the log may grow: a limit of the process stands for a disk, and prlimit makes room.
    const service = await launchService(world, { shell: "ulimit -S -f 2000" });
    const fill = async () => {
      const long = { ...invite(), note: "x".repeat(200_000) };
      return (await send(service.url, long))?.status === 503;
    };
    await until("the disk is full", fill);
    expect(await readiness(service)).toEqual([503, "storage"]);
    await until("its owner is told", async () => (await messages(world)).length === 1);
    expect((await world.run(["status"])).code).toBe(2);
    execFileSync("prlimit", ["--pid", String(service.child.pid), "--fsize=unlimited"]);
    await until("it is ready again", () => isReady(service));
    expect((await send(service.url, invite()))?.status).toBe(202);
    expect((await world.run(["status"])).code).toBe(0);
  });
});

describe("an incident", () => {
  test("is told once, also by a service that is started again, and anew when it comes back", async () => {
    const world = await withChat();
    await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    const first = await launchService(world);
    expect(await readiness(first)).toEqual([503, "secrets"]);
    await until("its owner is told", async () => (await messages(world)).length === 1);
    expect((await messages(world))[0]).toContain("jc-integrations secrets set jobcannon.webhook-secret");
    await stop(first);

    const second = await launchService(world);
    expect(await readiness(second)).toEqual([503, "secrets"]);
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect(await messages(world)).toHaveLength(1);

    await succeed(world, ["secrets", "set", "jobcannon.webhook-secret"], WEBHOOK_SECRET);
    await until("its owner is told that it is over", async () => (await messages(world)).length === 2);
    await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    await until("the next one is told", async () => (await messages(world)).length === 3);
    const kept = () => readFileSync(join(world.stateDir, "serve-told.json"), "utf8");
    await until("it is kept", () => kept().includes("secrets/4711"));
  });

  test("waits for Telegram, and goes out when it is back", async () => {
    const world = await withChat();
    await world.telegram.fault({ status: 500, times: 1 });
    await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    const service = await launchService(world);
    await until("it was tried", () => service.err().includes("alert not sent yet"));
    await until("its owner is told", async () => (await messages(world)).length === 1);
  });
});

describe("an alert", () => {
  test("goes out within 5 s of its incident", async () => {
    const toldAfterMs = async () => {
      const world = await withChat();
      const service = await launchService(world);
      await world.portal.fault({ revoked: true });
      expect((await send(service.url, invite()))?.status).toBe(202);
      const isLost = async () => (await world.run(["status"])).code === 4;
      await until("the login is lost", isLost);
      const tookMs = await msOf(() =>
        until("its owner is told", async () => (await messages(world)).length === 1),
      );
      expect((await messages(world))[0]).toContain("jc-integrations connect hubspot");
      return tookMs;
    };
    expect(await leastOf(5_000, toldAfterMs)).toBeLessThan(5_000);
  });
});

describe("the reasons that /readyz gives", () => {
  const since = 0;
  const refuses = true;
  const fault = (kind: ServeFault["kind"], message: string): ServeFault => ({
    kind,
    refuses,
    since,
    message,
    hint: `Mend it: ${message}`,
  });
  const reasons = (faults: readonly ServeFault[], problem: AppError | null) =>
    reasonsFor(
      { faults: { all: () => faults }, vaultWatch: { problem: () => problem } },
      { stop: new AbortController().signal },
    );

  test("are told once each, in their order, however many are kept by one cause", () => {
    const [locked, full, lost] = ["the keychain is locked", "the disk is full", "the key is missing"];
    const all = [
      fault("secrets", locked),
      fault("unwritable", full),
      fault("secrets", locked),
      fault("secrets", lost),
    ];
    const isLocked = new AppError("VAULT_UNAVAILABLE", locked, { hint: "Unlock it." });
    expect(reasons(all, isLocked).map(({ message }) => message)).toEqual([locked, full, lost]);
    const isLost = new AppError("VAULT_UNAVAILABLE", "the vault is gone", { hint: "Bring it back." });
    expect(reasons(all, isLost).map(({ message }) => message)).toEqual([locked, full, lost, isLost.message]);
    expect(reasons([], isLost)).toEqual([{ message: isLost.message, hint: "Bring it back." }]);
    expect(reasons([], null)).toEqual([]);
  });
});

test("a source that nobody relies on needs no secret", async () => {
  const world = await connected();
  await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
  await succeed(world, ["disconnect", "hubspot", "--yes"]);
  const service = await launchService(world);
  expect(await readiness(service)).toEqual([200, "ready"]);
  expect((await send(service.url, invite()))?.status).toBe(503);
});
