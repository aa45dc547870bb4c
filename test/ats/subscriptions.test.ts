import { join } from "node:path";
import Database from "better-sqlite3";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { serving } from "../daemon/serving.ts";
import { fakeClock, withoutShortWaits } from "../fake-clock.ts";
import { succeed, until, type World } from "../world.ts";
import {
  APP,
  atsWorld,
  COMPLETED,
  company,
  completedEvent,
  connectedAts,
  post,
  rowOf,
  servingAts,
  signatureOf,
  subscription,
  subscriptions,
  webhookLog,
} from "./world.ts";

const SUBSCRIBE = "/v1/webhooks/subscriptions";
const LIST = ["webhooks", "list", "--json"];
const CHECK = ["run", "subscriptions", "--json"];

async function change(world: World, changes: object): Promise<void> {
  await world.smartrecruiters.changeSubscription((await subscription(world)).id, changes);
}

describe("webhooks subscribe", () => {
  test("sends the guide's body, keeps the secret, and says where the events go", async () => {
    const world = await connectedAts();
    const { out } = await succeed(world, ["webhooks", "subscribe"]);
    const ours = await subscription(world);
    expect(ours).toMatchObject({
      event: COMPLETED,
      targetUrl: world.webhookUrl,
      headers: { "X-Custom-Header": "JobCannon" },
      status: "active",
    });
    expect(out).toContain(`Subscribed: ${COMPLETED} → ${world.webhookUrl} (${ours.id})`);
    expect(out).not.toContain(ours.secret);
    expect((await world.run(["secrets", "list"])).out).toMatch(
      /smartrecruiters\.webhook-secret +acme +production +1/,
    );
  });

  test("makes one, however often it is typed", async () => {
    const world = await connectedAts();
    expect((await succeed(world, ["webhooks", "subscribe", "--json"])).json).toMatchObject({ created: true });
    expect((await succeed(world, ["webhooks", "subscribe", "--json"])).json).toMatchObject({
      created: false,
    });
    expect((await world.run(["webhooks", "subscribe"])).out).toContain("Subscribed already");
    expect(
      (await world.smartrecruiters.requests({ to: SUBSCRIBE })).filter(({ method }) => method === "POST"),
    ).toHaveLength(1);
  });

  test("only says with --dry-run what it would do", async () => {
    const world = await connectedAts();
    const { out } = await succeed(world, ["webhooks", "subscribe", "--dry-run"]);
    expect(out).toContain(`subscribe ${world.webhookUrl}`);
    expect(await subscriptions(world)).toEqual([]);
    expect((await succeed(world, ["webhooks", "subscribe", "--dry-run", "--json"])).json).toMatchObject({
      create: true,
      keep: null,
      remove: [],
    });
    expect(await rowOf(world)).toMatchObject({ subscription: { state: "none" } });
  });

  test("wants a connection first, and names the command", async () => {
    const world = await atsWorld();
    const { code, err } = await world.run(["webhooks", "subscribe"]);
    expect(code).toBe(4);
    expect(err).toContain("jc-integrations connect smartrecruiters --org acme");
  });

  test("refuses a vendor that has no webhooks of this kind", async () => {
    const world = await atsWorld();
    const { code, err } = await world.run(["webhooks", "list", "--vendor", "hubspot"]);
    expect(code).toBe(2);
    expect(err).toContain("HubSpot is no applicant tracking system");
  });

  test("leaves no subscription behind whose secret could not be kept", async () => {
    const world = await connectedAts();
    const { code } = await world.run(["webhooks", "subscribe"], {
      env: { JC_VAULT_KEY_FILE: `${world.dir}/missing/vault.key` },
    });
    expect(code).toBe(5);
    expect(await subscriptions(world)).toEqual([]);
  });
});

describe("a subscription that no longer serves", () => {
  const TROUBLES = [
    {
      state: "missing",
      words: "SmartRecruiters has no webhook subscription for us",
      spoil: async (world: World) => {
        await world.smartrecruiters.removeSubscription((await subscription(world)).id);
      },
    },
    {
      state: "inactive",
      words: "SmartRecruiters has switched our webhook subscription off",
      spoil: (world: World) => change(world, { status: "inactive" }),
    },
    {
      state: "elsewhere",
      words: "SmartRecruiters' webhook subscription sends to another address than ours",
      spoil: (world: World) => change(world, { targetUrl: "https://elsewhere.example/webhooks" }),
    },
    {
      state: "without secret",
      words: "the secret of SmartRecruiters' webhook subscription is not set here",
      spoil: async (world: World) => {
        await succeed(world, ["secrets", "remove", "smartrecruiters.webhook-secret", "--yes"]);
      },
    },
  ];

  test.each(TROUBLES)(
    "is found $state, told in status and by one alert, and mended by subscribe",
    async ({ state, words, spoil }) => {
      const world = await connectedAts({ env: { JC_ALERTS_TELEGRAM_CHAT_ID: "4711" } });
      const env = { JC_ALERTS_TELEGRAM_API_BASE: world.emulator.telegram };
      await world.run(["secrets", "set", "telegram.bot-token"], { stdin: "123:abcdef" });
      const alerts = async () => (await world.run(["run", "alerts", "--json"], { env })).json;
      await succeed(world, ["webhooks", "subscribe"]);
      const { api } = await company(world);
      const others = { event: COMPLETED, targetUrl: "https://other.example/hooks" };
      const { id: othersId } = v.parse(
        v.object({ id: v.string() }),
        (await api("POST", SUBSCRIBE, others)).body,
      );
      const mine = async () => (await subscriptions(world)).filter(({ id }) => id !== othersId);
      await world.smartrecruiters.removeSubscription(othersId);
      await spoil(world);
      const { id: kept } = v.parse(v.object({ id: v.string() }), (await api("POST", SUBSCRIBE, others)).body);

      const checked = await world.run(CHECK);
      expect(checked.json).toMatchObject({ checked: 1, failed: [expect.stringContaining(words)] });
      const row = await rowOf(world);
      expect(row?.subscription?.state).toBe(state);
      expect(row?.banner).toContain(words);
      expect(row?.banner).toContain("jc-integrations webhooks subscribe --org acme");
      expect(await alerts()).toMatchObject({ sent: 1, failed: [] });
      expect(await alerts()).toMatchObject({ sent: 0 });

      await succeed(world, ["webhooks", "subscribe"]);
      expect((await succeed(world, CHECK)).json).toMatchObject({ failed: [] });
      expect(await rowOf(world)).toMatchObject({ banner: null, subscription: { state: "active" } });
      expect(await alerts()).toMatchObject({ sent: 0 });
      const left = (await mine()).filter(({ id }) => id !== kept);
      expect(left).toMatchObject([{ targetUrl: world.webhookUrl, status: "active" }]);
      expect((await subscriptions(world)).some(({ id }) => id === kept)).toBe(true);
    },
  );

  test("is found by serve within an hour", async () => {
    const clock = withoutShortWaits(fakeClock(Date.UTC(2026, 10, 22, 12, 1)));
    const world = await connectedAts({ clock });
    await succeed(world, ["webhooks", "subscribe"]);
    await serving(world);
    await change(world, { status: "inactive" });
    await clock.advance(3_600_000);
    await until("serve finds it", async () => (await rowOf(world))?.subscription?.state === "inactive");
  });

  test("is no news where somebody subscribed while it was looked for", async () => {
    const world = await connectedAts();
    await succeed(world, ["webhooks", "subscribe"]);
    await world.smartrecruiters.removeSubscription((await subscription(world)).id);
    const before = (await world.smartrecruiters.requests({ to: SUBSCRIBE })).length;
    await world.smartrecruiters.fault({ delayMs: 1_500, path: SUBSCRIBE, times: 1 });
    const check = world.run(CHECK);
    await until(
      "it looks",
      async () => (await world.smartrecruiters.requests({ to: SUBSCRIBE })).length > before,
    );
    await succeed(world, ["webhooks", "subscribe"]);
    expect((await check).json).toMatchObject({ failed: [] });
    expect(await rowOf(world)).toMatchObject({ banner: null, subscription: { state: "active" } });
  });

  test("is missed by nobody who never subscribed, or has unsubscribed", async () => {
    const world = await connectedAts();
    for (const before of [[], ["webhooks", "subscribe"]]) {
      if (before.length > 0) await succeed(world, before);
      if (before.length > 0) await succeed(world, ["webhooks", "unsubscribe", "--yes"]);
      await succeed(world, ["webhooks", "list"]);
      expect((await succeed(world, CHECK)).json).toMatchObject({ failed: [] });
      expect(await rowOf(world)).toMatchObject({ subscription: { state: "none" }, banner: null });
    }
  });
});

describe("among others' subscriptions, which come in pages", () => {
  /** Twenty-five others', of which ten fill the first page, stand before ours. */
  async function crowded(): Promise<World> {
    const world = await connectedAts();
    const { api } = await company(world);
    for (let n = 0; n < 25; n += 1)
      await api("POST", SUBSCRIBE, { event: COMPLETED, targetUrl: `https://other.example/${n}` });
    return world;
  }

  test.each(["id", "link", "offset"] as const)(
    "ours is found, kept, checked and removed, whichever way a page names the next (%s)",
    async (pageStyle) => {
      const world = await crowded();
      await world.smartrecruiters.settings({ pageStyle });
      await succeed(world, ["webhooks", "subscribe"]);
      expect((await succeed(world, ["webhooks", "subscribe", "--json"])).json).toMatchObject({
        created: false,
        removed: 0,
      });
      expect(await subscriptions(world)).toHaveLength(26);
      expect((await succeed(world, CHECK)).json).toMatchObject({ checked: 1, failed: [] });
      const { subscriptions: listed } = v.parse(
        v.object({ subscriptions: v.array(v.object({ isOurs: v.boolean() })) }),
        (await succeed(world, LIST)).json,
      );
      expect(listed.map(({ isOurs }) => isOurs)).toEqual([...Array(25).fill(false), true]);
      expect((await succeed(world, ["webhooks", "unsubscribe", "--yes", "--json"])).json).toMatchObject({
        removed: 1,
      });
      expect(await subscriptions(world)).toHaveLength(25);
    },
  );

  test("a list that goes in circles changes nothing, and says so", async () => {
    const world = await crowded();
    const page = { content: [], nextPageId: "again" };
    await world.smartrecruiters.fault({ status: 200, path: SUBSCRIBE, body: page });
    const { code, err } = await world.run(["webhooks", "subscribe"]);
    expect(code).toBe(6);
    expect(err).toContain("SmartRecruiters' pages go in a circle: listing subscriptions was given up");
    await world.smartrecruiters.clearFaults();
    expect(await subscriptions(world)).toHaveLength(25);
  });

  test("ours is removed by the id that we hold, also where the list does not show it", async () => {
    const world = await connectedAts();
    await succeed(world, ["webhooks", "subscribe"]);
    const { id } = await subscription(world);
    await world.smartrecruiters.fault({ status: 200, method: "GET", path: SUBSCRIBE, body: { content: [] } });
    expect((await succeed(world, ["webhooks", "rotate-secret", "--json"])).json).toMatchObject({
      replaced: [id],
    });
    expect((await succeed(world, ["webhooks", "unsubscribe", "--yes", "--json"])).json).toMatchObject({
      removed: 1,
    });
    expect(await subscriptions(world)).toEqual([]);
  });
});

describe("webhooks list", () => {
  test("shows whose is ours, and others' beside it", async () => {
    const world = await connectedAts();
    await succeed(world, ["webhooks", "subscribe"]);
    const { id } = await subscription(world);
    const { api } = await company(world);
    await api("POST", SUBSCRIBE, { event: COMPLETED, targetUrl: "https://other.example/hooks" });
    expect((await succeed(world, LIST)).json).toMatchObject({
      state: "active",
      targetUrl: world.webhookUrl,
      subscriptions: [
        { id, isOurs: true, isActive: true },
        { isOurs: false, targetUrl: "https://other.example/hooks" },
      ],
    });
    const { out } = await succeed(world, ["webhooks", "list"]);
    expect(out).toContain("Ours is active and its secret is in the vault.");
    expect(out).toContain(`SmartRecruiters' webhook subscriptions; ours is the one to ${world.webhookUrl}`);
    expect(out).toMatch(/^id +event +sends to +state$/m);
    expect(out).not.toContain((await subscriptions(world))[0]?.secret);
  });

  test("says how to subscribe where there is none", async () => {
    const world = await connectedAts();
    const { out } = await succeed(world, ["webhooks", "list"]);
    expect(out).toContain("No subscription.");
    expect(out).toContain("jc-integrations webhooks subscribe --org acme");
  });
});

describe("webhooks rotate-secret", () => {
  test("leaves no gap: what was signed with either secret is taken", async () => {
    const { world } = await servingAts();
    const before = await subscription(world);
    const rotated = await succeed(world, ["webhooks", "rotate-secret", "--json"]);
    const after = await subscription(world);
    expect(after.secret).not.toBe(before.secret);
    expect(rotated.json).toMatchObject({ id: after.id, replaced: [before.id] });
    for (const [id, { secret }] of Object.entries({ evt_old: before, evt_new: after })) {
      const body = completedEvent({ candidateId: "c9", assessmentId: "a9" }, { id });
      expect(await post(world, body, `sha256=${signatureOf(body, secret)}`)).toMatchObject({ status: 202 });
    }
    expect((await webhookLog(world)).received.map(({ eventId }) => eventId)).toEqual(["evt_old", "evt_new"]);
    expect(await rowOf(world)).toMatchObject({ subscription: { state: "active" } });
  });
});

describe("webhooks unsubscribe", () => {
  test("removes ours alone, and says so when there is none", async () => {
    const world = await connectedAts();
    await succeed(world, ["webhooks", "subscribe"]);
    const { api } = await company(world);
    await api("POST", SUBSCRIBE, { event: COMPLETED, targetUrl: "https://other.example/hooks" });
    expect((await succeed(world, ["webhooks", "unsubscribe", "--yes", "--json"])).json).toMatchObject({
      removed: 1,
    });
    expect(await subscription(world, APP)).toMatchObject({ targetUrl: "https://other.example/hooks" });
    expect((await succeed(world, ["webhooks", "unsubscribe", "--yes"])).out).toContain(
      "no subscription of ours",
    );
  });
});

test("one whose maker died before its secret was kept is replaced, though an older secret is there", async () => {
  const world = await connectedAts();
  await succeed(world, ["webhooks", "subscribe"]);
  await succeed(world, ["webhooks", "unsubscribe", "--yes"]);
  const { api } = await company(world);
  await api("POST", SUBSCRIBE, { event: COMPLETED, targetUrl: world.webhookUrl });
  const orphan = await subscription(world);
  const log = new Database(join(world.stateDir, "log.db"));
  const begun = JSON.stringify({ id: null, state: "missing", checkedAt: 0, begun: true });
  log
    .prepare(
      "UPDATE connections SET details = json_set(details, '$.subscription', json(?)) WHERE vendor = 'smartrecruiters'",
    )
    .run(begun);
  log.close();

  expect((await succeed(world, LIST)).json).toMatchObject({ state: "without secret" });
  expect((await succeed(world, ["webhooks", "subscribe", "--json"])).json).toMatchObject({
    created: true,
    removed: 1,
  });
  expect((await subscription(world)).id).not.toBe(orphan.id);
  expect((await succeed(world, ["webhooks", "subscribe", "--json"])).json).toMatchObject({
    created: false,
    removed: 0,
  });
});

describe("a webhook secret that was set by hand", () => {
  test("serves the subscription that the customer made, which subscribe then keeps", async () => {
    const world = await connectedAts();
    const { api } = await company(world);
    await api("POST", SUBSCRIBE, { event: COMPLETED, targetUrl: world.webhookUrl });
    const { id, secret } = await subscription(world);
    expect((await succeed(world, LIST)).json).toMatchObject({ state: "without secret" });
    await serving(world);
    await succeed(world, ["secrets", "set", "smartrecruiters.webhook-secret", "--org", "acme"], secret);
    const body = completedEvent({ candidateId: "c9", assessmentId: "a9" });
    await until(
      "it is known",
      async () => (await post(world, body, signatureOf(body, secret))).status === 202,
    );
    expect((await succeed(world, ["webhooks", "subscribe", "--json"])).json).toMatchObject({
      id,
      created: false,
      removed: 0,
    });
    expect((await webhookLog(world)).received).toMatchObject([{ eventId: "evt_1", isMatched: false }]);
  });
});
