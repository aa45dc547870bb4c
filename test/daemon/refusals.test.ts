/** What `serve` refuses leaves a trace; what it cannot judge is nobody's fault but ours. */
import { connect as dial } from "node:net";
import { rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as v from "valibot";
import { launchService, type Service } from "../end-to-end/program.ts";
import { connected, invite, sign, succeed, until, WEBHOOK_SECRET, type World } from "../world.ts";

const Refused = v.array(
  v.object({
    source: v.string(),
    n: v.number(),
    reasons: v.array(v.object({ reason: v.string(), n: v.number() })),
    told: v.array(v.string()),
    banner: v.nullable(v.string()),
  }),
);

async function refusedIn(world: World) {
  return v.parse(Refused, Object((await world.run(["status", "--json"])).json).refused);
}

const Listed = v.object({
  refused: v.array(v.object({ source: v.string(), reason: v.string(), times: v.number() })),
});

interface Call {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Leaves out the signature and all that belongs to it. */
  isUnsigned?: boolean;
}

async function call({ url }: Service, { path = "/jobcannon/events", method = "POST", ...rest }: Call = {}) {
  const body = rest.body ?? JSON.stringify(invite());
  const signed = rest.isUnsigned ? { "content-type": "application/json" } : sign(body);
  const headers = { ...signed, ...rest.headers };
  const answer = await fetch(url + path, { method, headers, ...(method === "GET" ? {} : { body }) });
  return { status: answer.status, retryAfter: answer.headers.get("retry-after"), body: await answer.text() };
}

/** Bytes as they are; resolves when the other side has closed. */
function raw({ url }: Service, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = dial(Number(port), hostname, () => socket.write(bytes));
    let answer = "";
    socket.on("data", (chunk) => {
      answer += chunk;
    });
    socket.on("close", () => resolve(answer)).on("error", reject);
  });
}

describe("what is refused is counted by source and reason", () => {
  const CASES: [what: string, call: Call, status: number, reason: RegExp][] = [
    ["a body that is too large", { body: " ".repeat(1024 * 1024 + 1) }, 413, /over 1 MiB/],
    [
      "a content type that is none of ours",
      { headers: { "content-type": "text/plain" } },
      415,
      /content type/,
    ],
    ["a compressed body", { headers: { "content-encoding": "gzip" } }, 415, /compressed/],
    ["another method", { method: "PUT" }, 405, /only POST/],
    ["a path beside the source's", { path: "/jobcannon/event" }, 404, /webhooks go to \/jobcannon\/events/],
    ["the path with a slash behind it", { path: "/jobcannon/events/" }, 404, /webhooks go to/],
    ["the path behind a proxy's prefix", { path: "/api/JobCannon/events" }, 404, /webhooks go to/],
    ["a body that is no event", { body: "[]" }, 400, /not an object/],
    [
      "a signature of somebody else",
      { headers: { "webhook-signature": `v1,${"A".repeat(43)}=` } },
      401,
      /fits none/,
    ],
    ["no signature", { isUnsigned: true }, 401, /webhook-id is missing/],
  ];

  test("in status and in webhooks log, and shown from the first good event on until the next", async () => {
    const world = await connected();
    const service = await launchService(world);
    for (const [what, bad, status] of CASES) expect((await call(service, bad)).status, what).toBe(status);
    await until("all are counted", async () => (await refusedIn(world))[0]?.n === CASES.length);
    const [jobcannon] = await refusedIn(world);
    expect(jobcannon?.source).toBe("jobcannon");
    for (const [what, , , reason] of CASES)
      expect(
        jobcannon?.reasons.some((each) => reason.test(each.reason)),
        what,
      ).toBe(true);
    const log = v.parse(
      Listed,
      (await succeed(world, ["webhooks", "log", "--vendor", "jobcannon", "--json"])).json,
    );
    expect(log.refused.reduce((sum, { times }) => sum + times, 0)).toBe(CASES.length);
    expect(jobcannon?.banner).toBeNull();
    await call(service, { isUnsigned: true });
    await call(service, { isUnsigned: true });
    // Ten calls are no passer-by's.
    await until("it is told", async () => (await refusedIn(world))[0]?.banner !== null);
    expect((await refusedIn(world))[0]?.told).toEqual(["call"]);
    const { out, code } = await world.run(["status"]);
    expect(code).toBe(0);
    expect(out).toMatch(/! 12 webhooks of JobCannon refused, the last at \d{4}-/);
    expect(out).toContain("See: jc-integrations webhooks log --vendor jobcannon --org acme");
    expect(out).not.toContain("jc-integrations secrets set jobcannon.webhook-secret");
    expect(service.err().match(/webhooks refused/g)?.length).toBeLessThanOrEqual(CASES.length + 2);

    expect((await call(service)).status).toBe(202);
    await until("the next good one ends it", async () => (await refusedIn(world)).length === 0);
    expect((await world.run(["status"])).out).not.toContain("refused");
    const shown = await succeed(world, ["webhooks", "log", "--vendor", "jobcannon"]);
    expect(shown.out).toMatch(/taken +msg_\d+ +invite\.completed/);
    expect(shown.out).toMatch(/refused +webhook-id is missing/);

    await call(service, { isUnsigned: true });
    await until("it is counted", async () => (await refusedIn(world)).length === 1);
    expect((await refusedIn(world))[0]?.banner).toBeNull();
    await call(service, { headers: { "webhook-signature": `v1,${"A".repeat(43)}=` } });
    await until(
      "a single one that was signed shows now",
      async () => (await refusedIn(world))[0]?.banner !== null,
    );
    expect((await world.run(["status"])).out).toContain(
      "where its secret was changed: jc-integrations secrets set jobcannon.webhook-secret",
    );
  });

  test("no passer-by raises a banner, not even with a good one before for another source", async () => {
    const world = await connected();
    const service = await launchService(world);
    for (const path of ["/jobcannon/.env", "/smartrecruiters/", "/wp-login.php"])
      await call(service, { path });
    await until("they are counted", async () => (await refusedIn(world)).length === 2);
    expect((await refusedIn(world)).map(({ source, n, banner }) => [source, n, banner])).toEqual([
      ["jobcannon", 1, null],
      ["smartrecruiters", 1, null],
    ]);
  });

  test("what is no HTTP is answered as such, and counted with nobody's name", async () => {
    const world = await connected();
    const service = await launchService(world);
    expect(await raw(service, "GARBAGE\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw(service, `GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    const chunked = "POST /jobcannon/events HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n";
    const headers = Object.entries(sign("{}")).map(([name, value]) => `${name}: ${value}\r\n`);
    expect(await raw(service, `${chunked}${headers.join("")}\r\nZZ\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    await until("they are counted", async () => (await refusedIn(world)).length === 2);
    expect(await refusedIn(world)).toMatchObject([
      { source: "jobcannon", n: 1 },
      { source: "listener", n: 2 },
    ]);
    const listed = await succeed(world, ["webhooks", "log", "--vendor", "listener"]);
    expect(listed.out).toMatch(/refused +the request is no HTTP that can be read/);
  });
});

describe("a source without any secret", () => {
  const LOST: [what: string, code: number, lose: (world: World) => unknown][] = [
    [
      "it was removed",
      2,
      (world) => succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]),
    ],
    [
      "vault.db is missing, as after restoring a backup",
      // HubSpot's tokens went with it.
      5,
      ({ stateDir }) => rmSync(join(stateDir, "vault.db")),
    ],
    ["vault.db is empty", 5, ({ stateDir }) => truncateSync(join(stateDir, "vault.db"))],
  ];

  test.each(LOST)(
    "(%s) answers 503 before the body, and the one command that status names mends it",
    async (_, code, lose) => {
      const world = await connected();
      await lose(world);
      const service = await launchService(world);
      for (const bad of [{}, { isUnsigned: true }, { body: " ".repeat(1024) }])
        expect(await call(service, bad)).toMatchObject({ status: 503, retryAfter: "5" });
      const ready = await fetch(`${service.url}/readyz`);
      expect([ready.status, await ready.json()]).toEqual([503, { status: expect.stringMatching(/secrets/) }]);

      const status = await world.run(["status"]);
      expect(status.code).toBe(code);
      expect(status.out).toContain("JobCannon has no webhook secret here");
      const [, command = ""] = /jc-integrations (secrets set \S+)/.exec(status.out + status.err) ?? [];
      await succeed(world, command.split(" "), WEBHOOK_SECRET);
      await until("it is ready", async () => (await fetch(`${service.url}/readyz`)).status === 200);
      expect((await call(service)).status).toBe(202);
      expect((await call(service, { isUnsigned: true })).status).toBe(401);
    },
  );
});
