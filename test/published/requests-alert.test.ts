/** Invites that stages want and that JobCannon is asked for in vain: one alert each time, and an end. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { freePort, succeed, until, type World } from "../world.ts";
import { apply, move } from "./company.ts";
import { subscribedWorld } from "./world.ts";

const HALF_AN_HOUR_AND_MORE = 31 * 60_000;

/** Whatever waits to be asked began to wait longer ago. */
function age(world: World): void {
  const log = new Database(join(world.stateDir, "log.db"));
  try {
    log.prepare("UPDATE invite_requests SET asked_at = asked_at - ?").run(HALF_AN_HOUR_AND_MORE);
  } finally {
    log.close();
  }
}

test("goes out once after half an hour, names the reason and what to type, and again for the next time", async () => {
  const nowhere = `http://127.0.0.1:${await freePort()}/invites`;
  const { world, service } = await subscribedWorld({
    env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711", JC_JOBCANNON_INVITES_URL: nowhere },
  });
  await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
  await succeed(world, [
    "catalog",
    "set",
    "--job",
    "j1",
    "--test",
    "disc",
    "--stage",
    "IN_REVIEW/Assessment",
  ]);
  const arrive = async (email: string) => await move(world, await apply(world, { email }), "Assessment");
  const wanted = async () => Object((await succeed(world, ["invites", "wanted", "--json"])).json).wanted;
  const isFailing = async () => {
    const all: { reason: string | null }[] = await wanted();
    return all.length > 0 && all.every(({ reason }) => reason !== null);
  };
  const look = async (env = {}) => Object((await world.run(["run", "alerts", "--json"], { env })).json).sent;
  await arrive("ann@example.org");
  await until("it was tried", isFailing);
  await service.running.stop();
  expect(await look()).toBe(0);
  age(world);
  // Where nobody is to be asked, nobody is asked in vain.
  expect(await look({ JC_JOBCANNON_INVITES_URL: "" })).toBe(0);
  expect(await look()).toBe(1);
  expect(await look()).toBe(0);
  const told = async () =>
    (await world.telegram.messages()).flatMap(({ text }) =>
      text.includes("wanted by stages") ? [text] : [],
    );
  expect((await told())[0]).toMatch(
    /^acme: 1 invite wanted by stages could not be asked of JobCannon since .*UTC: .*logs --requests/,
  );
  // JobCannon answers again: that was that.
  const env = { JC_JOBCANNON_INVITES_URL: `${world.emulator.smartrecruiters}/jobcannon/invites` };
  await world.run(["run", "requests"], { env });
  expect(await wanted()).toEqual([]);
  expect(await look()).toBe(0);
  const again = world.start(["serve", "--json"]);
  await until("serve listens", () => again.out() !== "");
  await arrive("bob@example.org");
  await until("it was tried", isFailing);
  await again.stop();
  expect(await look()).toBe(0);
  age(world);
  expect(await look()).toBe(1);
  expect(await told()).toHaveLength(2);
});
