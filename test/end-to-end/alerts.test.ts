import * as v from "valibot";
import { expect, test } from "vitest";
import { connected, invite, until } from "../world.ts";
import { describeInEachPlace } from "./places.ts";
import { launch } from "./program.ts";

const Sent = v.object({ sent: v.number(), failed: v.array(v.string()) });
/** Telegram is waited for for 10 s. */
const CALL_MS = 6_000;

describeInEachPlace((place) => {
  test("an alert goes out once, however many look for trouble at the same moment", async () => {
    const env = { ...(await place.environment()), JC_ALERTS_TELEGRAM_CHAT_ID: "4711" };
    const bare = await connected({ env });
    const world = {
      ...bare,
      env: { ...bare.env, JC_ALERTS_TELEGRAM_API_BASE: bare.emulator.telegram },
    };
    const token = await world.run(["secrets", "set", "telegram.bot-token"], { stdin: "123:abcdef" });
    expect(token.code).toBe(0);
    await world.portal.fault({ revoked: true });
    await world.run(["invites", "import", world.file("one.ndjson", [invite()])]);
    await world.run(["run", "retry"]);

    await world.telegram.fault({ delayMs: CALL_MS });
    const look = () => launch(world, ["run", "alerts", "--json"]);
    const together = [look(), look()];
    await until("one is on its way", async () => (await world.telegram.requests()).length > 0);
    const ended = await Promise.all([...together, look()].map((program) => program.ended));
    expect(ended.map(({ code, err }) => ({ code, err }))).toEqual(ended.map(() => ({ code: 0, err: "" })));
    const sent = ended.map(({ out }) => v.parse(Sent, JSON.parse(out)).sent);
    expect(sent.toSorted()).toEqual([0, 0, 1]);
    expect(await world.telegram.messages()).toMatchObject([{ text: expect.stringContaining("reconnect") }]);
  });
});
