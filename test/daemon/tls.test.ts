/** TLS of the built `serve`, as senders, strangers with openssl and operators meet it. */
import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askByTls, type Issued, issued, missingForCertificates, tlsSettings } from "../certificates.ts";
import { temporaryDirectory } from "../directory.ts";
import { launchService, type Service } from "../end-to-end/program.ts";
import { connected, freePort, freshWorld, invite, prepared, sign, until, type World } from "../world.ts";

const DAY_MS = 24 * 3_600_000;

interface Secured extends Service {
  world: World;
  /** As `https://localhost:…`. */
  base: string;
}

async function servingBy(pair: Issued, world?: World, env: Record<string, string> = {}): Promise<Secured> {
  const it = world ?? (await prepared());
  it.env = { ...it.env, ...tlsSettings(pair), ...env };
  const service = await launchService(it);
  return { ...service, world: it, base: `https://localhost:${new URL(service.url).port}` };
}

/** What `openssl s_client` says when it was let in, or not. */
function handshake({ url }: Service, args: readonly string[], said = ""): Promise<string> {
  const { host } = new URL(url);
  const client = spawn("openssl", ["s_client", "-connect", host, "-servername", "localhost", ...args]);
  let heard = "";
  for (const stream of [client.stdout, client.stderr])
    stream.on("data", (chunk) => {
      heard += chunk;
    });
  client.stdin.on("error", () => {});
  client.stdin.end(said);
  return new Promise((resolve) => client.on("close", () => resolve(heard)));
}

const fingerprintOf = ({ certFile }: Issued) => new X509Certificate(readFileSync(certFile)).fingerprint256;

/** Files that change, and another pair to change them to. */
function renewable(first: Issued): Issued & { become(next: Issued): void } {
  const dir = temporaryDirectory();
  const files = { certFile: join(dir, "cert.pem"), keyFile: join(dir, "key.pem") };
  const become = ({ certFile, keyFile }: Issued) => {
    for (const [from, to] of [
      [certFile, files.certFile],
      [keyFile, files.keyFile],
    ] as const) {
      copyFileSync(from, `${to}.new`);
      renameSync(`${to}.new`, to);
    }
  };
  become(first);
  return { ...first, ...files, become };
}

describe.skipIf(missingForCertificates !== null)("TLS", () => {
  test("takes webhooks, from who trusts the certificate's authority", async () => {
    const pair = issued();
    const { base } = await servingBy(pair);
    const body = JSON.stringify(invite());
    const post = { method: "POST", headers: sign(body), body };
    const taken = await askByTls(`${base}/jobcannon/events`, { ca: pair.ca, ...post });
    expect(taken).toMatchObject({ status: 202, protocol: "TLSv1.3", fingerprint: fingerprintOf(pair) });
    await expect(askByTls(`${base}/healthz`, { ca: issued().ca })).rejects.toThrow(/self-signed|certificate/);
  });

  test("is 1.2 or newer, with forward secrecy and authenticated ciphers, whatever openssl asks for", async () => {
    const service = await servingBy(issued({ kind: "rsa" }));
    const low = ["-cipher", "ALL:@SECLEVEL=0"];
    for (const old of ["-tls1", "-tls1_1"])
      expect(await handshake(service, [old, ...low])).toMatch(/alert protocol version/);
    for (const cipher of ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "AECDH-AES128-SHA", "NULL-SHA256"])
      expect(await handshake(service, ["-tls1_2", "-cipher", `${cipher}:@SECLEVEL=0`]), cipher).toMatch(
        /alert handshake failure/,
      );
    expect(await handshake(service, ["-tls1_2"])).toMatch(/New, TLSv1.2, Cipher is ECDHE-RSA-/);
    expect(await handshake(service, ["-tls1_3"])).toMatch(/New, TLSv1.3, Cipher is TLS_/);
    expect(await handshake(service, ["-tls1_2"], "R\n")).toMatch(/no renegotiation/);
  });

  test("is spoken by whatever name a stranger gives, and plain HTTP is not", async () => {
    const pair = issued();
    const service = await servingBy(pair);
    for (const name of ["a".repeat(255), "nobody.example", "xn--%00", "..", "*"])
      expect(await handshake(service, ["-servername", name]), name).toMatch(/New, TLSv1.3/);
    await expect(fetch(`${service.url}/healthz`)).rejects.toThrow();
    expect((await askByTls(`${service.base}/readyz`, { ca: pair.ca })).status).toBe(200);
  });

  test("is spoken by status too, where only the service knows that its log was taken away", async () => {
    const port = await freePort();
    const { world } = await servingBy(issued(), undefined, { JC_SERVE_LISTEN: `127.0.0.1:${port}` });
    renameSync(world.stateDir, join(world.dir, "elsewhere"));
    const told = async () => (await world.run(["status"], { env: world.env })).out;
    await until("status tells it", async () => (await told()).includes("serve runs on another file"));
  });

  test("carries an admin's consent, whose cookie only https brings back", async () => {
    const pair = issued();
    const { base, world } = await servingBy(pair);
    const env = { JC_SERVE_PUBLIC_URL: base };
    const { out } = await world.run(["connect", "hubspot", "--via-service"], { env });
    const page = await askByTls(out.trim(), { ca: pair.ca });
    expect(page).toMatchObject({ status: 200, body: expect.stringContaining("Continue to HubSpot") });
    const headers = { "sec-fetch-site": "same-origin" };
    const pressed = await askByTls(out.trim(), { ca: pair.ca, method: "POST", headers });
    expect(pressed.status).toBe(303);
    expect(String(pressed.headers["set-cookie"])).toMatch(/^__Host-jc-consent=.*; Secure$/);
  });
});

describe.skipIf(missingForCertificates !== null)("a certificate that is renewed", () => {
  test("is shown to new connections within seconds, and drops none of the old", async () => {
    const [first, second] = [issued(), issued({ until: Date.now() + 200 * DAY_MS })];
    const files = renewable(first);
    const { base, world, child, ended } = await servingBy(files);
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: first.ca });
    const onOld = () => askByTls(`${base}/healthz`, { ca: first.ca, agent });
    const shown = async () => (await askByTls(`${base}/healthz`, { ca: first.ca + second.ca })).fingerprint;
    expect((await onOld()).fingerprint).toBe(fingerprintOf(first));
    files.become(second);
    await until("the new one is shown", async () => (await shown()) === fingerprintOf(second));
    // Its own connection, still open, shows what it was opened with; a new one would not be trusted.
    expect(await onOld()).toMatchObject({ status: 200, fingerprint: fingerprintOf(first) });
    agent.destroy();
    const endsAt = new Date(new X509Certificate(second.ca).validTo).toISOString();
    const { json, out } = await world.run(["status", "--json"]);
    expect(json).toMatchObject({ services: [{ tls: { names: "localhost, 127.0.0.1", problem: null } }] });
    expect(out).toContain(endsAt.replace(".000Z", ""));
    child.kill("SIGTERM");
    expect((await ended).code).toBe(0);
  });

  test("is read at SIGHUP too", async () => {
    const [first, second] = [issued(), issued()];
    const files = renewable(first);
    const { base, child } = await servingBy(files);
    files.become(second);
    child.kill("SIGHUP");
    const shown = () => askByTls(`${base}/healthz`, { ca: first.ca + second.ca });
    await until("the new one is shown", async () => (await shown()).fingerprint === fingerprintOf(second));
  });

  const wrongs: [what: string, breakIt: (files: Issued, other: Issued) => void, words: RegExp][] = [
    ["without its key", (files, other) => copyFileSync(other.certFile, files.certFile), /does not belong/],
    ["gone", (files) => rmSync(files.certFile), /there is no file/],
    ["cut off", (files) => writeFileSync(files.certFile, files.ca.slice(0, 300)), /holds no certificate/],
  ];
  test.each(wrongs)(
    "%s leaves the old one in use, and is told until it is mended",
    async (_, breakIt, words) => {
      const [first, second] = [issued(), issued()];
      const files = renewable(first);
      const { base, world, err } = await servingBy(files);
      breakIt(files, second);
      await until("the journal tells it", () => err().includes("the new certificate is not taken"));
      expect(err()).toMatch(words);
      expect((await askByTls(`${base}/healthz`, { ca: first.ca })).fingerprint).toBe(fingerprintOf(first));
      const told = async () => (await world.run(["status"])).out;
      await until("status tells it", async () => words.test(await told()));
      expect(await world.run(["status"])).toMatchObject({ code: 2, err: expect.stringMatching(words) });
      files.become(second);
      await until("it is mended", async () => !words.test(await told()));
      expect((await askByTls(`${base}/healthz`, { ca: second.ca })).fingerprint).toBe(fingerprintOf(second));
    },
  );

  test("by one that has ended leaves the old one in use", async () => {
    const first = issued();
    const files = renewable(first);
    const { base, err } = await servingBy(files);
    files.become(issued({ from: Date.now() - 9 * DAY_MS, until: Date.now() - DAY_MS }));
    await until("the journal tells it", () => /the certificate for localhost.* ended at/.test(err()));
    expect((await askByTls(`${base}/healthz`, { ca: first.ca })).status).toBe(200);
  });
});

describe.skipIf(missingForCertificates !== null)("a pair that cannot be used", () => {
  const written = (name: string, text: string) => {
    const path = join(temporaryDirectory(), name);
    writeFileSync(path, text);
    return path;
  };
  const locked = (pair: Issued) => {
    const key = readFileSync(pair.keyFile, "utf8").replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    return { ...pair, keyFile: written("locked.pem", key) };
  };
  const wrongs: [what: string, pair: () => Issued, words: string][] = [
    [
      "of two orders",
      () => ({ ...issued(), keyFile: issued().keyFile }),
      "does not belong to the first certificate",
    ],
    [
      "in the wrong order",
      () => {
        const [own, other] = [issued(), issued()];
        return { ...own, certFile: written("chain.pem", other.ca + own.ca) };
      },
      "one further down",
    ],
    ["locked with a passphrase", () => locked(issued()), "locked with a passphrase"],
    ["without a certificate", () => ({ ...issued(), certFile: "/nowhere/cert.pem" }), "there is no file"],
    ["with a directory", () => ({ ...issued(), keyFile: "/etc" }), "/etc is no file"],
    ["that is empty", () => ({ ...issued(), certFile: written("empty.pem", "\n") }), "is empty"],
    ["exchanged", () => swapped(issued()), "holds no certificate"],
    ["of text", () => ({ ...issued(), keyFile: written("text.pem", "hello") }), "holds no private key"],
    ["half set", () => ({ ...issued(), keyFile: "" }), "serve.tls_cert is set without serve.tls_key"],
    ["too weak", () => issued({ kind: "weak rsa" }), "key too small"],
  ];
  test.each(wrongs)(
    "%s ends serve with 2 before it listens, and config check says so",
    async (_, pair, words) => {
      const world = await freshWorld({ env: tlsSettings(pair()) });
      const { code, err, out } = await world.run(["serve", "--json"]);
      expect({ code, out }).toEqual({ code: 2, out: "" });
      expect(err).toContain(words);
      expect(err).not.toContain("PRIVATE");
      const checked = await world.run(["config", "check"]);
      expect(checked.code).toBe(2);
      expect(checked.out + checked.err).toContain(words);
      const status = await world.run(["status"]);
      expect(status.code).toBe(2);
      expect(status.err).toContain(words);
    },
  );

  function swapped({ certFile, keyFile, ca }: Issued): Issued {
    return { certFile: keyFile, keyFile: certFile, ca };
  }
});

describe.skipIf(missingForCertificates !== null)("a certificate that ends", () => {
  const withChat = async (pair: Issued) => {
    const world = await connected();
    await world.run(["secrets", "set", "telegram.bot-token"], { stdin: "123:abcdef" });
    const env = {
      JC_ALERTS_TELEGRAM_CHAT_ID: "4711",
      JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram,
    };
    return await servingBy(pair, world, env);
  };
  const messages = async ({ world }: Secured) =>
    (await world.telegram.messages()).map(({ text }) => text).filter((text) => text.includes("certificate"));

  test("in 20 days is told by status, and by one alert until it is renewed", async () => {
    const files = renewable(issued({ until: Date.now() + 20 * DAY_MS }));
    const service = await withChat(files);
    await until("it is alerted", async () => (await messages(service)).length > 0);
    const words = /the TLS certificate for localhost, 127\.0\.0\.1 ends in 20 days/;
    expect((await service.world.run(["status"])).out).toMatch(words);
    expect(await messages(service)).toEqual([expect.stringMatching(words)]);
    files.become(issued());
    const told = async () => (await service.world.run(["status"])).out;
    await until("it is renewed", async () => !words.test(await told()));
    expect(await messages(service)).toHaveLength(1);
  });

  test("in 22 days is told by nobody", async () => {
    const service = await withChat(issued({ until: Date.now() + 22 * DAY_MS + 60_000 }));
    const { out } = await service.world.run(["status"]);
    expect(out).toContain("certificate until ");
    expect(out).not.toContain("the TLS certificate");
    expect((await service.world.run(["run", "alerts", "--json"])).json).toMatchObject({ sent: 0 });
  });

  test("or has ended keeps no delivery from going out: it is served, and told", async () => {
    const pair = issued({ from: Date.now() - 9 * DAY_MS, until: Date.now() - DAY_MS });
    const service = await withChat(pair);
    await until("the journal tells", () => service.err().includes("the certificate has ended"));
    await until("it is alerted", async () => (await messages(service)).length > 0);
    expect(await messages(service)).toEqual([expect.stringContaining("ended at")]);
    const answer = await askByTls(`${service.base}/healthz`, { ca: pair.ca, rejectUnauthorized: false });
    expect(answer.status).toBe(200);
  });
});
