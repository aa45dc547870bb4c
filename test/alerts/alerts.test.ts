import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { fakeClock } from "../fake-clock.ts";
import { aThinEvent } from "../store/events.ts";
import { connected, freshWorld, invite, type Run } from "../world.ts";

const MINUTE = 60_000;

const Looked = v.object({ sent: v.number(), failed: v.array(v.string()) });

const Status = v.object({ connections: v.array(v.object({ banner: v.nullable(v.string()) })) });

async function banner(run: (argv: string[]) => Promise<Run>) {
  return v.parse(Status, (await run(["status", "--json"])).json).connections[0]?.banner ?? "";
}

/** A world with a chat for its org, and one look of the service for trouble. */
async function withChat() {
  const clock = fakeClock();
  const world = await connected({ clock, env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
  const env = { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram };
  const run = (argv: string[], stdin = "") => world.run(argv, { stdin, env });
  expect((await run(["secrets", "set", "telegram.bot-token"], "123:abcdef")).code).toBe(0);
  const look = async () => v.parse(Looked, (await run(["run", "alerts", "--json"])).json);
  /** As `serve` looks after the retry queue. */
  const passing = async (ms: number) => {
    for (const end = clock.now() + ms; clock.now() < end; clock.jump(clock.now() + 5 * MINUTE))
      await run(["run", "retry"]);
  };
  return { world, clock, run, look, passing };
}

describe("an alert", () => {
  test("reaches the org's chat when it is only a test", async () => {
    const { world, run } = await withChat();
    expect((await run(["alerts", "test"])).code).toBe(0);
    expect(await world.telegram.messages()).toEqual([
      { chat_id: "4711", text: expect.stringContaining("acme") },
    ]);
  });

  test("says what to set when there is no chat", async () => {
    const world = await connected();
    const { code, err } = await world.run(["alerts", "test"]);
    expect(code).toBe(2);
    expect(err).toContain("chat_id");
  });

  test("goes out once for events that nobody can look up for half an hour", async () => {
    const { world, clock, look } = await withChat();
    const store = await openSqliteStore({ stateDir: world.stateDir, clock });
    await store.append([{ ...aThinEvent("evt_1"), receivedAt: clock.now() }]);
    await store.close();
    expect(await look()).toEqual({ sent: 0, failed: [] });
    clock.jump(clock.now() + 31 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    expect(await look()).toEqual({ sent: 0, failed: [] });
    const [told] = await world.telegram.messages();
    expect(told?.text).toMatch(/^acme: 1 event of greenhouse to be looked up since .*run questions$/);
    const { out, json } = await world.run(["status", "--json"]);
    expect(json).toMatchObject({ questions: [{ vendor: "greenhouse", n: 1, reason: null }] });
    expect((await world.run(["status"])).out).toContain("1 event of greenhouse to be looked up");
    expect(out).not.toBe("");
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
    const told = [{ chat_id: "4711", text: expect.stringContaining("1 result undelivered to hubspot") }];
    expect(await world.telegram.messages()).toEqual(told);
    for (const shown of [await banner(run), JSON.stringify(await world.telegram.messages())]) {
      expect(shown).toContain("asked again every few minutes");
      expect(shown).not.toMatch(/resync-properties|ida@example\.org/);
    }

    await world.portal.clearFaults();
    await run(["run", "retry"]);
    expect(await look()).toEqual({ sent: 0, failed: [] });
    expect(await world.telegram.messages()).toHaveLength(1);

    await world.portal.fault({ status: 503 });
    await run(["invites", "import", world.file("two.ndjson", [invite({ email: "una@example.org" })])]);
    await run(["run", "retry"]);
    clock.jump(clock.now() + 31 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
  });

  test("goes out once for results held for a property, and says how to bring it back", async () => {
    const { world, clock, run, look } = await withChat();
    await world.portal.archiveProperty("jc_disc_d");
    await run(["invites", "import", world.file("one.ndjson", [invite(), invite(), invite()])]);
    await run(["run", "retry"]);
    clock.jump(clock.now() + 30 * MINUTE);
    expect(await look()).toEqual({ sent: 0, failed: [] });
    clock.jump(clock.now() + MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    expect(await look()).toEqual({ sent: 0, failed: [] });
    const [message] = await world.telegram.messages();
    expect(message?.text).toContain("3 results undelivered to hubspot for over 30 minutes");
    expect(message?.text).toContain("Run: jc-integrations resync-properties --org acme");
    expect((await run(["status", "--json"])).json).toMatchObject({ pushes: { held: 3, stuck: 3 } });

    expect((await run(["resync-properties"])).code).toBe(0);
    await run(["run", "retry"]);
    expect(await look()).toEqual({ sent: 0, failed: [] });
    expect((await run(["status", "--json"])).json).toMatchObject({ pushes: { delivered: 3, stuck: 0 } });
  });

  test("goes out once for results held for a scope, and says how to grant it", async () => {
    const { world, clock, run, look } = await withChat();
    await world.portal.settings({ grantedScopes: ["oauth", "crm.objects.contacts.read"] });
    await run(["invites", "import", world.file("one.ndjson", [invite()])]);
    await run(["run", "retry"]);
    clock.jump(clock.now() + 31 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    expect(await look()).toEqual({ sent: 0, failed: [] });
    const [message] = await world.telegram.messages();
    expect(message?.text).toContain("a scope was not granted");
    expect(message?.text).toContain("jc-integrations connect hubspot --org acme");
  });

  test("is not sent a second time for results that wait for a reconnect", async () => {
    const { world, clock, run, look } = await withChat();
    await world.portal.fault({ revoked: true });
    await run(["invites", "import", world.file("one.ndjson", [invite()])]);
    await run(["run", "retry"]);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    clock.jump(clock.now() + 31 * MINUTE);
    expect(await look()).toEqual({ sent: 0, failed: [] });
    expect((await run(["status", "--json"])).json).toMatchObject({ pushes: { held: 1, stuck: 0 } });
  });

  test("for a record that the vendor fails on does not keep back the one for an outage", async () => {
    const { world, clock, run, look, passing } = await withChat();
    const records = [invite({ email: "poison@example.org" }), invite(), invite(), invite()];
    await world.portal.fault({ status: 500, match: "poison@" });
    await run(["invites", "import", world.file("one.ndjson", records)]);
    await passing(35 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    const [ofRecord] = await world.telegram.messages();
    expect(ofRecord?.text).toContain("1 result undelivered to hubspot");
    expect(ofRecord?.text).toContain(
      "jc-integrations logs --outcome retry --org acme says more; once the record is mended: jc-integrations replay --email <its address> --org acme --yes",
    );
    expect(ofRecord?.text).not.toMatch(/resync-properties|poison@/);

    await world.portal.fault({ status: 503 });
    await run(["invites", "import", world.file("two.ndjson", [invite(), invite()])]);
    await run(["run", "retry"]);
    clock.jump(clock.now() + 31 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    expect(await look()).toEqual({ sent: 0, failed: [] });
    const [, ofOutage] = await world.telegram.messages();
    expect(ofOutage?.text).toContain("2 results undelivered to hubspot");
    expect(ofOutage?.text).toContain(
      "(HubSpot answered 503). It is asked again every few minutes, and all goes out by itself",
    );
    expect(await banner(run)).toContain("2 results undelivered");
    expect(await banner(run)).toContain("1 result undelivered");

    await world.portal.clearFaults();
    await world.portal.fault({ status: 500, match: "poison@" });
    clock.jump(clock.now() + 5 * MINUTE);
    await run(["run", "retry"]);
    expect(await look()).toEqual({ sent: 0, failed: [] });
    expect(await world.telegram.messages()).toHaveLength(2);
  });

  test("tells a record that fails in a quiet hour, too, from an outage that follows", async () => {
    const { world, clock, run, look, passing } = await withChat();
    await world.portal.fault({ status: 500 });
    await run(["invites", "import", world.file("one.ndjson", [invite()])]);
    await passing(35 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    expect((await world.telegram.messages())[0]?.text).toContain("If it fails on others too");

    await run(["invites", "import", world.file("two.ndjson", [invite(), invite()])]);
    await run(["run", "retry"]);
    clock.jump(clock.now() + 31 * MINUTE);
    await run(["run", "retry"]);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    expect((await world.telegram.messages())[1]?.text).toContain("3 results undelivered to hubspot");
  });

  test("is kept while Telegram is down, and goes out once when it is back", async () => {
    const { world, clock, run, look } = await withChat();
    await world.telegram.fault({ status: 500, times: 2 });
    await world.portal.fault({ revoked: true });
    await run(["invites", "import", world.file("one.ndjson", [invite()])]);
    await run(["run", "retry"]);

    expect((await look()).failed).toHaveLength(1);
    expect(await look()).toEqual({ sent: 0, failed: [] });
    clock.jump(clock.now() + 2 * MINUTE);
    expect((await look()).failed).toHaveLength(1);
    clock.jump(clock.now() + 5 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
    expect(await world.telegram.messages()).toEqual([
      { chat_id: "4711", text: expect.stringContaining("jc-integrations connect hubspot") },
    ]);
  });
});

describe("what Telegram answers", () => {
  const said = (description: string, parameters?: object) => ({ ok: false, description, parameters });

  test.each([
    ["quotes why it refuses", 400, said("Bad Request: chat not found"), 2, "chat not found", "chat_id"],
    ["quotes why it forbids", 403, said("Forbidden: bot was blocked by the user"), 2, "blocked", "chat_id"],
    [
      "says which setting to change where the chat moved",
      400,
      said("Bad Request: group chat was upgraded to a supergroup chat", {
        migrate_to_chat_id: -1001234567890,
      }),
      2,
      "upgraded to a supergroup",
      'Set [alerts.telegram] chat_id = "-1001234567890"',
    ],
    [
      "quotes an unknown token",
      401,
      said("Unauthorized"),
      2,
      "Unauthorized",
      "secrets set telegram.bot-token",
    ],
    ["takes no other program's answer for success", 200, { status: "ok" }, 6, "not Telegram's", "api_base"],
    ["takes no page for success", 200, "<html>sign in</html>", 6, "not Telegram's", "api_base"],
    ["takes no refusal for success", 200, said("Bad Request: nothing"), 6, "nothing", "by itself"],
  ])("%s", async (_what, status, body, code, words, hint) => {
    const { world, run } = await withChat();
    await world.telegram.fault({ status, body });
    const tested = await run(["alerts", "test"]);
    expect(tested.code).toBe(code);
    expect(tested.err).toContain(words);
    expect(tested.err).toContain(hint);
    expect(tested.err).not.toContain("123:abcdef");
  });

  test("an org's own chat that moved names the org's own setting", async () => {
    const { world, run } = await withChat();
    appendFileSync(world.configFile, '\n[orgs.acme]\ntelegram_chat_id = "815"\n');
    await world.telegram.fault({ status: 400, body: said("moved", { migrate_to_chat_id: -100815 }) });
    expect((await run(["alerts", "test"])).err).toContain('Set [orgs.acme] telegram_chat_id = "-100815"');
  });

  test("is waited for as long as it asks", async () => {
    const { world, clock, run, look } = await withChat();
    const body = said("Too Many Requests: retry after 600", { retry_after: 600 });
    await world.telegram.fault({ status: 429, body, times: 1 });
    await world.portal.fault({ revoked: true });
    await run(["invites", "import", world.file("one.ndjson", [invite()])]);
    await run(["run", "retry"]);
    expect((await look()).failed).toEqual([expect.stringContaining("retry after 600")]);
    clock.jump(clock.now() + 9 * MINUTE);
    expect(await look()).toEqual({ sent: 0, failed: [] });
    clock.jump(clock.now() + 2 * MINUTE);
    expect(await look()).toEqual({ sent: 1, failed: [] });
  });
});

describe("run alerts", () => {
  test("ends with 6 while none can be sent, also when typed again, with 7 when some can, and with 0 afterwards", async () => {
    const { world, clock, run } = await withChat();
    await world.portal.settings({ portalId: 9_000_001 });
    expect((await run(["connect", "hubspot", "--org", "globex"])).code).toBe(0);
    await world.portal.fault({ revoked: true });
    for (const org of ["acme", "globex"])
      await run(["invites", "import", world.file(`${org}.ndjson`, [invite({ org })])]);
    await run(["run", "retry"]);
    await world.telegram.fault({ status: 500, times: 3 });
    const failed = await run(["run", "alerts"]);
    expect(failed.code).toBe(6);
    expect(failed.err).toContain("2 alerts not sent");
    expect(failed.err).toContain("jc-integrations alerts test --org acme");
    expect((await run(["run", "alerts"])).code).toBe(6);
    clock.jump(clock.now() + 2 * MINUTE);
    expect((await run(["run", "alerts"])).code).toBe(7);
    clock.jump(clock.now() + 5 * MINUTE);
    expect((await run(["run", "alerts"])).code).toBe(0);
    expect(await world.telegram.messages()).toHaveLength(2);
  });
});

describe("status says that nobody is alerted, and of what", () => {
  test("until a chat id and a bot token are there", async () => {
    const world = await connected();
    const alerted = async (env: Record<string, string> = {}) => {
      const { code, out, json } = await world.run(["status"], { env });
      expect(code).toBe(0);
      return [out, json].join();
    };
    expect(await alerted()).toContain(
      "nobody is alerted of trouble, no chat id is set: Set [alerts.telegram]",
    );
    const chat = { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" };
    expect(await alerted(chat)).toContain(
      "nobody is alerted of trouble, no bot token is set: jc-integrations secrets set telegram.bot-token",
    );
    await world.run(["secrets", "set", "telegram.bot-token"], { stdin: "123:abcdef" });
    expect(await alerted(chat)).not.toContain("nobody is alerted");
  });

  test("and nothing while there is nothing to tell of", async () => {
    const world = await freshWorld();
    expect((await world.run(["status"])).out).not.toContain("nobody is alerted");
  });
});
