/** The admin page of an org whose company is spoken to as the vendor's own documents have it. */
import { expect, test } from "vitest";
import { wordsOf } from "../connect/linked.ts";
import { adminLink, caller } from "../daemon/admin-page.ts";
import { serving } from "../daemon/serving.ts";
import { CLIENT_SECRET, disc, importResults, succeed, until, type World } from "../world.ts";
import { apply, completed, control } from "./company.ts";
import { APP, publishedWorld, rowOf, VENDOR } from "./world.ts";

const HOME = "/admin/integrations";
const PLACE = { org: "acme", vendor: VENDOR, environment: "production" };
const EMAIL = "ann@example.org";

async function page(world: World, ...flags: string[]) {
  const { running } = await serving(world);
  const signedIn = await caller(
    `http://${JSON.parse(running.out()).admin}`,
    await adminLink(world, ...flags),
  );
  const pressed = async (button: string, fields: Record<string, string> = {}) => {
    const { headers } = await signedIn.post(`${HOME}/${button}`, { ...PLACE, ...fields });
    const to = new URL(String(headers.location));
    return { to, shown: await signedIn.get(to.pathname + to.search) };
  };
  return { ...signedIn, pressed };
}

test("Connect connects at once by client credentials, says so in green, and needs no one's consent", async () => {
  const world = await publishedWorld();
  const { pressed, get } = await page(world);
  const { to, shown } = await pressed("connect");
  expect(to.pathname).toBe(HOME);
  expect(shown.body).toContain('class="banner good" role="status"><p><strong>SmartRecruiters is connected');
  expect(await rowOf(world)).toMatchObject({ state: "connected", account: expect.stringContaining(APP) });
  expect((await world.smartrecruiters.requests({ to: "/oauth/allow" })).length).toBe(0);
  expect(wordsOf(await get("/admin/audit"))).toContain(`connect acme acme/${VENDOR}/production`);
});

test("Connect that cannot says why and what an operator does, and changes nothing", async () => {
  const world = await publishedWorld();
  await succeed(world, ["secrets", "remove", "smartrecruiters.client-secret", "--yes"]);
  const { pressed } = await page(world);
  const { shown } = await pressed("connect");
  expect(wordsOf(shown)).toContain("SmartRecruiters was not connected");
  expect(wordsOf(shown)).toContain("jc-integrations secrets set smartrecruiters.client-secret");
  expect((await rowOf(world))?.state ?? "not_connected").toBe("not_connected");
  await succeed(world, ["secrets", "set", "smartrecruiters.client-secret"], CLIENT_SECRET);
  await succeed(world, ["connect", VENDOR, "--org", "rival"]);
  const { shown: taken } = await pressed("connect");
  expect(wordsOf(taken)).toContain("one account belongs to one organisation");
  expect(taken.body).not.toContain("disconnect");
});

test("Ask SmartRecruiters now reads the application's values, and names what differs", async () => {
  const world = await publishedWorld();
  await succeed(world, ["connect", VENDOR]);
  const of = await apply(world, { email: EMAIL });
  await importResults(world, [completed("inv_1", { email: EMAIL, of, tests: [disc()] })]);
  const { post, pressed } = await page(world);
  const pushes = async () => Object(Object((await world.run(["status", "--json"])).json).pushes);
  await until("it is delivered", async () => (await pushes()).delivered === 1);
  const ask = async () =>
    wordsOf(await post(`${HOME}/candidate`, { org: "acme", invite: "inv_1", ask: `${VENDOR}/production` }));
  const same = await ask();
  expect(same).toContain("Asked just now.");
  expect(same).toMatch(/jc_disc_d \([^)]+\) 68 68/);
  expect(same).toMatch(/title JobCannon: DISC not told/);
  expect(same).not.toContain("differs");
  await control(world, "/values", {
    applicationId: of.applicationId,
    values: { jc_disc_d: 12, jc_disc_i: null },
  });
  const other = await ask();
  expect(other).toMatch(/jc_disc_d \([^)]+\) 68 12 differs/);
  expect(other).toMatch(/jc_disc_i \([^)]+\) 41 nothing differs/);
  const { shown } = await pressed("resync");
  expect(wordsOf(shown)).toMatch(
    /6 candidate properties are there\. An administrator of SmartRecruiters has to create the others: .*jc_iq_score \(NUMBER\)/,
  );
});
