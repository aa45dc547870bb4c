/** The daily job that takes the last bytes of erased people out, within a `serve` that runs. */
import { expect, test } from "vitest";
import { launchService, send } from "../end-to-end/program.ts";
import { connected, importResults, invite, succeed, until } from "../world.ts";
import { placesOf } from "./places.ts";

const ANN = "ann.erased@example.com";
const MINUTE_MS = 60_000;
/** The job is due so long after the sweep. */
const AFTER_SWEEP_MS = 180 * MINUTE_MS;

test("serve writes the log anew at its hour after an erasure that left it, and takes webhooks before, meanwhile and after", async () => {
  const dueAt = Math.ceil(Date.now() / MINUTE_MS + 0.25) * MINUTE_MS;
  const sweepAt = new Date(dueAt - AFTER_SWEEP_MS).toISOString().slice(11, 16);
  const world = await connected({ env: { JC_SCHEDULE_SWEEP_AT: sweepAt } });
  const service = await launchService(world);
  const post = async (email: string, id: string) =>
    (await send(service.url, invite({ email }), { id }))?.status ?? null;
  expect(await post(ANN, "ann")).toBe(202);
  await importResults(
    world,
    Array.from({ length: 50 }, () => invite()),
  );
  const erased = await succeed(world, ["erase", "-", "--yes", "--later", "--json"], ANN);
  expect(erased.json).toMatchObject({ bytes: "due" });
  expect(placesOf(world, ANN)).not.toEqual([]);
  expect(service.err()).not.toContain("wrote the log anew");

  let sent = 0;
  const toldOf = () => service.err().includes("wrote the log anew after an erasure");
  await until("it is written anew", async () => {
    sent += 1;
    // Whoever hears 503 meanwhile sends again.
    await until("it is taken", async () => (await post(`sender${sent}@example.com`, `s${sent}`)) === 202);
    return toldOf();
  });
  expect(Date.now()).toBeGreaterThanOrEqual(dueAt);
  expect(placesOf(world, ANN)).toEqual([]);
  expect((await succeed(world, ["run", "vacuum", "--json"])).json).toMatchObject({ vacuumed: 0 });
  expect(await post(ANN, "ann again")).toBe(202);
  expect(placesOf(world, ANN)).toEqual([]);
  const { invites } = Object((await succeed(world, ["invites", "list", "--all", "--json"])).json);
  expect(invites).toHaveLength(50 + sent);
  expect(service.err().match(/wrote the log anew/g)).toHaveLength(1);
});
