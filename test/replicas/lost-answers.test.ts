/** The built program, where a commit took place and nobody heard of it. */
import { expect, test } from "vitest";
import { answer, approve, confirm, linkFor, open, publicAddress, wordsOf } from "../connect/linked.ts";
import { OTHER_PORTAL, PORTAL, statusOf, vaultOf } from "../connect/world.ts";
import { launchService } from "../end-to-end/program.ts";
import { throughProxy } from "../store/postgres-proxy.ts";
import { asked, describeWithPostgres, postgresServer } from "../store/postgres-server.ts";
import { connected, importResults, invite, until } from "../world.ts";

/** A portal that is connected, and a service that reaches its database by a way that loses answers. */
async function serving() {
  const url = await (await postgresServer()).database();
  const proxied = await throughProxy(url);
  const env = { JC_STORE_URL: url, ...(await publicAddress()) };
  const world = await connected({ env });
  await launchService({
    ...world,
    env: { ...world.env, JC_STORE_URL: proxied.url, JC_STORE_DIRECT_URL: url },
  });
  return { world, url, proxied };
}

describeWithPostgres("an admin's answer to a link, in a commit whose answer was lost", () => {
  test("is refused with its code unspent, and the same address works at once", async () => {
    const { world, proxied } = await serving();
    const redirect = await approve(await linkFor(world, "--account", String(PORTAL)));
    proxied.loseCommitAfter("UPDATE jc.consents SET used_at");
    const refused = await open(redirect);
    expect(refused.status).toBe(503);
    expect(wordsOf(refused)).toContain(
      "Open the link you were given again in a few minutes; it is still good.",
    );
    expect(wordsOf(await open(redirect))).toContain("HubSpot is connected");
  });

  test("leaves no tokens of another account where those of the connected one stood, and the link is good again", async () => {
    const { world, url, proxied } = await serving();
    await world.portal.settings({ portalId: OTHER_PORTAL });
    const link = await linkFor(world, "--yes");
    proxied.loseCommitAfter("INSERT INTO jc_vault.items");
    expect((await answer(link)).status).toBe(503);
    await importResults(world, [invite()]);
    // The other account has no property of ours: what is sent there is held for want of one.
    const causes = async () =>
      (await asked(url, "SELECT held_cause AS cause FROM jc.pushes")).map((row) => Object(row).cause);
    await until("it is held", async () => (await causes()).every((cause) => cause !== null));
    expect(await causes()).toEqual(["confirm"]);
    expect(Object.keys(await vaultOf(world)).filter((name) => name.startsWith("token/"))).toEqual([]);
    expect(wordsOf(await answer(link))).toContain("HubSpot is connected");
    expect(await world.portal.contacts()).toEqual({});
    await confirm(world, "--account", String(OTHER_PORTAL));
    await until("it went out", async () => (await statusOf(world)).pushes.delivered === 1);
  });
});
