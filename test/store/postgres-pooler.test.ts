/** The log in PostgreSQL through a pooler in transaction mode, which keeps nothing of a session from one transaction to the next. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { allDelivered, launchService, send } from "../end-to-end/program.ts";
import { connected, invite, until } from "../world.ts";
import { describeStore } from "./contract.ts";
import { describeAppend } from "./contract/append.ts";
import { describeClaims } from "./contract/claims.ts";
import { describeErasure } from "./contract/erasure.ts";
import { describeSettle } from "./contract/settle.ts";
import { anEvent } from "./events.ts";
import { describeWithPooler, type Pooler, poolerFor } from "./pooler.ts";
import { asked, postgresServer } from "./postgres-server.ts";
import type { OpenStore } from "./world.ts";

describeWithPooler("a pooler in transaction mode", () => {
  let pooler: Pooler;
  beforeAll(async () => {
    pooler = poolerFor(await postgresServer());
    await pooler.start();
  });
  afterAll(() => pooler.remove());

  const through = async () => {
    const directUrl = await (await postgresServer()).database();
    const [, name = ""] = /\/(\w+)\?/.exec(directUrl) ?? [];
    return { url: pooler.urlOf(name), directUrl };
  };
  const databases = new Map<string, ReturnType<typeof through>>();
  const open: OpenStore = async (stateDir) => {
    const reach = databases.get(stateDir) ?? through();
    databases.set(stateDir, reach);
    return openPostgresStore(await reach);
  };

  if (process.env.JC_TEST_POOLER === "whole") describeStore("the store", open);
  else
    describe("the store", () => {
      describeAppend(open);
      describeClaims(open);
      describeSettle(open);
      describeErasure(open);
    });

  test("changes are heard of over the direct connection", async () => {
    const reach = await through();
    const stores = await Promise.all([openPostgresStore(reach), openPostgresStore(reach)]);
    for (const store of stores) onTestFinished(() => store.close());
    const [one, other] = stores;
    let heard = 0;
    other.watch(() => {
      heard += 1;
    });
    await one.append([anEvent("completed")]);
    await until("the other has heard", () => heard > 0);
    expect(other.faults()).toEqual([]);
  });

  test("two services work through it on fewer sessions than they have connections, and through its end", async () => {
    const { url, directUrl } = await through();
    const world = await connected({ env: { JC_STORE_URL: url, JC_STORE_DIRECT_URL: directUrl } });
    const services = [await launchService(world), await launchService(world)];
    const taken = async (n: number) => {
      const events = Array.from({ length: n }, () => invite());
      const sent = events.map(async (event, index) => {
        const service = services[index % services.length];
        await until("it is taken", async () => service && (await send(service.url, event))?.status === 202);
      });
      await Promise.all(sent);
      await allDelivered(world);
      const contacts = await world.portal.contacts();
      expect(events.filter(({ data }) => !(data.candidate.email in contacts))).toEqual([]);
    };
    await taken(60);
    const pooled = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database()
      AND pid <> pg_backend_pid() AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 27235)`;
    const [row] = await asked(directUrl, pooled);
    // Beside the pooler's four, each service has one of its own for the vault.
    expect(Object(row).n).toBeLessThanOrEqual(4 + services.length);

    await pooler.end();
    for (const { url } of services) expect((await send(url, invite()))?.status).toBe(503);
    await pooler.start();
    await until("nothing is complained of", async () => (await world.run(["status"])).code === 0);
    await taken(20);
  });
});
