import * as v from "valibot";
import { expect, test } from "vitest";
import { send } from "../end-to-end/program.ts";
import { leastOf } from "../least.ts";
import { asked, describeWithPostgres } from "../store/postgres-server.ts";
import { invite, until } from "../world.ts";
import { leasesNoted } from "./noted-leases.ts";
import { replicated } from "./world.ts";

/** What a killed one held is another's after so long, by the database's own time. */
const FREE_WITHIN_MS = 2_000;

describeWithPostgres("two services on one log", () => {
  test("a killed one's claims are another's within two seconds of its session's end", async () => {
    // A holder that lives and says nothing keeps them for 90 s.
    expect(await leastOf(FREE_WITHIN_MS, takenAfterMs)).toBeLessThan(FREE_WITHIN_MS);
  });
});

async function takenAfterMs(): Promise<number> {
  const world = await replicated();
  const [first, second] = [await world.launch(), await world.launch()];
  await asked(world.url, WATCH_SESSION);
  const leases = await leasesNoted(world.url);
  await world.portal.fault({ delayMs: 20_000, times: 1 });
  expect((await send(first.url, invite()))?.status).toBe(202);
  await until("a call is under way", async () => (await world.portal.requests({ to: UPSERT })).length > 0);
  const { pid, holder } = await holderOfClaims(world);
  const ended = asked(world.url, `SELECT jc.end_of_session(${holder})::text AS at`);
  await until("its session is watched", async () => {
    const watching = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT jc.end_of_session%'";
    return (await asked(world.url, watching)).length > 0;
  });
  (pid === first.child.pid ? first : second).child.kill("SIGKILL");
  const [end] = v.parse(Times, await ended);
  const taken = await until("another takes them", async () =>
    (await leases()).find((lease) => lease.holder !== holder),
  );
  for (const service of [first, second]) service.child.kill("SIGKILL");
  return taken.at - Number(end?.at);
}

const UPSERT = "/crm/v3/objects/contacts/batch/upsert";
const Times = v.array(v.object({ at: v.string() }));

/** A session's end is seen by its lock. */
const WATCH_SESSION = `
  CREATE FUNCTION jc.end_of_session(id bigint) RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN
      WHILE EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 27235 AND objid = id::oid AND granted)
        LOOP PERFORM pg_sleep(0.002); END LOOP;
      RETURN jc.now_ms();
    END $$`;

async function holderOfClaims(world: Awaited<ReturnType<typeof replicated>>) {
  const [row] = await world.rows(
    v.object({ name: v.string(), id: v.string() }),
    "SELECT h.name, h.id::text FROM jc.leases l JOIN jc.holders h ON h.id = l.holder",
  );
  return { pid: Number(row?.name.split(" ").at(-1)), holder: Number(row?.id) };
}
