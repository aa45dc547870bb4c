/** The admin listener of the built `serve`: who may see what. */
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { describe, expect, onTestFinished, test } from "vitest";
import { open } from "../attacks/stranger.ts";
import { askByTls, issued, missingForCertificates, tlsSettings } from "../certificates.ts";
import { launch, launchService } from "../end-to-end/program.ts";
import { leastOf, msOf } from "../least.ts";
import { connected, freePort, freshWorld, prepared, succeed, until } from "../world.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
const METRICS = "# TYPE jc_build_info gauge";

interface Told {
  status: number;
  type: string;
  body: string;
}

/** With whatever headers, also those that `fetch` keeps to itself. */
function ask(url: string, headers: Record<string, string> = {}, method = "GET"): Promise<Told> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers, method }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      const { statusCode: status = 0, headers } = answer;
      answer.on("end", () => resolve({ status, type: headers["content-type"] ?? "", body }));
    });
    asked.on("error", reject).end();
  });
}

describe("on loopback", () => {
  test("says whether it lives, how it does with the whole reason, and what it counts", async () => {
    const { adminUrl, url, err } = await launchService(await connected());
    expect(err()).not.toContain("Warning");
    expect(await ask(`${adminUrl}/healthz`)).toMatchObject({ status: 200, body: '{"status":"ok"}\n' });
    expect(await ask(`${adminUrl}/readyz`)).toMatchObject({
      status: 200,
      body: '{"status":"ready","reasons":[]}\n',
    });
    const metrics = await ask(`${adminUrl}/metrics`);
    expect(metrics).toMatchObject({ status: 200, type: "text/plain; version=0.0.4; charset=utf-8" });
    expect(metrics.body).toContain(METRICS);
    expect((await ask(`${adminUrl}/metrics`, {}, "HEAD")).body).toBe("");
    expect((await ask(`${url}/metrics`)).status).toBe(404);
  });

  test("gives the reason that strangers are not told", async () => {
    const world = await connected();
    await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    const { adminUrl, url } = await launchService(world);
    const told = await ask(`${adminUrl}/readyz`);
    expect(told.status).toBe(503);
    expect(JSON.parse(told.body)).toEqual({
      status: "secrets",
      reasons: [
        {
          message: expect.stringContaining("JobCannon has no webhook secret here"),
          hint: "jc-integrations secrets set jobcannon.webhook-secret",
        },
      ],
    });
    expect((await ask(`${url}/readyz`)).body).toBe('{"status":"secrets"}\n');
  });

  test("gives it, as the journal does, with the places that serve was given", async () => {
    const world = await connected();
    await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    const env = { JC_CONFIG: "", JC_STATE_DIR: "" };
    const places = ["--config", "config.toml", "--state-dir", world.stateDir];
    const running = world.start(["serve", "--json", ...places], { env });
    const { admin } = await until("serve listens", () => running.out() !== "" && JSON.parse(running.out()));
    const typed = `jc-integrations --config ${world.configFile} --state-dir ${world.stateDir} secrets set jobcannon.webhook-secret`;
    const told = JSON.parse((await ask(`http://${admin}/readyz`)).body);
    expect(told.reasons[0].hint).toBe(typed);
    expect(running.err()).toContain(typed);
  });

  test.each(["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8471", "10.0.0.1", "[::2]"])(
    "a page of elsewhere that calls it %s is sent away, and learns nothing",
    async (host) => {
      const { adminUrl } = await launchService(await prepared());
      for (const path of ["/metrics", "/readyz", "/nothing"])
        expect(await ask(adminUrl + path, { host }), path).toMatchObject({
          status: 421,
          body: '{"error":"this listener has no such name"}\n',
        });
    },
  );

  test.each(["localhost", "LOCALHOST:1234", "127.0.0.1", "127.9.9.9:80", "[::1]:8471"])(
    "is called %s by a browser of this machine, or by nothing at all",
    async (host) => {
      const { adminUrl } = await launchService(await prepared());
      expect((await ask(`${adminUrl}/metrics`, { host })).status).toBe(200);
      const { hostname, port } = new URL(adminUrl);
      const bare = connect({ host: hostname, port: Number(port) });
      bare.end("GET /readyz HTTP/1.0\r\n\r\n");
      const [said] = await once(bare, "data");
      expect(String(said)).toContain("200 OK");
    },
  );

  test.each(["x-forwarded-for", "forwarded", "x-real-ip", "via"])(
    "what a proxy on this machine passes on (%s) needs the token",
    async (header) => {
      const world = await prepared();
      await succeed(world, ["secrets", "set", "serve.metrics-token"], TOKEN);
      const { adminUrl } = await launchService(world);
      const passedOn = { [header]: "192.0.2.1" };
      expect(await ask(`${adminUrl}/metrics`, passedOn)).toMatchObject({ status: 401 });
      expect((await ask(`${adminUrl}/readyz`, passedOn)).body).toBe('{"status":"ready"}\n');
      const known = { ...passedOn, host: "metrics.example.com", authorization: `Bearer ${TOKEN}` };
      expect((await ask(`${adminUrl}/metrics`, known)).body).toContain(METRICS);
    },
  );

  test("takes nothing but GET", async () => {
    const { adminUrl } = await launchService(await prepared());
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
      expect((await ask(`${adminUrl}/metrics`, {}, method)).status, method).toBe(405);
  });
});

/** An address of this machine that is no loopback. */
const outward = Object.values(networkInterfaces())
  .flat()
  .find((each) => each && !each.internal && each.family === "IPv4")?.address;
const needsNetwork = outward === undefined || missingForCertificates !== null;

describe.skipIf(needsNetwork)("for other machines", () => {
  const elsewhere = async (env: Record<string, string> = {}) => {
    const port = await freePort();
    const world = await prepared({ env: { JC_SERVE_ADMIN_LISTEN: `${outward}:${port}`, ...env } });
    return { world, base: `https://${outward}:${port}` };
  };

  test("is refused without TLS, with 2 and what to do", async () => {
    const { world } = await elsewhere();
    const { code, err } = await world.run(["serve"]);
    expect(code).toBe(2);
    expect(err).toContain("would send its token in the clear");
    expect(err).toContain("serve.tls_cert");
  });

  test("tells nobody anything but one word until the token is set, and then who knows it", async () => {
    const pair = issued();
    const { world, base } = await elsewhere(tlsSettings(pair));
    const service = await launchService(world);
    const told = (path: string, authorization?: string) =>
      askByTls(base + path, {
        ca: pair.ca,
        checkServerIdentity: () => undefined,
        ...(authorization === undefined ? {} : { headers: { authorization } }),
      });
    await until("the journal tells", () => service.err().includes("no token is set"));
    expect(service.err()).toContain("secrets set serve.metrics-token");
    expect(await told("/metrics", `Bearer ${TOKEN}`)).toMatchObject({ status: 401 });
    await succeed(world, ["secrets", "set", "serve.metrics-token"], TOKEN);
    const knows = async () => (await told("/metrics", `Bearer ${TOKEN}`)).status === 200;
    await until("the token counts", knows);
    for (const wrong of [
      undefined,
      "",
      "Bearer",
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(1)}`,
      `Basic ${TOKEN}`,
    ])
      expect(await told("/metrics", wrong), wrong).toMatchObject({
        status: 401,
        headers: { "www-authenticate": "Bearer" },
      });
    expect((await told("/readyz")).body).toBe('{"status":"ready"}\n');
    expect(JSON.parse((await told("/readyz", `bearer ${TOKEN}`)).body)).toEqual({
      status: "ready",
      reasons: [],
    });
    expect((await told("/healthz")).status).toBe(200);
    expect(service.err()).not.toContain(TOKEN);
  });
});

describe("its port", () => {
  const taken = async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    onTestFinished(() => void other.close());
    const bound = other.address();
    return `127.0.0.1:${typeof bound === "object" ? bound?.port : ""}`;
  };

  test("that was chosen and is taken ends serve with 2, as the public one does", async () => {
    const world = await freshWorld({ env: { JC_SERVE_ADMIN_LISTEN: await taken() } });
    const { code, err, out } = await world.run(["serve", "--json"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("is in use by another process");
    expect(err).toContain("set another serve.admin_listen");
  });

  test("that nobody chose and is taken keeps no webhook away: it is told", async () => {
    const world = await prepared();
    const config = `org = "acme"\n[serve]\nlisten = "127.0.0.1:0"\n[vault]\nbackend = "sealed"\nkey_file = "vault.key"\n`;
    world.file("defaults.toml", [config.trimEnd()]);
    const other = createServer();
    // Where somebody else has it already, that serves as well.
    other.on("error", () => {}).listen(8471, "127.0.0.1");
    onTestFinished(() => void other.close());
    await Promise.race([once(other, "listening"), once(other, "error")]);
    const program = launch(world, ["serve", "--json", "--config", `${world.dir}/defaults.toml`]);
    await until("serve listens", () => program.out().includes("\n"));
    expect(JSON.parse(program.out())).toMatchObject({ admin: null });
    await until("the journal tells", () =>
      /no metrics are served: 127\.0\.0\.1:8471 is in use.*admin_listen/.test(program.err()),
    );
  });

  test("may be none at all", async () => {
    const world = await prepared({ env: { JC_SERVE_ADMIN_LISTEN: "none" } });
    const program = launch(world, ["serve", "--json"]);
    await until("serve listens", () => program.out().includes("\n"));
    expect(JSON.parse(program.out())).toMatchObject({ admin: null });
    expect(program.err()).not.toContain("no metrics");
    const wrong = await world.run(["config", "check"], { env: { JC_SERVE_ADMIN_LISTEN: "nowhere" } });
    expect(wrong.out + wrong.err).toContain("must be host:port, as 127.0.0.1:8470, or none");
  });
});

describe("the secret serve.metrics-token", () => {
  test.each([
    [["--org", "acme"], "no org and no sandbox has one of its own"],
    [["--sandbox"], "no org and no sandbox has one of its own"],
  ])("with %j is refused", async (options, words) => {
    const world = await freshWorld();
    const run = await world.run(["secrets", "set", "serve.metrics-token", ...options], { stdin: TOKEN });
    expect(run).toMatchObject({ code: 2, err: expect.stringContaining(words) });
  });

  test.each(["short", "with a space in between it", "ümlaut-0123456789abcdef"])(
    "%j is refused",
    async (token) => {
      const world = await freshWorld();
      const run = await world.run(["secrets", "set", "serve.metrics-token"], { stdin: token });
      expect(run).toMatchObject({ code: 2, err: expect.stringContaining("openssl rand -hex 32") });
      expect(run.err).not.toContain(token);
    },
  );

  test("is named where somebody writes it into the configuration", async () => {
    const world = await freshWorld();
    const run = await world.run(["status"], { env: { JC_SERVE_METRICS_TOKEN: TOKEN } });
    expect(run).toMatchObject({ code: 2, err: expect.stringContaining("secrets set serve.metrics-token") });
  });
});

test("strangers' connections are few, end in time, and cost webhooks nothing", async () => {
  const { adminUrl, url } = await launchService(await prepared());
  const admin = { url: adminUrl };
  const endMs = () =>
    msOf(async () => {
      const lines = Array.from({ length: 100 }, () => open(admin, "GET /metrics HTTP/1.1\r\nhost: x\r\n"));
      const isOpen = ({ socket }: (typeof lines)[number]) => !socket.destroyed && !socket.readableEnded;
      await until("most of them are sent away", () => lines.filter(isOpen).length <= 16);
      expect((await ask(`${url}/healthz`)).status).toBe(200);
      await Promise.all(lines.map(({ closed }) => closed));
    });
  expect(await leastOf(12_500, endMs)).toBeLessThan(12_500);
  const body = open(admin, "GET /metrics HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9999999\r\n\r\n");
  body.socket.write(Buffer.alloc(3 * 1024 * 1024));
  expect(await body.closed).toBe("end");
  expect((await ask(`${adminUrl}/metrics`)).status).toBe(200);
});
