/** What strangers can take from the built `serve` where it speaks TLS itself: the limits of plain HTTP hold there too. */
import { connect as connectByTls } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { askByTls, issued, missingForCertificates, tlsSettings } from "../certificates.ts";
import { launchService, type Service } from "../end-to-end/program.ts";
import { leastOf, msOf } from "../least.ts";
import { freshWorld, succeed, until, WEBHOOK_SECRET } from "../world.ts";
import { FORGED, type Line, memoryMib, open, request } from "./stranger.ts";

const SMARTRECRUITERS = "/smartrecruiters/webhooks";
const pair = () => issued();

async function servingByTls(env: Record<string, string> = {}) {
  const its = pair();
  const world = await freshWorld({ env: { ...tlsSettings(its), ...env } });
  await succeed(world, ["secrets", "set", "jobcannon.webhook-secret"], WEBHOOK_SECRET);
  // Without one a request is refused at once, and its connection closed.
  await succeed(
    world,
    ["secrets", "set", "smartrecruiters.webhook-secret"],
    "a-secret-of-smartrecruiters-0123456789",
  );
  const service = await launchService(world);
  const base = `https://localhost:${new URL(service.url).port}`;
  const isWell = async () => (await askByTls(`${base}/healthz`, { ca: its.ca })).status === 200;
  return { service, isWell };
}

/** Past the handshake; says something if it is given something to say. */
function secured({ url }: Service, said: string | Buffer = "", from?: string): Line {
  const { hostname: host, port } = new URL(url);
  const options = { host, port: Number(port), rejectUnauthorized: false };
  const socket = connectByTls({ ...options, ...(from ? { localAddress: from } : {}) });
  let heard = "";
  let isReset = false;
  socket.on("data", (chunk) => {
    heard += chunk.toString("latin1");
  });
  socket.on("error", () => {
    isReset = true;
  });
  if (said.length > 0) socket.write(said);
  onTestFinished(() => void socket.destroy());
  return {
    socket,
    heard: () => heard,
    closed: new Promise((resolve) => socket.once("close", () => resolve(isReset ? "reset" : "end"))),
  };
}

const half = request(SMARTRECRUITERS, {
  "content-type": "application/json",
  "x-smartrecruiters-signature": FORGED,
  "content-length": 100,
});
/** The first bytes of a handshake, and no more of it. */
const HELLO_BEGUN = Buffer.from("160301020001000000", "hex");
const isOpen = ({ socket }: Line) => !socket.destroyed && !socket.readableEnded;

test.skipIf(missingForCertificates !== null)(
  "whoever never ends a handshake, or says nothing after it, is sent away within 2 s of his time",
  async () => {
    const { service, isWell } = await servingByTls();
    const longestMs = () =>
      msOf(async () => {
        const lines = [
          open(service),
          open(service, HELLO_BEGUN),
          secured(service),
          secured(service, "POST / HTTP/1.1\r\nhost: x\r\n"),
        ];
        await Promise.all(lines.map(({ closed }) => closed));
      });
    const least = await leastOf(12_500, longestMs);
    expect(least).toBeLessThan(12_500);
    expect(least).toBeGreaterThan(5_000);
    expect(await isWell()).toBe(true);
  },
);

test.skipIf(missingForCertificates !== null)(
  "what is no TLS ends its connection at once, and holds up nobody",
  async () => {
    const { service, isWell } = await servingByTls();
    const garbage = [
      "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
      Buffer.alloc(70_000, 0x16),
      Buffer.alloc(500, 0xff),
    ];
    for (const said of garbage) await open(service, said).closed;
    for (let n = 0; n < 200; n += 1) await open(service, HELLO_BEGUN.subarray(0, n % 9)).socket.destroy();
    expect(await isWell()).toBe(true);
  },
);

describe.skipIf(missingForCertificates !== null)("connections are shared", () => {
  const MOST = { JC_SERVE_MAX_CONNECTIONS: "32" };

  test("fairly by address, handshakes that are under way among them", async () => {
    const { service, isWell } = await servingByTls(MOST);
    const lines = [
      ...Array.from({ length: 40 }, () => open(service, HELLO_BEGUN, "127.0.0.2")),
      ...Array.from({ length: 24 }, () => secured(service, half, "127.0.0.2")),
    ];
    await until("half of them are refused", () => lines.filter(isOpen).length <= 32);
    for (const from of ["127.0.0.3", "127.0.0.4"]) {
      const line = secured(service, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", from);
      await until("the newcomer is served", () => line.heard().startsWith("HTTP/1.1 200"));
    }
    expect(await isWell()).toBe(true);
  });

  test("behind a trusted proxy by who it says that they are", async () => {
    const { service } = await servingByTls({ ...MOST, JC_SERVE_TRUSTED_PROXIES: "127.0.0.2" });
    const from = (client: string) =>
      request(SMARTRECRUITERS, {
        "content-type": "application/json",
        "x-smartrecruiters-signature": FORGED,
        "content-length": 100,
        "x-forwarded-for": client,
        expect: "100-continue",
      });
    const others = Array.from({ length: 4 }, (_, n) =>
      secured(service, from(`198.51.100.${n}`), "127.0.0.2"),
    );
    // Before its header is read a connection counts as the proxy's own.
    await until("theirs are read", () => others.every((line) => line.heard().includes("100 Continue")));
    const one = Array.from({ length: 60 }, () => secured(service, from("192.0.2.7"), "127.0.0.2"));
    await until("there are no more than may be", () => [...others, ...one].filter(isOpen).length <= 32);
    expect(others.filter(isOpen)).toHaveLength(4);
  });
});

test.skipIf(missingForCertificates !== null)(
  "a thousand handshakes that come to nothing leave no memory taken",
  async () => {
    const { service, isWell } = await servingByTls();
    const wave = async () => {
      const lines = Array.from({ length: 500 }, () => open(service, HELLO_BEGUN));
      await until("they are there", () => lines.every(({ socket }) => !socket.connecting));
      expect(await isWell()).toBe(true);
      for (const { socket } of lines) socket.destroy();
    };
    await wave();
    const before = memoryMib(service);
    const moreMib = async () => {
      await wave();
      return memoryMib(service) - before;
    };
    expect(await leastOf(48, moreMib)).toBeLessThan(48);
  },
);
