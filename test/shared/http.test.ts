import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createHttp, type HttpSettings } from "../../src/shared/http.ts";
import { secret } from "../../src/shared/secret.ts";
import { until } from "../world.ts";

const file = (name: string) => new URL(`certificates/${name}`, import.meta.url).pathname;
const DIRECT: HttpSettings = { caFile: null, httpProxy: null, httpsProxy: null, noProxy: null };

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
async function proxyTo(port: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const proxy = createServer((_, response) => response.writeHead(403).end());
  proxy.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on("error", () => upstream.destroy());
  });
  return { url: `http://127.0.0.1:${await listening(proxy)}`, asked };
}

describe("a call to a vendor", () => {
  test("goes through HTTPS_PROXY and trusts the extra CA file", async () => {
    const port = await overTls((request, response) =>
      response.end(JSON.stringify({ host: request.headers.host })),
    );
    const proxy = await proxyTo(port);
    const http = opened({ httpsProxy: proxy.url, caFile: file("certificate.pem") });
    const answer = await http.request({ method: "GET", url: "https://api.vendor.example/x" });
    expect(JSON.parse(answer.text)).toEqual({ host: "api.vendor.example" });
    expect(proxy.asked).toEqual(["api.vendor.example:443"]);
  });

  test("is refused in words where the certificate is not trusted", async () => {
    const proxy = await proxyTo(await overTls((_, response) => response.end()));
    const http = opened({ httpsProxy: proxy.url });
    const call = http.request({ method: "GET", url: "https://api.vendor.example/x" });
    await expect(call).rejects.toMatchObject({
      code: "VENDOR_UNAVAILABLE",
      hint: expect.stringContaining("ca_file"),
    });
  });

  test("passes a proxy by for the hosts of NO_PROXY and for this machine", async () => {
    const port = await local((_, response) => response.end("direct"));
    const proxy = await proxyTo(port);
    const http = opened({ httpProxy: proxy.url, httpsProxy: proxy.url, noProxy: "api.vendor.example" });
    expect((await http.request({ method: "GET", url: `http://127.0.0.1:${port}/` })).text).toBe("direct");
    const call = http.request({ method: "GET", url: "https://api.vendor.example/", timeoutMs: 2_000 });
    await expect(call).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
    expect(proxy.asked).toEqual([]);
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
