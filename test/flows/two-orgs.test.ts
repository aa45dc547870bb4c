/** Two orgs with an account, a tier and a chat each, in one installation: nothing of one reaches the other. */
import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { expect, test } from "vitest";
import { vaultOf } from "../connect/world.ts";
import { launchFleet } from "../end-to-end/fleet.ts";
import { describeInEachPlace, type Place } from "../end-to-end/places.ts";
import { send } from "../end-to-end/program.ts";
import {
  CLIENT_SECRET,
  connect,
  disc,
  freshWorld,
  importResults,
  invite,
  type InviteEvent,
  succeed,
  until,
  type World,
} from "../world.ts";

const [ACME_PORTAL, GLOBEX_PORTAL] = [9_100_001, 9_100_002];
const BOTH = "ann.both@example.org";

const Pair = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ accessToken: v.string(), refreshToken: v.string() }),
);

/** Dominance by e-mail, as the portal's people see it. */
async function dominanceIn(world: World, portalId: number): Promise<Record<string, string | undefined>> {
  const all = (await world.portal.wholeContacts()).filter((contact) => contact.portalId === portalId);
  return Object.fromEntries(all.map(({ email, properties }) => [email, properties.jc_disc_d]));
}

/** As the portal's admin does who removes the app: both tokens are dead. */
async function revokeTokensOf(world: World, org: string): Promise<void> {
  const { accessToken, refreshToken } = v.parse(
    Pair,
    (await vaultOf(world))[`token/${org}/hubspot/production`],
  );
  for (const token of [accessToken, refreshToken]) {
    const body = new URLSearchParams({ client_id: "app-1", client_secret: CLIENT_SECRET, token });
    await fetch(`${world.emulator.hubspot}/oauth/v3/token/revoke`, { method: "POST", body });
  }
}

const result = (org: string, email: string, dominance: number) =>
  invite({ org, email, tests: [disc([dominance, 41, 55, 80])] });

async function twoOrgs(place: Place): Promise<World> {
  const world = await freshWorld({ env: await place.environment() });
  appendFileSync(
    world.configFile,
    `[alerts.telegram]
api_base = "${world.emulator.telegram}"
[orgs.acme]
hubspot_tier = "paid"
telegram_chat_id = "100"
[orgs.globex]
hubspot_tier = "marketplace"
telegram_chat_id = "200"
`,
  );
  await world.portal.settings({ portalId: ACME_PORTAL });
  await connect(world);
  await world.portal.settings({ portalId: GLOBEX_PORTAL });
  await succeed(world, ["connect", "hubspot", "--org", "globex"]);
  await succeed(world, ["secrets", "set", "telegram.bot-token"], "123:abcdef");
  return world;
}

describeInEachPlace((place) => {
  test("nothing of one org reaches the other's portal or chat, also when one of them is revoked", async () => {
    const world = await twoOrgs(place);
    const fleet = await launchFleet(place, world);
    const post = async (event: InviteEvent) => expect((await send(fleet.url, event))?.status).toBe(202);
    const people = Array.from({ length: 40 }, (_, index) => `p${index}@example.org`);
    const events = [BOTH, ...people].flatMap((email, index) => [
      result("acme", index === 0 ? email : `acme.${email}`, 10),
      result("globex", index === 0 ? email : `globex.${email}`, 90),
    ]);
    await Promise.all(events.map(post));
    const areThere = async (n: number, portal: number) =>
      Object.keys(await dominanceIn(world, portal)).length === n;
    await until("acme's are there", () => areThere(41, ACME_PORTAL));
    await until("globex's are there", () => areThere(41, GLOBEX_PORTAL));
    for (const [org, portal, dominance] of [
      ["acme", ACME_PORTAL, "10"],
      ["globex", GLOBEX_PORTAL, "90"],
    ] as const) {
      const seen = await dominanceIn(world, portal);
      expect(new Set(Object.values(seen))).toEqual(new Set([dominance]));
      for (const email of Object.keys(seen)) expect(email === BOTH || email.startsWith(`${org}.`)).toBe(true);
    }

    await revokeTokensOf(world, "globex");
    // By each of the services.
    for (let n = 0; n < place.services; n += 1) await post(result("globex", BOTH, 91 + n));
    await post(result("acme", BOTH, 11));
    await until("acme's is there", async () => (await dominanceIn(world, ACME_PORTAL))[BOTH] === "11");
    const globex = () => world.run(["status", "--org", "globex"]);
    await until("globex must reconnect", async () => (await globex()).code === 4);
    expect((await dominanceIn(world, GLOBEX_PORTAL))[BOTH]).toBe("90");
    expect((await world.run(["status", "--org", "acme"])).code).toBe(0);
    await succeed(world, ["run", "alerts"]);
    expect(await world.telegram.messages()).toEqual([
      { chat_id: "200", text: expect.stringContaining("--org globex") },
    ]);
    expect(JSON.stringify(await world.telegram.messages())).not.toContain("acme");
  });

  test("a portal that does not answer keeps no other org's results waiting, whoever comes first", async () => {
    const world = await twoOrgs(place);
    const anns = (org: string, dominance: number) => result(org, `ann@${org}.example.org`, dominance);
    for (const [slow, quick, portal, dominance] of [
      ["acme", "globex", GLOBEX_PORTAL, 10],
      ["globex", "acme", ACME_PORTAL, 20],
    ] as const) {
      await world.portal.fault({ delayMs: 60_000, match: `@${slow}.example.org` });
      await importResults(world, [anns(slow, dominance), anns(quick, dominance)]);
      const retry = world.start(["run", "retry"]);
      const isThere = async () =>
        (await dominanceIn(world, portal))[`ann@${quick}.example.org`] === `${dominance}`;
      await until("the quick one's is there", isThere);
      expect(await Promise.race([retry.done, "still calls"])).toBe("still calls");
      await retry.stop();
      await world.portal.clearFaults();
      await succeed(world, ["run", "retry"]);
    }
  });

  test("a command for one org sees and sends nothing of the other, whatever it names", async () => {
    const world = await twoOrgs(place);
    const acmes = result("acme", BOTH, 10);
    await importResults(world, [
      acmes,
      result("globex", BOTH, 90),
      result("acme", "only.acme@example.org", 10),
    ]);
    await succeed(world, ["run", "retry"]);
    const globex = (...argv: string[]) => world.run([...argv, "--org", "globex", "--json"]);
    const id = acmes.data.invitation_id;

    await world.portal.fault({ status: 400, match: "only.acme@example.org" });
    for (const flags of [[], ["--yes"]])
      expect(await globex("replay", id, ...flags)).toMatchObject({ code: 2, out: "" });
    const email = ["--email", "only.acme@example.org"];
    expect((await globex("replay", ...email, "--yes")).json).toMatchObject({ matched: 0 });
    expect((await globex("replay", "--email", BOTH, "--yes")).json).toMatchObject({
      matched: 1,
      delivered: 1,
    });
    expect((await globex("backfill", "--yes")).json).toMatchObject({ matched: 0, queued: 0 });
    const logged = (await globex("logs", "--reveal")).out;
    expect(logged).toContain(BOTH);
    expect(logged).not.toContain("only.acme");
    expect((await globex("logs", "--runs")).out).not.toContain('"acme"');
    expect((await globex("invites", "show", id)).code).not.toBe(0);
    expect((await globex("invites", "list", "--reveal")).out).not.toContain("only.acme");
    const status = await globex("status");
    expect(status.json).toMatchObject({ org: "globex", pushes: { delivered: 1, rejected: 0 } });
    expect(status.out).not.toContain(String(ACME_PORTAL));
    expect(await dominanceIn(world, ACME_PORTAL)).toEqual({ [BOTH]: "10", "only.acme@example.org": "10" });
    expect(await dominanceIn(world, GLOBEX_PORTAL)).toEqual({ [BOTH]: "90" });
  });
});
