import { expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { ask, asking, control, emulator, post } from "./client.ts";
import { emulated } from "../emulated.ts";

async function bot(token = "123:abc") {
  const started = await emulator({ clock: fakeClock() });
  const base = `${started.telegram}/bot${token}`;
  return {
    ...started,
    base,
    call: asking(base),
    control: control(started),
    admin: emulated(started).telegram,
  };
}

test("a message is accepted as JSON and as a form, and shown to the test", async () => {
  const { base, call, control } = await bot();
  expect(await call("POST", "/sendMessage", { chat_id: 42, text: "must reconnect" })).toMatchObject({
    status: 200,
    body: { ok: true, result: { message_id: 1, date: 1795348800, chat: { id: 42 }, text: "must reconnect" } },
  });
  expect((await post(`${base}/sendMessage`, { chat_id: "@ops", text: "stuck" })).status).toBe(200);
  expect((await control("GET", "/telegram/messages")).body).toEqual([
    { chat_id: "42", text: "must reconnect", at: "2026-11-22T12:00:00.000Z" },
    { chat_id: "@ops", text: "stuck", at: "2026-11-22T12:00:00.000Z" },
  ]);
});

test("the token wrong is unauthorized", async () => {
  const { call } = await bot("wrong");
  expect(await call("POST", "/sendMessage", { chat_id: 1, text: "x" })).toMatchObject({
    status: 401,
    body: { ok: false, error_code: 401, description: "Unauthorized" },
  });
});

test.each([{ text: "x" }, { chat_id: 1 }, { chat_id: 1, text: " " }, { chat_id: 1, text: "x".repeat(4097) }])(
  "a message like %j is a bad request",
  async (body) => {
    const { call, admin } = await bot();
    expect(await call("POST", "/sendMessage", body)).toMatchObject({ status: 400, body: { ok: false } });
    expect(await admin.messages()).toEqual([]);
  },
);

test("getMe names the bot, getChat its chat, and other methods are not found", async () => {
  const { base, call } = await bot();
  expect(await call("POST", "/getChat", { chat_id: 4711 })).toMatchObject({
    body: { ok: true, result: { id: 4711 } },
  });
  expect((await call("POST", "/getChat", {})).status).toBe(400);
  expect((await ask(`${base}/getMe`)).body).toMatchObject({ ok: true, result: { is_bot: true } });
  expect((await call("POST", "/sendPhoto", {})).status).toBe(404);
});

test("faults work here as they do for the other vendors", async () => {
  const { call, control, admin } = await bot();
  const send = () => call("POST", "/sendMessage", { chat_id: 1, text: "x" });
  await admin.fault({ status: 502, times: 1 });
  expect((await send()).status).toBe(502);
  await admin.fault({ revoked: true, times: 1 });
  expect((await send()).status).toBe(401);
  await admin.fault({ rateLimit: "1/5s" });
  expect((await send()).status).toBe(200);
  expect(await send()).toMatchObject({ status: 429, body: { parameters: { retry_after: 5 } } });
  expect((await control("POST", "/telegram/settings", { oneUseTokens: true })).status).toBe(400);
});
