import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { expect, onTestFinished, test } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { NOON } from "../core/example.ts";
import { describeStore } from "./contract.ts";
import { anUnknownEvent } from "./events.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";
import type { OpenStore } from "./world.ts";

/** What stands for a state directory is a database of its own. */
const databases = new Map<string, Promise<string>>();
const open: OpenStore = async (stateDir) => {
  const server = await postgresServer();
  const url = databases.get(stateDir) ?? server.database();
  databases.set(stateDir, url);
  return openPostgresStore({ url: await url });
};

describeWithPostgres("PostgreSQL", () => {
  describeStore("the store", open);

  test("erasing finds what another process commits late, under a lower number than what was seen", async () => {
    const url = await (await postgresServer()).database();
    const store = await openPostgresStore({ url });
    onTestFinished(() => store.close());
    const other = new Client({ connectionString: url });
    await other.connect();
    onTestFinished(() => other.end());
    // As another replica's intake does it, which is not through yet.
    await other.query("BEGIN; SELECT pg_advisory_xact_lock_shared(27230, 0)");
    await other.query(`INSERT INTO jc.events (source, event_id, body_hash, type, at, received_at, conflict, payload)
      VALUES ('jobcannon', 'late', '\\x00', 'invite.renamed', ${NOON}, ${NOON}, 0, 'it is ann@example.com')`);
    await store.append([{ ...anUnknownEvent("early"), payload: "{}" }]);
    const known = { addresses: ["ann@example.com"], invitationIds: [], candidates: [] };
    const of = { org: "acme", address: "ann@example.com", person: "00", marks: ["00"], who: "carol" };
    const erasing = store.erase({ ...of, at: NOON, now: NOON, known });
    const waiting =
      "SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND classid = 27230 AND NOT granted";
    while ((await asked(url, waiting)).length === 0) await sleep(5);
    await other.query("COMMIT");
    expect(await erasing).toMatchObject({ kind: "erased", rows: { events: 1 } });
    expect(await asked(url, "SELECT event_id FROM jc.events")).toEqual([{ event_id: "early" }]);
  });
});
