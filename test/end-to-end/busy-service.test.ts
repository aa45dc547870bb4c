import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { ageDelivered } from "../aged.ts";
import { connected, importResults, invite, succeed } from "../world.ts";
import { allDelivered, launch, launchService, send } from "./program.ts";

const OLD = 1_000;
/** All of one org: what one removal costs must not grow with them. */
const INVITES = 4_000;
const SENDERS = 32;

/** Webhooks without a pause, each sender's next one after the answer. */
function flood(url: string) {
  const statuses = new Map<number, number>();
  let isOver = false;
  const sendOn = async () => {
    while (!isOver) {
      const answer = await send(url, invite({ timestamp: new Date().toISOString() }));
      const status = answer?.status ?? 0;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const sending = Promise.all(Array.from({ length: SENDERS }, sendOn));
  return {
    stop: async () => {
      isOver = true;
      await sending;
      return Object.fromEntries(statuses);
    },
  };
}

describe("beside a busy service", () => {
  test("retention of delivered results and an import come to their end, and every webhook is acknowledged", async () => {
    const world = await connected({ env: { JC_SCHEDULE_SWEEP_AT: "23:59" } });
    const now = new Date().toISOString();
    await importResults(
      world,
      Array.from({ length: INVITES }, () => invite({ timestamp: now })),
    );
    await succeed(world, ["run", "retry"]);
    await allDelivered(world);
    // Missed jobs are made up for as it starts: what is old is left to the command.
    const keepsAll = { ...world, env: { ...world.env, JC_RETENTION_DAYS: "36500" } };
    const service = await launchService(keepsAll);
    expect(ageDelivered(world.stateDir, OLD)).toBe(OLD);
    const load = flood(service.url);
    const file = world.file(
      "more.ndjson",
      Array.from({ length: 500 }, () => invite({ timestamp: now })),
    );
    const [retention, imported] = await Promise.all([
      launch(world, ["run", "retention", "--json"]).ended,
      launch(world, ["invites", "import", file, "--json"]).ended,
    ]);
    const statuses = await load.stop();
    expect(retention, retention.err).toMatchObject({ code: 0 });
    expect(JSON.parse(retention.out)).toMatchObject({ invites: OLD });
    expect(imported, imported.err).toMatchObject({ code: 0 });
    expect(statuses).toEqual({ 202: expect.any(Number) });
    const db = new Database(join(world.stateDir, "log.db"), { readonly: true });
    const kept = db.prepare("SELECT count(*) FROM invites").pluck().get();
    db.close();
    expect(kept).toBe(INVITES - OLD + 500 + (statuses[202] ?? 0));
  });
});
