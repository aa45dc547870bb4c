/** What the journal says of a log that cannot be used: once that it began, and, when it can be again, as its last word. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { createStoreTrouble } from "../../src/daemon/trouble/store-trouble.ts";
import { AppError } from "../../src/shared/errors.ts";
import { createLog } from "../../src/shared/log.ts";
import { createRedactor } from "../../src/shared/redact.ts";
import { NOON } from "../core/example.ts";
import { launchService, send, type Service } from "../end-to-end/program.ts";
import { fakeClock } from "../fake-clock.ts";
import { newPostmaster } from "../store/postmaster.ts";
import { describeWithPostgres } from "../store/postgres-server.ts";
import { connected, invite, until } from "../world.ts";

const FULL = new AppError("STORE_UNAVAILABLE", "log.db cannot grow: the disk is full");
const LOCKED = new AppError("STORE_UNAVAILABLE", "log.db is locked");
const BEGAN = "error the log cannot be used: all waits until it can";

/** Trouble of a store that fails with what `fails` holds, looked at each second. */
function watched() {
  const clock = fakeClock(NOON);
  const said: string[] = [];
  const log = createLog({
    write: (line) => said.push(line.replace(/^\S+ /, "").trim()),
    level: () => "info",
    format: "text",
    toJournal: false,
    redact: createRedactor(),
    clock,
  });
  const disk: { fails: AppError | null; trials: number } = { fails: null, trials: 0 };
  const tryWriting = async () => {
    disk.trials += 1;
    if (disk.fails !== null) throw disk.fails;
  };
  const trouble = createStoreTrouble({
    store: { tryWriting },
    clock,
    log,
    isToldByStore: () => false,
    onChange: () => {},
  });
  const seconds = async (count: number) => {
    for (let second = 0; second < count; second += 1) {
      await clock.advance(1_000);
      await trouble.look();
    }
  };
  return { trouble, disk, said, seconds };
}

describe("trouble of the store", () => {
  test("ends with one line that says how long it lasted, though nobody asks the store any more", async () => {
    const { trouble, disk, said, seconds } = watched();
    disk.fails = FULL;
    trouble.hear(FULL);
    await seconds(600);
    expect(said).toEqual([expect.stringContaining(BEGAN)]);
    expect(trouble.fault()).not.toBe(null);
    disk.fails = null;
    await seconds(60);
    expect(said.slice(1)).toEqual(["info  the log can be used again  lastedSeconds=603"]);
    expect([trouble.fault(), trouble.isOver()]).toEqual([null, true]);
    const { trials } = disk;
    await seconds(600);
    expect([disk.trials, said.length]).toEqual([trials, 2]);
  });

  test("that comes and goes is told once, and its end when it stays away", async () => {
    const { trouble, disk, said, seconds } = watched();
    for (let time = 0; time < 20; time += 1) {
      disk.fails = FULL;
      trouble.hear(FULL);
      await seconds(5);
      disk.fails = null;
      await seconds(5);
      expect(trouble.fault()).toBe(null);
    }
    expect(said).toEqual([expect.stringContaining(BEGAN)]);
    await seconds(60);
    expect(said).toHaveLength(2);
  });

  test("that is met by the last trial goes on, with each reason told once", async () => {
    const { trouble, disk, said, seconds } = watched();
    trouble.hear(FULL);
    // A small event still finds room.
    trouble.stored();
    expect(trouble.fault()).toBe(null);
    disk.fails = LOCKED;
    await seconds(60);
    expect(trouble.fault()).toMatchObject({ message: LOCKED.message });
    expect(said).toEqual([FULL, LOCKED].map(({ message }) => expect.stringContaining(message)));
  });

  test("is no word for what is a bug", () => {
    const { trouble } = watched();
    expect(() => trouble.hear(new TypeError("x is not a function"))).toThrow("x is not a function");
  });
});

const linesOf = ({ err }: Service) => err().trim().split("\n");
const AGAIN = /info {2}the log can be used again {2}lastedSeconds=\d+$/;
const isAgain = (line: string) => AGAIN.test(line);

describe("the journal of the built service", () => {
  test("ends on a good word once nobody holds the log any more, though nothing is due", async () => {
    const world = await connected();
    const service = await launchService(world);
    const holder = new Database(join(world.stateDir, "log.db"));
    onTestFinished(() => void holder.close());
    holder.exec("BEGIN IMMEDIATE");
    expect((await send(service.url, invite()))?.status).toBe(503);
    await until("it is told", () => service.err().includes(BEGAN));
    holder.exec("ROLLBACK");
    await until("its end is told", () => linesOf(service).some(isAgain));
    const told = linesOf(service).filter((line) => isAgain(line) || line.includes(" error "));
    expect(told).toEqual([expect.stringContaining(BEGAN), expect.stringMatching(AGAIN)]);
  });
});

describeWithPostgres("the journal of a service whose database was away", () => {
  test("ends on a good word once it is back, though nothing is due", async () => {
    const server = newPostmaster(["fsync=off"]);
    await server.start();
    const world = await connected({ env: { JC_STORE_URL: server.urlOf("postgres") } });
    const service = await launchService(world);
    await server.end("SIGINT");
    await until("it is told", () => service.err().includes(BEGAN));
    await server.start();
    await until("its end is told", () => linesOf(service).some(isAgain));
    expect(linesOf(service).filter(isAgain)).toHaveLength(1);
    expect(linesOf(service).findLastIndex(isAgain)).toBeGreaterThan(
      linesOf(service).findLastIndex((line) => line.includes(" error ")),
    );
  });
});
