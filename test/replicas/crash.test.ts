import { connect as connectTo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { temporaryDirectory } from "../directory.ts";
import { launchService, send, type Service } from "../end-to-end/program.ts";
import { asked, describeWithPostgres } from "../store/postgres-server.ts";
import { newPostmaster, type Postmaster } from "../store/postmaster.ts";
import { connected, invite, until } from "../world.ts";

const SENDERS = 8;
const CRASHES = Number(process.env.JC_TEST_CRASHES ?? 6);
const SEED = Number(process.env.JC_TEST_SEED ?? 22);
const PAUSE_MS = 20;

/** How the server ends, behind how many acknowledgements. */
const crashes = fc.sample(fc.tuple(fc.constantFrom("SIGKILL", "SIGQUIT"), fc.nat(40)), {
  numRuns: CRASHES,
  seed: SEED,
});

/** What a commit does not wait for stays in the server's memory for long: what the program does not insist on is lost. */
const SETTINGS = [
  "fsync=on",
  "synchronous_commit=off",
  "wal_writer_delay=10s",
  "wal_writer_flush_after=1GB",
  "wal_buffers=64MB",
];
const INSISTED = "SET LOCAL synchronous_commit = on";
const FORCED = "SET LOCAL synchronous_commit =off";

/** A socket in front of the server's, which turns what each commit insists on into its contrary. */
async function forcingOff({ directory }: Postmaster): Promise<{ directory: string; forced(): number }> {
  const front = temporaryDirectory();
  let forced = 0;
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connectTo(join(directory, ".s.PGSQL.5432"));
    near.on("data", (bytes) => {
      const text = bytes.toString("latin1");
      if (text.includes(INSISTED)) forced += 1;
      far.write(Buffer.from(text.replaceAll(INSISTED, FORCED), "latin1"));
    });
    far.on("data", (bytes) => near.write(bytes));
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(end);
      end.on("error", () => {});
      end.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(join(front, ".s.PGSQL.5432"), resolve));
  onTestFinished(() => {
    for (const end of ends) end.destroy();
    server.close();
  });
  return { directory: front, forced: () => forced };
}

/** Each event is sent once: what is not acknowledged is its sender's to send again, which here nobody does. */
function sending({ url }: Service) {
  const answered: { id: string; email: string; status: number | null }[] = [];
  let isOver = false;
  const one = async () => {
    while (!isOver) {
      const event = invite();
      const id = `msg_${event.data.invitation_id}`;
      const status = (await send(url, event, { id }))?.status ?? null;
      answered.push({ id, email: event.data.candidate.email, status });
      if (status !== 202) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const all = Promise.all(Array.from({ length: SENDERS }, one));
  return {
    answered,
    acknowledged: () => answered.filter(({ status }) => status === 202),
    end: async () => {
      isOver = true;
      await all;
    },
  };
}

/** A service under load, whose database's server ends again and again, and what became of what was sent. */
async function throughCrashes(server: Postmaster, url: string) {
  const world = await connected({ env: { JC_STORE_URL: url } });
  const service = await launchService(world);
  const { answered, acknowledged, end } = sending(service);
  for (const [signal, more] of crashes) {
    const enough = acknowledged().length + more + 1;
    await until("some are acknowledged", () => acknowledged().length >= enough);
    await server.end(signal);
    const before = answered.length;
    await until("some are refused", () => answered.length > before + SENDERS);
    await server.start();
  }
  const before = acknowledged().length;
  await until("all goes on", () => acknowledged().length > before);
  await end();
  const rows = await asked(url, "SELECT event_id AS id FROM jc.events");
  const stored = new Set(rows.map((row) => Object(row).id));
  return {
    world,
    statuses: new Set(answered.map(({ status }) => status)),
    acknowledged: acknowledged(),
    lost: acknowledged().filter(({ id }) => !stored.has(id)),
  };
}

describeWithPostgres("a database's server that crashes under load", () => {
  test(`loses nothing that was acknowledged, in ${CRASHES} crashes, and what it cannot take hears 503`, async () => {
    const server = newPostmaster(SETTINGS);
    await server.start();
    const { world, statuses, acknowledged, lost } = await throughCrashes(server, server.urlOf("postgres"));
    expect(lost).toEqual([]);
    expect(statuses).toEqual(new Set([202, 503]));
    // What met the last crash may be told of after others were served again; and what was claimed in a commit whose answer
    // was lost is free a minute later.
    const isDone = async () => {
      const { code, json } = await world.run(["status", "--json"]);
      return code === 0 && Object(json).pushes.pending === 0;
    };
    await until("all is delivered, and nothing to complain of", isDone, 180_000);
    const contacts = await world.portal.contacts();
    expect(acknowledged.filter(({ email }) => !(email in contacts))).toEqual([]);
  }, 400_000);

  test("would lose some, if the program did not insist on each commit", async () => {
    // A database that has written all by chance when it crashes loses nothing.
    let lost: readonly unknown[] = [];
    for (let tries = 0; lost.length === 0 && tries < 4; tries += 1) {
      const server = newPostmaster(SETTINGS);
      await server.start();
      const front = await forcingOff(server);
      const url = `postgres://jc@/postgres?host=${encodeURIComponent(front.directory)}`;
      ({ lost } = await throughCrashes(server, url));
      expect(front.forced()).toBeGreaterThan(0);
    }
    expect(lost.length).toBeGreaterThan(0);
  });
});
