/** What a claim and a settlement read of a table that grows, by the server's own count. */
import { expect, test } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { NOON } from "../core/example.ts";
import { until } from "../world.ts";
import { connect } from "./events.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";

const PUSHES = 5_000;
const BATCH = 100;

describeWithPostgres("of a backfill, which is due at one moment, PostgreSQL", () => {
  test("reads for a claim and for its settlement little more than its own pushes", async () => {
    const url = await (await postgresServer()).database();
    const claiming = await openPostgresStore({ url });
    const { id } = await connect(claiming);
    await asked(
      url,
      `INSERT INTO jc.pushes (connection_id, subject, state, version, pending_since, due_at)
        SELECT ${id}, 'p' || n, 'pending', n, ${NOON}, ${NOON} FROM generate_series(1, ${PUSHES}) AS n`,
    );
    await asked(url, "ANALYZE");
    const claim = async () =>
      (await claiming.claim({ connectionId: id, limit: BATCH, now: NOON + 1 })).claims;
    const first = await claim();
    // What a session did is counted at its end at the latest.
    await claiming.close();
    const counted = async () => {
      const rows = await asked(
        url,
        `SELECT n_tup_upd::int, seq_tup_read::int, idx_tup_fetch::int FROM pg_stat_user_tables WHERE schemaname = 'jc' AND relname = 'pushes'`,
      );
      const [updated = 0, readWhole = 0, found = 0] = Object.values(Object(rows[0])).map(Number);
      return { updated, readWhole, read: readWhole + found };
    };
    await until("the claims are counted", async () => (await counted()).updated >= BATCH);
    const before = await counted();
    expect(before.read).toBeLessThan(10 * BATCH);

    const settling = await openPostgresStore({ url });
    const answer = { httpStatus: 200, correlationId: null, durationMs: 1, reason: null };
    const attempt = { outcome: "delivered", ...answer } as const;
    const outcome = { kind: "delivered", projection: {} } as const;
    await settling.settle(first.map((each) => ({ claim: each, now: NOON + 2, outcome, attempt })));
    await settling.close();
    await until("the settlement is counted", async () => (await counted()).updated >= before.updated + BATCH);
    const after = await counted();
    expect(after.readWhole - before.readWhole).toBe(0);
  });
});
