/**
 * The built service under a mixed load, with restarts, a vendor that fails a third of the time, and the daily jobs every few
 * seconds. `.ci/long` soaks it for half an hour: `JC_TEST_SOAK=1800`, in seconds.
 */
import { expect, test } from "vitest";
import { JOBS } from "../../src/flows/jobs/jobs.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { ageDelivered } from "../aged.ts";
import { allDelivered, launch, launchService, type Service } from "../end-to-end/program.ts";
import { connect, freshWorld, type World } from "../world.ts";
import { startLoad } from "./load.ts";
import { peaks, sample, type Sample } from "./samples.ts";
import { failingVendor } from "./vendor.ts";

const SECONDS = Number(process.env.JC_TEST_SOAK ?? 60);
/** A minute, where there is time for many. */
const RESTART_EVERY_S = Math.min(60, SECONDS / 4);
const JOBS_EVERY_MS = 5_000;
const SENDERS = 4;
const MIB = 1024 * 1024;
const AGED_AT_ONCE = 200;
const DAILY = JOBS.map(({ name }) => name).filter((name) => ["retention", "backup", "sweep"].includes(name));

test(`${SECONDS} s under load lose nothing that was acknowledged, and memory, -wal and descriptors stay level`, {
  // Jobs that have begun are waited for: retention rests four parts of its time while a service lives.
  timeout: (1.5 * SECONDS + 300) * 1_000,
}, async () => {
  const world = await freshWorld({ env: { JC_SCHEDULE_RETRY_EVERY: "1s" } });
  await connect(world);
  const vendor = await failingVendor(world.emulator.hubspot);
  const start = () => launchService(world, { shell: `export JC_HUBSPOT_API_BASE='${vendor.url}'` });
  let service = await start();
  const load = startLoad(() => service.url, SENDERS);
  const samples: Sample[] = [];
  const ran = new Map<string, number>();
  const endsAt = Date.now() + SECONDS * 1_000;
  for (let life = 0; Date.now() < endsAt; life++) {
    const until = Math.min(endsAt, Date.now() + RESTART_EVERY_S * 1_000);
    await soak(world, service, { until, life, samples, ran });
    await stop(service, life % 2 === 0 ? "SIGTERM" : "SIGKILL");
    service = await start();
  }
  await load.stop();
  await allDelivered(world);
  await stop(service, "SIGTERM");

  const contacts = await world.portal.contacts();
  const lost = [...load.acknowledged].filter(([email, id]) => contacts[email]?.jc_invitation_id !== id);
  expect(lost).toEqual([]);
  expect(load.acknowledged.size).toBeGreaterThan(SECONDS * SENDERS);
  expect(vendor.failures).toBeGreaterThan(vendor.calls / 4);
  expect([...ran.keys()].toSorted()).toEqual(DAILY.toSorted());
  expect(ran.get("retention")).toBeGreaterThan(0);
  expectLevel(samples);
});

interface Soaking {
  until: number;
  life: number;
  samples: Sample[];
  /** How many invites each job removed, or how often it ran. */
  ran: Map<string, number>;
}

async function soak(world: World, service: Service, { until, life, samples, ran }: Soaking): Promise<void> {
  const { stateDir } = world;
  for (let jobsAt = Date.now(); Date.now() < until; ) {
    const seen = sample(service.child.pid ?? 0, { stateDir, life });
    if (seen) samples.push(seen);
    if (Date.now() >= jobsAt) {
      ageDelivered(stateDir, AGED_AT_ONCE);
      for (const name of DAILY) ran.set(name, (ran.get(name) ?? 0) + (await runJob(world, name)));
      jobsAt = Date.now() + JOBS_EVERY_MS;
    }
    await systemClock.sleep(500);
  }
}

async function runJob(world: World, name: string): Promise<number> {
  const { code, out, err } = await launch(world, ["run", name, "--json"]).ended;
  if (code !== 0) throw new Error(`run ${name} ended with ${code}: ${err}`);
  return name === "retention" ? Number(Object(JSON.parse(out)).invites) : 1;
}

async function stop(service: Service, signal: NodeJS.Signals): Promise<void> {
  service.child.kill(signal);
  const { code, err } = await service.ended;
  if (signal === "SIGTERM" && code !== 0) throw new Error(`serve ended with ${code}: ${err}`);
}

/** The last lives beside the first ones; a life needs some seconds to come to what it uses. */
function expectLevel(samples: readonly Sample[]): void {
  const [residents, descriptors] = [peaks(samples, "residentBytes"), peaks(samples, "descriptors")];
  const [first = 0, last = 0] = [Math.max(...residents.slice(0, 2)), Math.max(...residents.slice(-2))];
  expect(last, `resident bytes by life: ${residents}`).toBeLessThan(1.25 * first + 16 * MIB);
  const [few = 0, many = 0] = [Math.max(...descriptors.slice(0, 2)), Math.max(...descriptors.slice(-2))];
  expect(many, `descriptors by life: ${descriptors}`).toBeLessThan(few + 16);
  expect(Math.max(...peaks(samples, "walBytes"))).toBeLessThan(64 * MIB);
}
