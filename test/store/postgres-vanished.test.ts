import { readFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { until } from "../world.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";

/** What /proc/net/tcp says of a socket: which timer runs, and in how many hundredths of a second it is up. */
const KEEPALIVE = 2;
const LONGEST_IDLE_S = 10;

/** As /proc writes an address: its bytes from the last to the first. */
function hexOf(host: string): string {
  const bytes = host.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  return bytes.toReversed().join("").toUpperCase();
}

/** The server's ends of its connections, by the other end's port. */
function timersAt(host: string): Map<number, { timer: number; inS: number }> {
  const lines = readFileSync("/proc/net/tcp", "utf8").trim().split("\n").slice(1);
  return new Map(
    lines.flatMap((line) => {
      const [, local = "", remote = "", state, , when = ""] = line.trim().split(/\s+/);
      if (state !== "01" || !local.startsWith(`${hexOf(host)}:`)) return [];
      const [timer = "", due = ""] = when.split(":");
      const inS = Number.parseInt(due, 16) / 100;
      return [[Number.parseInt(remote.split(":")[1] ?? "", 16), { timer: Number.parseInt(timer, 16), inS }]];
    }),
  );
}

describeWithPostgres("a machine that vanishes", () => {
  test("is asked after by the server within ten seconds, on the session by which its process lives", async () => {
    const host = `127.${randomInt(1, 255)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
    const server = await postgresServer(["fsync=off", "synchronous_commit=off", `listen_addresses=${host}`]);
    const store = await openPostgresStore({ url: `postgres://jc@${host}/postgres?sslmode=disable` });
    onTestFinished(() => store.close());
    const [session] = await asked(
      server.urlOf("postgres"),
      `SELECT a.client_port AS port FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND l.classid = 27235`,
    );
    // Once all that was answered has arrived, it is the only timer that runs.
    const timer = await until("nothing is on its way", () => {
      const found = timersAt(host).get(Object(session).port);
      return found?.timer === KEEPALIVE && found;
    });
    expect(timer.inS).toBeLessThanOrEqual(LONGEST_IDLE_S);
  });
});
