import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { listenForRedirect } from "../../src/oauth/consent/loopback.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { fakeClock } from "../fake-clock.ts";
import { follow, visit } from "./browser.ts";

const PAGE = { tone: "good", title: "Well done", text: [] } as const;

async function startListener(change: { port?: number; clock?: typeof systemClock } = {}) {
  const listener = await listenForRedirect({
    clock: systemClock,
    port: 0,
    path: "/hubspot/oauth-callback",
    state: "s3cret",
    portKey: "hubspot.redirect_port",
    ...change,
  });
  onTestFinished(() => listener.close());
  const { origin, port } = new URL(listener.redirectUri);
  return { ...listener, origin, port, right: `${listener.redirectUri}?code=c1&state=s3cret` };
}

test("what is not the redirect is refused at once, and the redirect still counts afterwards", async () => {
  const { redirectUri, origin, port, right, answer, finish } = await startListener();
  const statuses = [
    await visit(`${origin}/favicon.ico`),
    await visit(`${origin}/`),
    await visit(`${redirectUri}/done`),
    await visit(right, { method: "POST" }),
    await visit(`${redirectUri}?code=${"x".repeat(10_000)}`),
    await visit(right, { headers: { host: "evil.example" } }),
    await visit(right, { headers: { host: `localhost:${Number(port) + 1}` } }),
    await visit(right, { headers: { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image" } }),
    await visit(right, { headers: { "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe" } }),
    await visit(`${redirectUri}?code=c1&state=guessed`),
    await visit(`${redirectUri}?error=access_denied`),
  ].map(({ status }) => status);
  expect(statuses).toEqual([404, 404, 404, 405, 414, 403, 403, 403, 403, 400, 400]);
  const genuine = follow(right);
  expect((await answer).get("code")).toBe("c1");
  await finish(PAGE);
  expect((await genuine).body).toContain("Well done");
});

test.each(["127.0.0.1", "[::1]", "localhost"])("the redirect is taken at %s", async (host) => {
  const { right, answer, finish } = await startListener();
  const genuine = follow(right.replace("localhost", host));
  expect((await answer).get("code")).toBe("c1");
  await finish(PAGE);
  expect((await genuine).status).toBe(200);
});

test("the state counts once", async () => {
  const { right, answer, finish } = await startListener();
  const first = follow(right);
  await answer;
  const second = await visit(right);
  await finish(PAGE);
  expect(second.status).toBe(409);
  expect(second.body).toContain("used already");
  expect((await first).status).toBe(200);
});

test("pages load nothing, are kept nowhere and tell nobody where they came from", async () => {
  const { right, answer, finish } = await startListener();
  const genuine = follow(right);
  await answer;
  await finish(PAGE);
  const { headers } = await genuine;
  expect(headers["content-security-policy"]).toContain("default-src 'none'");
  expect(headers).toMatchObject({ "referrer-policy": "no-referrer", "cache-control": "no-store" });
});

test("a browser that waits long for the outcome is sent to a page that says so", async () => {
  const clock = fakeClock();
  const { right, answer } = await startListener({ clock });
  const genuine = follow(right);
  await answer;
  await clock.advance(20_000);
  expect((await genuine).body).toContain("Almost there");
});

test("a spare connection that a browser holds open keeps nobody waiting", async () => {
  const { port, close } = await startListener();
  const spare = connect(Number(port), "127.0.0.1").on("error", () => {});
  await once(spare, "connect");
  const ended = once(spare, "close");
  await close();
  await ended;
  expect(spare.destroyed).toBe(true);
});

test("a taken port is a usage error that names its holder and the key to change", async () => {
  const squatter = createServer().listen(0, "::1");
  onTestFinished(() => void squatter.close());
  await once(squatter, "listening");
  const { port } = squatter.address() as AddressInfo;
  const failure = startListener({ port });
  await expect(failure).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringMatching(new RegExp(`^Port ${port} is taken by .+ \\(pid ${process.pid}\\)$`)),
    hint: expect.stringContaining("hubspot.redirect_port"),
  });
});
