/** What strangers can take from the built `serve`: memory, connections, time. */
import { describe, expect, test } from "vitest";
import { launchService, send, type Service } from "../end-to-end/program.ts";
import { leastOf, msOf } from "../least.ts";
import { freshWorld, invite, until, WEBHOOK_SECRET, type World } from "../world.ts";
import { FORGED, forgedOfJobcannon, type Line, memoryMib, open, request } from "./stranger.ts";

const MIB = 1024 * 1024;
const SMARTRECRUITERS = "/smartrecruiters/webhooks";
const JOBCANNON = "/jobcannon/events";

/** A source without any is not ready, and refuses what it cannot check with a status of its own. */
const SECRETS = {
  "jobcannon.webhook-secret": WEBHOOK_SECRET,
  "smartrecruiters.webhook-secret": "a-secret-of-smartrecruiters-0123456789",
};

async function servingWith(env: Record<string, string> = {}) {
  const world = await freshWorld({ env });
  for (const [name, secret] of Object.entries(SECRETS)) {
    const set = await world.run(["secrets", "set", name], { stdin: secret });
    expect(set.code).toBe(0);
  }
  return { world, service: await launchService(world as World) };
}

const statusOf = (line: Line) => Number(/^HTTP\/1\.1 (\d{3})/.exec(line.heard())?.[1] ?? 0);

test("a thousand bodies of which a byte is missing take 64 MiB together, and hold up no webhook", async () => {
  const first: { service: Service; peak: number }[] = [];
  const takenMib = async () => {
    const { service } = await servingWith();
    const before = memoryMib(service);
    const peak = await peakOfThousandBodies(service);
    first.push({ service, peak });
    return peak - before;
  };
  // Twice what the bodies may take: what was thrown away is not collected at once.
  expect(await leastOf(192, takenMib)).toBeLessThan(192);
  const [known] = first;
  if (!known) throw new Error("nobody sent any");
  const moreMib = async () => (await peakOfThousandBodies(known.service)) - known.peak;
  expect(await leastOf(64, moreMib)).toBeLessThan(64);
});

async function peakOfThousandBodies(service: Service): Promise<number> {
  const head = request(JOBCANNON, { ...forgedOfJobcannon(), "content-length": MIB });
  const body = Buffer.alloc(MIB - 1, "x");
  const lines = Array.from({ length: 1_000 }, () => open(service, head));
  for (const { socket } of lines) socket.write(body);
  let peak = 0;
  await until("most of them are dropped", () => {
    peak = Math.max(peak, memoryMib(service));
    return lines.filter((line) => statusOf(line) === 503).length > 900;
  });
  expect((await send(service.url, invite()))?.status).toBe(202);
  for (const { socket } of lines) socket.destroy();
  return peak;
}

describe("a request is answered before its body came", () => {
  const unread: [what: string, path: string, headers: Record<string, string | number>, status: number][] = [
    ["without a signature", SMARTRECRUITERS, { "content-type": "application/json" }, 401],
    ["without JobCannon's signature", JOBCANNON, { "content-type": "application/json" }, 401],
    [
      "with what is no signature",
      SMARTRECRUITERS,
      { "content-type": "application/json", "x-smartrecruiters-signature": "sha256=zz" },
      401,
    ],
    ["as text", SMARTRECRUITERS, { "content-type": "text/plain" }, 415],
    ["to where nothing is", "/nothing", {}, 404],
  ];
  test.each(unread)("%s", async (_what, path, headers, status) => {
    const { service } = await servingWith();
    const line = open(service, request(path, { ...headers, "content-length": 10_000 }));
    await until("it is answered", () => statusOf(line) === status);
    expect(await line.closed).toBe("end");
  });

  test("over its limit, and the answer arrives though the body goes on", async () => {
    const { service } = await servingWith();
    const forged = { "content-type": "application/json", "x-smartrecruiters-signature": FORGED };
    for (const size of [64 * 1024 + 1, 900_000]) {
      const line = open(service, request(SMARTRECRUITERS, { ...forged, "content-length": size }));
      line.socket.write(Buffer.alloc(size, "x"));
      expect(await line.closed).toBe("end");
      expect(line.heard()).toContain('{"error":"the body is over 64 KiB"}');
      expect(line.heard()).toContain("connection: close");
    }
  });
});

test("a request for a whole URL is understood as for its path", async () => {
  const { service } = await servingWith();
  const line = open(service, `GET ${service.url}/healthz?x HTTP/1.1\r\nhost: localhost\r\n\r\n`);
  await until("it is answered", () => line.heard().includes('{"status":"ok"}'));
});

test("whoever goes on too slowly, or not at all, is sent away within 2 s of his time", async () => {
  const { service } = await servingWith();
  const longestMs = async (lines: Line[]) =>
    await msOf(async () => await Promise.all(lines.map(({ closed }) => closed)));
  const headers = { "content-type": "application/json", "x-smartrecruiters-signature": FORGED };
  const unfinished = request(SMARTRECRUITERS, { ...headers, "content-length": 100 }, "half");
  const halfClosed = (said: string | Buffer) => {
    const line = open(service, said);
    line.socket.once("connect", () => line.socket.end());
    return line;
  };
  const begun = "POST / HTTP/1.1\r\nhost: x\r\n";
  const ofHeaderMs = () => longestMs([open(service), open(service, begun)]);
  const ofBodyMs = () => longestMs([open(service, unfinished), ...[begun, unfinished, ""].map(halfClosed)]);
  const [ofHeader, ofBody] = await Promise.all([leastOf(12_500, ofHeaderMs), leastOf(22_500, ofBodyMs)]);
  expect(ofHeader).toBeLessThan(12_500);
  expect(ofBody).toBeLessThan(22_500);
});

describe("connections are shared", () => {
  const MOST = { JC_SERVE_MAX_CONNECTIONS: "32" };
  const half = (headers: Record<string, string> = {}) =>
    request(SMARTRECRUITERS, {
      "content-type": "application/json",
      "x-smartrecruiters-signature": FORGED,
      "content-length": 100,
      ...headers,
    });
  const isOpen = ({ socket }: Line) => !socket.destroyed && !socket.readableEnded;

  test("fairly by address: whoever has most of them loses one to a newcomer", async () => {
    const { service } = await servingWith(MOST);
    const lines = Array.from({ length: 64 }, () => open(service, half(), "127.0.0.2"));
    await until("half of them are refused", () => lines.filter(isOpen).length === 32);
    for (const from of ["127.0.0.3", "127.0.0.4"]) {
      const line = open(service, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", from);
      await until("the newcomer is served", () => statusOf(line) === 200);
    }
    expect((await send(service.url, invite()))?.status).toBe(202);
  });

  test("as many as there are: those that ended in the same turn make room for newcomers", async () => {
    const { service } = await servingWith(MOST);
    const slow = open(service, "GET /healthz HTTP/1.1\r\nhost: x\r\n");
    const leaving = Array.from({ length: 31 }, () => open(service, half({ expect: "100-continue" })));
    await until("all are read", () => leaving.every((line) => line.heard().includes("100 Continue")));
    service.child.kill("SIGSTOP");
    for (const { socket } of leaving) socket.resetAndDestroy();
    const newcomers = Array.from({ length: 20 }, () => open(service, half({ expect: "100-continue" })));
    await until("they wait", () => newcomers.every(({ socket }) => socket.readyState === "open"));
    service.child.kill("SIGCONT");
    await until("they are read", () => newcomers.every((line) => line.heard().includes("100 Continue")));
    slow.socket.write("\r\n");
    await until("who came first is answered", () => statusOf(slow) === 200);
  });

  test("behind a trusted proxy by who it says that they are, and by nobody else's word", async () => {
    const { service } = await servingWith({ ...MOST, JC_SERVE_TRUSTED_PROXIES: "127.0.0.2, 10.0.0.0/8" });
    const others = Array.from({ length: 4 }, (_, n) =>
      open(
        service,
        half({ "x-forwarded-for": `198.51.100.${n}, 10.1.1.1`, expect: "100-continue" }),
        "127.0.0.2",
      ),
    );
    // Before its header is read a connection counts as the proxy's own.
    await until("theirs are read", () => others.every((line) => line.heard().includes("100 Continue")));
    const one = Array.from({ length: 60 }, (_, n) =>
      // What stands further left he made up himself.
      open(service, half({ "x-forwarded-for": `203.0.113.${n}, 192.0.2.7` }), "127.0.0.2"),
    );
    await until("there are no more than may be", () => [...others, ...one].filter(isOpen).length <= 32);
    expect(others.filter(isOpen)).toHaveLength(4);
    const liar = Array.from({ length: 40 }, (_, n) =>
      open(service, half({ "x-forwarded-for": `198.51.100.${100 + n}` }), "127.0.0.9"),
    );
    await until(
      "there are no more than may be",
      () => [...others, ...one, ...liar].filter(isOpen).length <= 32,
    );
    expect(others.filter(isOpen)).toHaveLength(4);
    expect(liar.filter(isOpen).length).toBeLessThan(18);
  });
});
