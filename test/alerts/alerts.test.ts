import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { fakeClock } from "../fake-clock.ts";
import { connected, invite, type World } from "../world.ts";

const MINUTE = 60_000;
const Messages = v.array(v.object({ chat_id: v.string(), text: v.string() }));

const Looked = v.object({ sent: v.number(), failed: v.array(v.string()) });

async function messages(world: World) {
  const answer = await fetch(`${world.emulator.url}/_control/telegram/messages`);
  return v.parse(Messages, await answer.json());
}

async function telegramFault(world: World, fault: object) {
  const body = JSON.stringify(fault);
  const answer = await fetch(`${world.emulator.url}/_control/telegram/faults`, { method: "POST", body });
  expect(answer.ok).toBe(true);
}

/** A world with a chat for its org, and one look of the service for trouble. */
async function withChat() {
  const clock = fakeClock();
  const world = await connected({ clock, env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
  const env = { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram };
  const run = (argv: string[], stdin = "") => world.run(argv, { stdin, env });
  expect((await run(["secrets", "set", "telegram.bot-token"], "123:abcdef")).code).toBe(0);
  const look = async () => v.parse(Looked, (await run(["run", "alerts", "--json"])).json);
  return { world, clock, run, look };
}

describe("an alert", () => {
  test("reaches the org's chat when it is only a test", async () => {
    const { world, run } = await withChat();
    expect((await run(["alerts", "test"])).code).toBe(0);
    expect(await messages(world)).toEqual([{ chat_id: "4711", text: expect.stringContaining("acme") }]);
  });

  test("says what to set when there is no chat", async () => {
    const world = await connected();
    const { code, err } = await world.run(["alerts", "test"]);
    expect(code).toBe(2);
    expect(err).toContain("chat_id");
  });

  test("goes out once for results that are stuck, and again for the next time", async () => {
    const { world, clock, run, look } = await withChat();
    await world.portal.fault({ status: 503 });
    await run(["invites", "import", world.file("one.ndjson", [invite({ email: "ida@example.org" })])]);
    await run(["run", "retry"]);
    expect(await look()).toEqual({ sent: 0, failed: [] });

    clock.jump(clock.now() + 31 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    expect(await look()).toEqual({ sent: 0, failed: [] });
    const { json } = await run(["status", "--json"]);
    expect(JSON.stringify(json)).toContain("resync-properties");
    expect(JSON.stringify(await messages(world))).not.toContain("ida@example.org");

    await world.portal.clearFaults();
    await run(["run", "retry"]);
    expect(await look()).toEqual({ sent: 0, failed: [] });
    expect(await messages(world)).toHaveLength(1);

    await world.portal.fault({ status: 503 });
    await run(["invites", "import", world.file("two.ndjson", [invite({ email: "una@example.org" })])]);
    await run(["run", "retry"]);
    clock.jump(clock.now() + 31 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
  });

  test("is kept while Telegram is down, and goes out once when it is back", async () => {
    const { world, clock, run, look } = await withChat();
    await telegramFault(world, { status: 500, times: 2 });
    await world.portal.fault({ revoked: true });
    await run(["invites", "import", world.file("one.ndjson", [invite()])]);
    await run(["run", "retry"]);

    expect((await look()).failed).toHaveLength(1);
    expect(await look()).toEqual({ sent: 0, failed: [] });
    clock.jump(clock.now() + 2 * MINUTE);
    expect((await look()).failed).toHaveLength(1);
    clock.jump(clock.now() + 5 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    expect(await messages(world)).toEqual([
      { chat_id: "4711", text: expect.stringContaining("jc-integrations connect hubspot") },
    ]);
  });
});
