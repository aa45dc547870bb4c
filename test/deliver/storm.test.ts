import fc from "fast-check";
import * as v from "valibot";
import { expect, test } from "vitest";
import { importResults } from "../connect/world.ts";
import { launchService, type Service } from "../end-to-end/program.ts";
import { connected, disc, type InviteEvent, invite, until, type World } from "../world.ts";

/** Everything at once: a vendor in all its moods, and a service that is killed again and again. */
const PEOPLE = 5_000;
const ROUNDS = 12;
const UPSERT = "/crm/v3/objects/contacts/batch/upsert";
const TICK_MS = 1_000;

const mood = fc.oneof(
  fc.record({ status: fc.constantFrom(500, 502, 503, 504, 423) }),
  fc.constant({ status: 429, body: { policyName: "SECONDLY" } }),
  fc.constant({ status: 200, body: { status: "COMPLETE", results: [] } }),
  fc.constant({ status: 503, body: "<html>Be right back</html>", headers: { "retry-after": "1" } }),
  fc.constant({ drop: true }),
  fc.record({ delayMs: fc.integer({ min: 50, max: 900 }) }),
);
const round = fc.record({
  faults: fc.array(fc.tuple(mood, fc.integer({ min: 1, max: 2 })), { minLength: 1, maxLength: 2 }),
  end: fc.constantFrom("nothing", "SIGKILL", "SIGKILL", "SIGTERM"),
});
const storm = fc.sample(round, { numRuns: ROUNDS, seed: 2026 });

/** What JobCannon tells of one person, and the score that the contact shall hold then. */
interface Told {
  email: string;
  score: number;
  event: InviteEvent;
}

function told(n: number, score: number, hour: number): Told {
  const email = `person.${n}@example.org`;
  const timestamp = `2024-05-15T${hour}:00:00Z`;
  const tests = [disc([score, 1, 2, 3])];
  return { email, score, event: invite({ invitation_id: `inv_storm_${n}`, email, timestamp, tests }) };
}

const results = Array.from({ length: PEOPLE }, (_, n) => told(n, n % 101, 10));
/** Every fifth result is corrected later on. */
const corrections = results.flatMap((_, n) => (n % 5 === 0 ? [told(n, (n + 50) % 101, 11)] : []));
const lastNews = [told(0, 77, 12), told(1, 78, 12), told(2, 79, 12)];

async function take(world: World, news: readonly Told[]): Promise<void> {
  await importResults(
    world,
    news.map(({ event }) => event),
  );
}

function chunksOf<Item>(items: readonly Item[], n: number): Item[][] {
  const size = Math.ceil(items.length / n);
  return Array.from({ length: n }, (_, index) => items.slice(index * size, (index + 1) * size));
}

const Requests = v.array(v.object({ path: v.string(), at: v.string() }));
const Contacts = v.array(
  v.object({ email: v.string(), properties: v.looseObject({ jc_disc_d: v.optional(v.string()) }) }),
);

async function look<Rows>({ emulator }: World, what: string, schema: v.GenericSchema<unknown, Rows>) {
  const answer = await fetch(`${emulator.url}/_control/hubspot/${what}`);
  return v.parse(schema, await answer.json());
}

/** When contacts were written, or tried to be. */
async function writesTo(world: World): Promise<number[]> {
  const all = await look(world, "requests", Requests);
  return all.filter(({ path }) => path === UPSERT).map(({ at }) => Date.parse(at));
}

const Status = v.object({
  connections: v.tuple([v.object({ banner: v.nullable(v.string()) })]),
  pushes: v.object({ pending: v.number(), delivered: v.number(), rejected: v.number(), held: v.number() }),
});

async function statusOf(world: World) {
  const { connections, pushes } = v.parse(Status, (await world.run(["status", "--json"])).json);
  return { banner: connections[0].banner, pushes };
}

async function endAndStart(world: World, service: Service, signal: "SIGKILL" | "SIGTERM"): Promise<Service> {
  service.child.kill(signal);
  await service.ended;
  return await launchService(world);
}

test("in the end every contact holds exactly what it shall, whatever the vendor and the service went through", {
  timeout: 100_000,
}, async () => {
  const world = await connected({ env: { JC_SCHEDULE_RETRY_EVERY: "1s" } });
  let service = await launchService(world);
  const news = [...chunksOf(results, ROUNDS / 2), ...chunksOf(corrections, ROUNDS / 2)];
  for (const [index, { faults, end }] of storm.entries()) {
    for (const [fault, times] of faults) await world.portal.fault({ ...fault, times, path: UPSERT });
    await take(world, news[index] ?? []);
    const before = (await writesTo(world)).length;
    await until("the vendor is called", async () => (await writesTo(world)).length > before, 20_000);
    if (end !== "nothing") service = await endAndStart(world, service, end);
  }

  await world.portal.clearFaults();
  await world.portal.fault({ status: 503, path: UPSERT });
  await take(world, lastNews);
  await until("it is degraded", async () => (await statusOf(world)).banner?.includes("fails"), 45_000);
  const degradedAt = Date.now();
  service = await endAndStart(world, service, "SIGKILL");
  await until("three ticks pass", () => Date.now() > degradedAt + 3 * TICK_MS);
  const probes = (await writesTo(world)).filter((at) => at > degradedAt);
  const ticks = Math.floor(Date.now() / TICK_MS) - Math.floor(degradedAt / TICK_MS);
  expect(probes.length).toBeGreaterThan(0);
  expect(probes.length).toBeLessThanOrEqual(ticks);

  await world.portal.clearFaults();
  await until("all is delivered", async () => (await statusOf(world)).pushes.pending === 0, 30_000);
  expect(await statusOf(world)).toEqual({
    banner: null,
    pushes: { pending: 0, delivered: PEOPLE, rejected: 0, held: 0 },
  });
  const scores = new Map(
    [...results, ...corrections, ...lastNews].map(({ email, score }) => [email, `${score}`]),
  );
  const contacts = await look(world, "contacts", Contacts);
  expect(new Set(contacts.map(({ email }) => email)).size).toBe(PEOPLE);
  expect(contacts).toHaveLength(PEOPLE);
  expect(contacts.filter(({ email, properties }) => properties.jc_disc_d !== scores.get(email))).toEqual([]);
});
