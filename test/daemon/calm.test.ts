/** The built `serve` while nothing happens: it wakes rarely, and sees what others do as soon as ever. */
import { copyFileSync, existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askByTls, issued, missingForCertificates, tlsSettings } from "../certificates.ts";
import { launch, launchService, type Program, type Service } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import { replicated } from "../replicas/world.ts";
import { describeWithPostgres } from "../store/postgres-server.ts";
import { connected, importResults, invite, succeed, until, WEBHOOK_SECRET, type World } from "../world.ts";
import { serving } from "./serving.ts";

/** Less than half of the time between two rounds of a calm service. */
const SOON_MS = 4_000;
const OBSERVED_MS = 3_000;
const MINUTE_MS = 60_000;

/** How often the event loop's thread began to run. */
function wakeUps({ child }: Program): number {
  return Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/schedstat`, "utf8").split(" ")[2]);
}

/** Waits until it woke at most so often in three seconds in a row. */
async function atRest(service: Program, most = 1): Promise<void> {
  let [began, since] = [wakeUps(service), performance.now()];
  await until("it is at rest", () => {
    const woke = wakeUps(service) - began > most;
    if (woke) [began, since] = [wakeUps(service), performance.now()];
    return !woke && performance.now() - since > OBSERVED_MS;
  });
}

/** By a connection that ends with it: one that stays open is looked after each second. */
const readiness = async ({ url }: Service) =>
  (await fetch(`${url}/readyz`, { headers: { connection: "close" } })).status;

/** A secret that another process removes, and sets again. */
async function expectSeenSoon(world: World, service: Service, rest: () => Promise<void>): Promise<void> {
  expect(await readiness(service)).toBe(200);
  await rest();
  await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
  await until("that it is gone is seen", async () => (await readiness(service)) === 503, SOON_MS);
  await rest();
  await succeed(world, ["secrets", "set", "jobcannon.webhook-secret"], WEBHOOK_SECRET);
  await until("that it is there is seen", async () => (await readiness(service)) === 200, SOON_MS);
}

describe.skipIf(!existsSync("/proc/self/schedstat"))("a service that nothing happens to", () => {
  test("wakes rarely, and sees at once that a secret is gone, and that it is back", async () => {
    const world = await connected();
    const service = await launchService(world);
    await expectSeenSoon(world, service, () => atRest(service));
  });

  test("takes the backup that a command wants within a second or two", async () => {
    const world = await connected();
    const service = await launchService(world);
    await until("the first is taken", () => service.err().includes("backed up"));
    await atRest(service);
    const beganMs = performance.now();
    expect(await launch(world, ["backup"]).ended).toMatchObject({ code: 0 });
    expect(performance.now() - beganMs).toBeLessThan(SOON_MS);
    expect(service.err().split("backed up")).toHaveLength(3);
  });

  test.skipIf(missingForCertificates !== null)("shows a new certificate within seconds", async () => {
    const world = await connected();
    const [first, second] = [issued(), issued()];
    const files = { certFile: join(world.dir, "cert.pem"), keyFile: join(world.dir, "key.pem") };
    const become = ({ certFile, keyFile }: typeof files) => {
      for (const [from, to] of [
        [certFile, files.certFile],
        [keyFile, files.keyFile],
      ] as const) {
        copyFileSync(from, `${to}.new`);
        renameSync(`${to}.new`, to);
      }
    };
    become(first);
    world.env = { ...world.env, ...tlsSettings({ ...first, ...files }) };
    const service = await launchService(world);
    const base = `https://localhost:${new URL(service.url).port}`;
    const shown = async () => (await askByTls(`${base}/healthz`, { ca: first.ca + second.ca })).fingerprint;
    const before = await shown();
    await atRest(service);
    become(second);
    await until("the new one is shown", async () => (await shown()) !== before, SOON_MS);
  });
});

describeWithPostgres("a service on a database that nothing happens to", () => {
  test("sees at once that a secret is gone, and that it is back", async () => {
    const world = await replicated();
    const service = await world.launch();
    // It asks the database each two seconds whether it is there.
    await expectSeenSoon(world, service, () => atRest(service, 8));
  });
});

describe("a job of each minute", () => {
  test("that has nothing to do is run every five minutes or when something may be due, and each minute while it has", async () => {
    const clock = fakeClock();
    const world = await connected({ clock });
    const { running } = await serving(world, { env: { JC_LOG_LEVEL: "debug" } });
    /** In minutes. */
    const pauses = (job: string) =>
      [...running.err().matchAll(new RegExp(`name=${job} {2}due=(\\S+)`, "g"))]
        .map(([, due]) => Date.parse(String(due)) / MINUTE_MS)
        .map((due, index, dues) => due - (dues[index - 1] ?? 0));
    const untilPausesAre = (job: string, minutes: number, often: number) =>
      until(`${job} is run each ${minutes} minutes, ${often} times`, async () => {
        await clock.advance(MINUTE_MS);
        // What is done at the full minute takes the machine's time, as the command does.
        await until("the scheduler rests again", () => clock.sleepers() > 0);
        await world.run(["status"]);
        return (
          pauses(job).length > often &&
          pauses(job)
            .slice(-often)
            .every((pause) => pause === minutes)
        );
      });
    // What else is done at a start changes the log, as does the refresh of the tokens after twenty minutes.
    await untilPausesAre("releases", 5, 2);
    // Each time that the log changed, and no more often.
    expect(pauses("alerts").filter((pause) => pause < 5).length).toBeLessThan(4);
    const looked = pauses("alerts").length;
    await untilPausesAre("releases", 5, 2);
    expect(pauses("alerts").length - looked).toBeLessThan(3);
    await world.portal.fault({ status: 503 });
    await importResults(world, [invite()]);
    await untilPausesAre("alerts", 1, 5);
  });
});
