/** Two services on machines of their own, one of which is cut off from the database, or from everything, for a while. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { logOf } from "../end-to-end/log.ts";
import { launchService, post, type Service } from "../end-to-end/program.ts";
import { asked, postgresServer } from "../store/postgres-server.ts";
import { connected, disc, invite, sign, until, type World } from "../world.ts";
import { describeWithMachines, machine, type Machine } from "./machines.ts";
import { type Told, vendorFarAway } from "./vendor-far-away.ts";

const IS_WHOLE = process.env.JC_TEST_REPLICAS === "whole";
const SECONDS = IS_WHOLE ? 60 : 24;
const PEOPLE = 12;
const SECOND = 1_000;
/** Whoever cannot store something says so by then; who sends waits no longer. */
const PATIENCE_MS = 30 * SECOND;
const MOST_VERSIONS = 100;

interface Answered {
  by: number;
  /** Null: nobody answered in time. */
  status: number | null;
  sentAt: number;
  tookMs: number;
}

const emailOf = (person: number) => `person.${person}@example.org`;

function version(person: number, dominance: number) {
  const at = new Date(Date.UTC(2024, 4, 15) + dominance * SECOND).toISOString();
  const tests = [disc([dominance, 1, 2, 3])];
  return invite({ invitation_id: `inv_cut_${person}`, email: emailOf(person), timestamp: at, tests });
}

async function sendTo(service: Service, event: object): Promise<number | null> {
  const body = JSON.stringify(event);
  const sent = post(`${service.url}/jobcannon/events`, { headers: sign(body), body });
  const tooLate = systemClock.sleep(PATIENCE_MS).then(() => null);
  return await Promise.race([sent.then(({ status }) => status).catch(() => null), tooLate]);
}

/** One sender a person: each version goes to one of the services after the other until it is taken, and then the next one. */
function sending(services: readonly Service[]) {
  const acknowledged = Array.from({ length: PEOPLE }, () => 0);
  const answers: Answered[] = [];
  let isOver = false;
  const sendAll = async (person: number) => {
    for (let dominance = 1, turn = person; dominance < MOST_VERSIONS && !isOver; turn += 1) {
      const by = turn % services.length;
      const sentAt = Date.now();
      const status = await sendTo(services[by] as Service, version(person, dominance));
      answers.push({ by, status, sentAt, tookMs: Date.now() - sentAt });
      if (status === 202) {
        acknowledged[person] = dominance;
        dominance += 1;
      }
      await systemClock.sleep(SECOND);
    }
  };
  const all = Promise.all(acknowledged.map((_, person) => sendAll(person)));
  return {
    acknowledged,
    answers,
    end: async () => {
      isOver = true;
      await all;
    },
  };
}

/** The database's time goes on to `ms` before the next due time, in steps that nobody takes for a pause. */
async function goTo(url: string, dueAt: number, ms: number): Promise<void> {
  for (;;) {
    const [row] = await asked(url, "SELECT jc.now_ms()::float8 AS now");
    const left = dueAt - ms - Number(Object(row).now);
    if (left <= 0) return;
    if (left > SECOND)
      await asked(url, `UPDATE jc.clock_offset SET ms = ms + ${Math.min(left, 40 * SECOND)}`);
    await systemClock.sleep(Math.min(left, 5 * SECOND));
  }
}

/** The sweeps that began at that time. */
const sweepsAt = (services: readonly Service[], dueAt: number) =>
  services.flatMap(({ err }) => [
    ...err().matchAll(new RegExp(` job {2}name=sweep {2}due=${new Date(dueAt).toISOString()}`, "g")),
  ]).length;

interface Scene {
  url: string;
  world: World;
  machines: readonly Machine[];
  services: readonly Service[];
  told: Told[];
  /** When the sweep is due. */
  sweepAt: number;
}

async function scene(): Promise<Scene> {
  const machines = [await machine(), await machine()];
  const near = machines.map(({ toDatabase }) => toDatabase.near).join(",");
  const server = await postgresServer(["synchronous_commit=on", "fsync=off", `listen_addresses=${near}`]);
  appendFileSync(join(server.directory, "data/pg_hba.conf"), "host all all 198.18.0.0/15 trust\n");
  await asked(server.urlOf("postgres"), "SELECT pg_reload_conf()");
  const url = await server.database();
  const sweepAt = Math.ceil((Date.now() + 60 * SECOND) / (60 * SECOND)) * 60 * SECOND;
  const world = await connected({
    env: {
      JC_STORE_URL: url,
      JC_SCHEDULE_RETRY_EVERY: "1s",
      JC_SCHEDULE_SWEEP_AT: new Date(sweepAt).toISOString().slice(11, 16),
      JC_LOG_LEVEL: "debug",
    },
  });
  const at = machines.map(({ toWorld }) => toWorld.near);
  const vendor = await vendorFarAway(world.emulator.hubspot, { at, writeMs: 500 });
  const services = await Promise.all(
    machines.map(({ shell, toDatabase, toWorld }, index) => {
      const own = {
        ...vendor.environment(toWorld.near),
        JC_STORE_URL: url.replace("@/", `@${toDatabase.near}/`).replace(/\?.*/, "?sslmode=disable"),
        JC_SERVE_LISTEN: `${toWorld.far}:0`,
        JC_STATE_DIR: join(world.dir, `machine-${index}`),
      };
      return launchService({ ...world, env: { ...world.env, ...own } }, { shell });
    }),
  );
  return { url, world, machines, services, told: vendor.told, sweepAt };
}

type Cut = readonly [from: string, cables: readonly ("toDatabase" | "toWorld")[]];
const EVERYTHING: Cut = ["everything", ["toDatabase", "toWorld"]];
const CUTS: readonly Cut[] = [["the database", ["toDatabase"]], ...(IS_WHOLE ? [EVERYTHING] : [])];

/** What the vendor was told of each person, in its order. */
const historiesIn = (told: readonly Told[]): number[][] =>
  Array.from({ length: PEOPLE }, (_, person) =>
    told.filter(({ email }) => email === emailOf(person)).map(({ dominance }) => dominance),
  );

const PENDING = "SELECT count(*) FROM pushes WHERE state = 'pending'";

describeWithMachines("a machine that is cut off", () => {
  test.each(CUTS)(
    `from %s for ${SECONDS} s loses nothing that it took, and tells nothing old after what is new`,
    async (_, cables) => {
      const { url, world, machines, services, told, sweepAt } = await scene();
      const [, cutOff] = machines as [Machine, Machine];
      const toldBy = (each: Machine, from = 0) =>
        told.slice(from).filter(({ by }) => by === each.toWorld.far).length;
      const { acknowledged, answers, end } = sending(services);
      for (const each of machines) await until("it tells the vendor", () => toldBy(each) > 0);
      await goTo(url, sweepAt, 3 * SECOND);

      for (const name of cables) cutOff[name].cut();
      const cutAt = Date.now();
      await systemClock.sleep(SECONDS * SECOND);
      const healedAt = Date.now();
      const before = told.length;
      for (const name of cables) cutOff[name].mend();
      await until("it takes webhooks again", () =>
        answers.some(({ by, status, sentAt }) => by === 1 && status === 202 && sentAt > healedAt),
      );
      await until("it tells the vendor again", () => toldBy(cutOff, before) > 0);
      await end();
      await until("all is delivered", async () => (await logOf(world).count(PENDING)) === 0);

      const meanwhile = answers.filter(
        ({ by, sentAt, tookMs }) => by === 1 && sentAt > cutAt && sentAt + tookMs < healedAt,
      );
      const histories = historiesIn(told);
      for (const history of histories) {
        expect(history).toEqual(history.toSorted((a, b) => a - b));
        for (const one of new Set(history))
          expect(history.filter((other) => other === one).length).toBeLessThanOrEqual(2);
      }
      const contacts = await world.portal.contacts();
      for (const [person, least] of acknowledged.entries()) {
        const shown = Number(contacts[emailOf(person)]?.jc_disc_d);
        expect(shown).toBeGreaterThanOrEqual(least);
        expect(shown).toBe(histories[person]?.at(-1));
      }
      expect(sweepsAt(services, sweepAt)).toBe(1);
      expect(meanwhile.length).toBeGreaterThan(0);
      const answered = cables.includes("toWorld") ? null : 503;
      expect(meanwhile.filter(({ status }) => status !== answered)).toEqual([]);
    },
    600_000,
  );
});
