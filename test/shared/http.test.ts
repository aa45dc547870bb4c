import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createHttp, type HttpSettings } from "../../src/shared/http.ts";
import { proxyFrom } from "../../src/shared/proxy.ts";
import { secret } from "../../src/shared/secret.ts";
import { until } from "../world.ts";

const file = (name: string) => new URL(`certificates/${name}`, import.meta.url).pathname;
const DIRECT: HttpSettings = { caFile: null, proxy: null };

function opened(settings: Partial<HttpSettings> = {}) {
  const http = createHttp({ ...DIRECT, ...settings });
  onTestFinished(() => http.close());
  return http;
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

const local = (answer: RequestListener) => listening(createServer(answer));

/** A vendor over TLS whose certificate only its own CA file vouches for. */
function overTls(answer: RequestListener): Promise<number> {
  return listening(
    createTlsServer(
      { key: readFileSync(file("key.pem")), cert: readFileSync(file("certificate.pem")) },
      answer,
    ),
  );
}

/** A proxy that sends every tunnel to one local port, and keeps where it was asked to go. */
async function proxyTo(
  port: number,
  { overTls = false, login, refuses }: { overTls?: boolean; login?: string; refuses?: number } = {},
): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = overTls
    ? createTlsServer({ key: readFileSync(file("key.pem")), cert: readFileSync(file("certificate.pem")) })
    : createServer();
  const opens = login === undefined ? undefined : `Basic ${Buffer.from(login).toString("base64")}`;
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const refusal = request.headers["proxy-authorization"] === opens ? refuses : 407;
    if (refusal !== undefined) return socket.end(`HTTP/1.1 ${refusal} No\r\ncontent-length: 0\r\n\r\n`);
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on("error", () => upstream.destroy());
  });
  return { url: `${overTls ? "https" : "http"}://127.0.0.1:${await listening(proxy)}`, asked };
}

describe("a call to a vendor", () => {
  test("goes through HTTPS_PROXY and trusts the extra CA file", async () => {
    const port = await overTls((request, response) =>
      response.end(JSON.stringify({ host: request.headers.host })),
    );
    const proxy = await proxyTo(port);
    const http = opened({ proxy: proxyFrom({ HTTPS_PROXY: proxy.url }), caFile: file("certificate.pem") });
    const answer = await http.request({ method: "GET", url: "https://api.vendor.example/x" });
    expect(JSON.parse(answer.text)).toEqual({ host: "api.vendor.example" });
    expect(proxy.asked).toEqual(["api.vendor.example:443"]);
  });

  test("is refused in words where the certificate is not trusted", async () => {
    const proxy = await proxyTo(await overTls((_, response) => response.end()));
    const http = opened({ proxy: proxyFrom({ HTTPS_PROXY: proxy.url }) });
    const call = http.request({ method: "GET", url: "https://api.vendor.example/x" });
    await expect(call).rejects.toMatchObject({
      code: "VENDOR_UNAVAILABLE",
      hint: expect.stringContaining("ca_file"),
    });
  });

  test("passes a proxy by for the hosts of NO_PROXY and for this machine", async () => {
    const port = await local((_, response) => response.end("direct"));
    const proxy = await proxyTo(port);
    const http = opened({ proxy: proxyFrom({ HTTPS_PROXY: proxy.url, NO_PROXY: "api.vendor.example" }) });
    expect((await http.request({ method: "GET", url: `http://127.0.0.1:${port}/` })).text).toBe("direct");
    const call = http.request({ method: "GET", url: "https://api.vendor.example/", timeoutMs: 2_000 });
    await expect(call).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    expect(proxy.asked).toEqual([]);
  });

  test("goes through a proxy that itself speaks TLS, by the same CA file", async () => {
    const port = await overTls((_, response) => response.end("through"));
    const proxy = await proxyTo(port, { overTls: true });
    const through = proxyFrom({ https_proxy: proxy.url });
    const answer = await opened({ proxy: through, caFile: file("certificate.pem") }).request({
      method: "GET",
      url: "https://api.vendor.example/x",
    });
    expect(answer.text).toBe("through");
    expect(proxy.asked).toEqual(["api.vendor.example:443"]);
    const distrusting = opened({ proxy: through }).request({
      method: "GET",
      url: "https://api.vendor.example/",
    });
    await expect(distrusting).rejects.toMatchObject({
      message: expect.stringContaining(`through the proxy ${proxy.url} (https_proxy)`),
    });
  });

  test("names the proxy that asks for a password, and opens it with one", async () => {
    const port = await overTls((_, response) => response.end("through"));
    const proxy = await proxyTo(port, { login: "ann:p@ss word" });
    const call = (login: string) =>
      opened({
        proxy: proxyFrom({ HTTPS_PROXY: proxy.url.replace("//", `//${login}`) }),
        caFile: file("certificate.pem"),
      }).request({ method: "GET", url: "https://api.vendor.example/" });
    for (const login of ["", "ann@", "ann:wr0ng@"]) {
      const error: unknown = await call(login).catch((reason: unknown) => reason);
      expect(error).toMatchObject({
        code: "VENDOR_UNAVAILABLE",
        message: expect.stringContaining(
          `the proxy ${proxy.url} (HTTPS_PROXY) refused the way to api.vendor.example with 407`,
        ),
        hint: expect.stringContaining("HTTPS_PROXY=http://user:password@host:port"),
      });
      expect(String(error)).not.toContain("wr0ng");
    }
    expect((await call("ann:p%40ss%20word@")).text).toBe("through");
  });

  test("names the proxy that refuses the host, and the one that is not there", async () => {
    const proxy = await proxyTo(1, { refuses: 403 });
    const call = (url: string) =>
      opened({ proxy: proxyFrom({ ALL_PROXY: url }) }).request({
        method: "GET",
        url: "https://api.vendor.example/",
      });
    await expect(call(proxy.url)).rejects.toMatchObject({
      message: `the proxy ${proxy.url} (ALL_PROXY) refused the way to api.vendor.example with 403`,
      hint: expect.stringContaining("NO_PROXY"),
    });
    await expect(call("http://u:s3cret@127.0.0.1:1")).rejects.toMatchObject({
      message:
        "api.vendor.example did not answer through the proxy http://127.0.0.1:1 (ALL_PROXY): ECONNREFUSED",
      hint: expect.stringContaining("ALL_PROXY"),
    });
  });

  test("never follows a redirect, so that a token cannot travel to another host", async () => {
    const visits: string[] = [];
    const elsewhere = await local((request, response) => {
      visits.push(request.headers.authorization ?? "");
      response.end();
    });
    const port = await local((_, response) =>
      response.writeHead(302, { location: `http://localhost:${elsewhere}/` }).end(),
    );
    const answer = await opened().request({
      method: "GET",
      url: `http://127.0.0.1:${port}/`,
      token: secret("t0ken"),
    });
    expect(answer.status).toBe(302);
    expect(visits).toEqual([]);
  });

  test.each(["http://api.hubapi.com/x", "ftp://localhost/x", "no address"])(
    "refuses to go to %s",
    async (url) => {
      await expect(opened().request({ method: "GET", url })).rejects.toMatchObject({
        code: "CONFIG_INVALID",
      });
    },
  );

  test("is on its way at once, however many others hang at the same host", async () => {
    let hanging = 0;
    const port = await local((request, response) => {
      if (request.url === "/hangs") hanging += 1;
      else response.end(String(hanging));
    });
    const http = opened();
    const call = (path: string) => http.request({ method: "GET", url: `http://127.0.0.1:${port}${path}` });
    const hung = Array.from({ length: 200 }, () => call("/hangs").catch(() => {}));
    await until("they hang", async () => (await call("/")).text === "200");
    await http.close();
    await Promise.all(hung);
  });

  test("that nobody answers ends at its time limit", async () => {
    const port = await local(() => {});
    const call = opened().request({ method: "GET", url: `http://127.0.0.1:${port}/`, timeoutMs: 50 });
    await expect(call).rejects.toMatchObject({
      code: "VENDOR_UNAVAILABLE",
      message: expect.stringContaining("timed out"),
    });
  });

  test("whose answer drips ends at its time limit, though never silent for long", async () => {
    const port = await local((_, response) => {
      const drip = setInterval(() => response.write(" "), 100);
      response.once("close", () => clearInterval(drip));
    });
    const call = opened().request({ method: "GET", url: `http://127.0.0.1:${port}/`, timeoutMs: 1_500 });
    await expect(call).rejects.toMatchObject({
      code: "VENDOR_UNAVAILABLE",
      message: `127.0.0.1:${port} did not answer: timed out`,
    });
  });

  test("that is cut off ends with the caller's reason", async () => {
    const stop = new AbortController();
    const port = await local(() => stop.abort(new Error("enough")));
    const call = opened().request({ method: "GET", url: `http://127.0.0.1:${port}/`, signal: stop.signal });
    await expect(call).rejects.toThrow("enough");
  });

  test("names a broken connection and never its own secrets", async () => {
    const port = await local((request) => request.socket.destroy());
    const lines: string[] = [];
    const http = opened({ trace: (line) => lines.push(line) });
    const call = http.request({
      method: "POST",
      url: `http://127.0.0.1:${port}/oauth/token?code=c0de`,
      form: { client_secret: secret("s3cret") },
      token: secret("t0ken"),
    });
    const error: unknown = await call.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    const shown = `${String(error)} ${lines.join(" ")}`;
    expect(shown).toContain(`127.0.0.1:${port}`);
    for (const text of ["s3cret", "t0ken", "c0de"]) expect(shown).not.toContain(text);
  });

  test("ends when an answer has no end", async () => {
    const port = await local((_, response) => {
      const chunk = Buffer.alloc(1024 * 1024);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on("drain", more);
      more();
    });
    const call = opened().request({ method: "GET", url: `http://127.0.0.1:${port}/` });
    await expect(call).rejects.toMatchObject({ code: "VENDOR_UNEXPECTED" });
  });
});
