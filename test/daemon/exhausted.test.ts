/** The built `serve` when what it lives on runs out: file descriptors, memory, and the time that a vendor takes. */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { open, request } from "../attacks/stranger.ts";
import { logOf } from "../end-to-end/log.ts";
import { allDelivered, launchService, type Program, send, type Service } from "../end-to-end/program.ts";
import { watchedVendor } from "../power/vendor.ts";
import { connected, invite, type InviteEvent, sign, until } from "../world.ts";

const linesWith = ({ err }: Program, words: string) =>
  err()
    .split("\n")
    .filter((line) => line.includes(words));

const descriptors = ({ child }: Program) => readdirSync(`/proc/${child.pid}/fd`).length;

const isTaken = async ({ url }: Service, event: InviteEvent) => (await send(url, event))?.status === 202;

const NONE_LEFT = "no file descriptors are left: connections and calls fail";

const HEALTH = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

/** Connections that stay open. */
function crowd(service: Service, size: number) {
  const lines = Array.from({ length: size }, () => open(service, HEALTH));
  return {
    leave: () => {
      for (const { socket } of lines) socket.destroy();
    },
  };
}

describe.skipIf(process.platform !== "linux")("file descriptors", () => {
  test("are left for the log and the vendors, however many connections come", async () => {
    const world = await connected({ env: { JC_SCHEDULE_RETRY_EVERY: "1s" } });
    const service = await launchService(world, { shell: "ulimit -n 200" });
    const { leave } = crowd(service, 300);
    await until("all are seen", () => descriptors(service) > 100);
    await until("an event is taken", () => isTaken(service, invite()));
    await allDelivered(world);
    expect(descriptors(service)).toBeLessThan(190);
    expect(linesWith(service, "fewer connections are taken than serve.max_connections says")).toHaveLength(1);
    expect(linesWith(service, NONE_LEFT)).toEqual([]);
    leave();
  });

  test("that run out are told once, not as the vendor's fault, end nothing, and all goes on when there are some", async () => {
    const world = await connected({ env: { JC_SCHEDULE_RETRY_EVERY: "1s" } });
    const service = await launchService(world);
    const limit = (soft: number) =>
      execFileSync("prlimit", [`--pid=${service.child.pid}`, `--nofile=${soft}:`]);
    const sender = open(service, HEALTH);
    await until("a sender is there", () => sender.heard().includes("200"));
    // Fewer than are open: not one more can be.
    limit(3);
    await until("it is told", () => linesWith(service, NONE_LEFT).length > 0);
    const body = JSON.stringify(invite());
    const headers = { ...sign(body), "content-length": Buffer.byteLength(body) };
    sender.socket.write(request("/jobcannon/events", headers, body));
    await until("it is taken", () => sender.heard().includes("202"));
    await until("a call fails", () => linesWith(service, "was not called: no file descriptors").length > 0);
    expect(service.err()).not.toContain("did not answer");
    limit(4_096);
    await until("it is over", () => linesWith(service, "there are file descriptors again").length > 0);
    await until("an event is taken", () => isTaken(service, invite()));
    await allDelivered(world);
    expect(linesWith(service, NONE_LEFT)).toHaveLength(1);
    service.child.kill("SIGTERM");
    expect((await service.ended).code).toBe(0);
  });
});

test("memory that runs out ends it with a signal or a code other than 0, says why, and what was acknowledged is there", async () => {
  const world = await connected();
  const service = await launchService(world, {
    shell: "ulimit -c 0; export NODE_OPTIONS=--max-old-space-size=24",
  });
  const acknowledged: string[] = [];
  const sendLarge = async () => {
    const large = invite({ tests: Array.from({ length: 2_000 }, () => invite().data.tests).flat() });
    for (let n = 0; n < 40 && service.child.exitCode === null && service.child.signalCode === null; n += 1) {
      const event = { ...large, data: { ...large.data, ...idsOf(invite()) } };
      if (await isTaken(service, event)) acknowledged.push(event.data.invitation_id);
    }
  };
  await Promise.all(Array.from({ length: 12 }, sendLarge));
  const { code, signal, err } = await service.ended;
  expect(signal ?? code).not.toBe(0);
  expect(err).toMatch(/out of memory/i);
  await launchService(world);
  const Row = v.object({ id: v.string() });
  const stored = await logOf(world).rows(Row, "SELECT invitation_id AS id FROM invites");
  const ids = new Set(stored.map(({ id }) => id));
  expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
});

const idsOf = ({ data }: InviteEvent) => ({ invitation_id: data.invitation_id, candidate: data.candidate });

test("a vendor whose answers come a byte a second holds up nobody for ever, and all goes on when it is itself again", async () => {
  const world = await connected({ env: { JC_SCHEDULE_RETRY_EVERY: "1s" } });
  const vendor = await watchedVendor(world.emulator.hubspot);
  vendor.drip(true);
  const service = await launchService(world, { shell: `export JC_HUBSPOT_API_BASE='${vendor.url}'` });
  await until("an event is taken", () => isTaken(service, invite()));
  await until("a call is given up", () => linesWith(service, "did not answer: timed out").length > 0);
  await until("an event is taken", () => isTaken(service, invite()));
  vendor.drip(false);
  await allDelivered(world);
});
