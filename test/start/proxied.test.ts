/** The built program, whose HTTP client is a part of the one that other tests use, behind a proxy. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { issued } from "../certificates.ts";
import { launch } from "../end-to-end/program.ts";
import { connected } from "../world.ts";

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens nowhere");
  return address.port;
}

/** Telegram as far as an alert needs it. Tells what was asked for. */
async function telegramFor(name: string) {
  const asked: (string | undefined)[] = [];
  const pair = issued({ names: [name] });
  const tls = { cert: readFileSync(pair.certFile), key: readFileSync(pair.keyFile) };
  const server = createTlsServer(tls, (request, response) => {
    asked.push(request.headers.host);
    response.setHeader("content-type", "application/json");
    request.resume().once("end", () => response.end('{"ok":true,"result":{}}'));
  });
  return { port: await portOf(server), caFile: pair.certFile, asked };
}

/** Each tunnel leads to that port, whatever it was asked for; without one, none is opened. */
async function proxyTo(port: number | null) {
  const tunnels: (string | undefined)[] = [];
  const server = createServer().on("connect", ({ url }, socket: Duplex) => {
    tunnels.push(url);
    if (port === null) return socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const beyond = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      beyond.pipe(socket).pipe(beyond);
    });
    for (const end of [socket, beyond]) end.on("error", () => {});
  });
  return { url: `http://127.0.0.1:${await portOf(server)}`, tunnels };
}

/** A world whose alerts go to a host that only the proxy finds. */
async function worldBehind(proxy: { url: string }, caFile: string) {
  return await connected({
    env: {
      HTTPS_PROXY: proxy.url,
      JC_NETWORK_CA_FILE: caFile,
      JC_ALERTS_TELEGRAM_CHAT_ID: "4711",
      JC_ALERTS_TELEGRAM_API_BASE: "https://telegram.test",
      JC_SECRET_TELEGRAM_BOT_TOKEN: "123:abcdef",
    },
  });
}

test("what it sends goes through the tunnel that the proxy opens", async () => {
  const telegram = await telegramFor("telegram.test");
  const proxy = await proxyTo(telegram.port);
  const world = await worldBehind(proxy, telegram.caFile);
  expect(await launch(world, ["alerts", "test"]).ended).toMatchObject({ code: 0 });
  expect(proxy.tunnels).toEqual(["telegram.test:443"]);
  expect(telegram.asked).toEqual(["telegram.test"]);
});

test("a proxy that opens no tunnel is named", async () => {
  const telegram = await telegramFor("telegram.test");
  const proxy = await proxyTo(null);
  const world = await worldBehind(proxy, telegram.caFile);
  const { code, err } = await launch(world, ["alerts", "test"]).ended;
  expect(code).not.toBe(0);
  expect(err).toContain("refused the way to telegram.test with 403");
  expect(telegram.asked).toEqual([]);
});
