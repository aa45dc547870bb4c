/** Each thing that can be wrong with SmartRecruiters, its webhooks and those of JobCannon; the guide's three errors among them. */
import { appendFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { atsWorld, company, connectedAts, invited, SCOPES, servingAts, subscription } from "../ats/world.ts";
import { serving } from "../daemon/serving.ts";
import { type FakeClock, fakeClock } from "../fake-clock.ts";
import { APP, publishedWorld } from "../published/world.ts";
import { CLIENT_SECRET, connect, freePort, invite, succeed, until, WEBHOOK_SECRET } from "../world.ts";
import { examined, expectMended, expectTold, found, typed } from "./found.ts";

const ONLY = ["smartrecruiters"];
const DAY_MS = 24 * 3_600_000;

describe("the guide's common errors", () => {
  test("Invalid OAuth redirect URI", async () => {
    const world = await atsWorld();
    await world.smartrecruiters.settings({ redirectUris: ["https://api.jobcannon.io/"] });
    const told = await expectTold(world, {
      id: "smartrecruiters.redirect-uri",
      exit: 2,
      argv: ONLY,
      who: /Verify SmartRecruiters shows .*\/smartrecruiters\/oauth-callback\. Check for typos or trailing slashes\. Regenerate/,
      done: () => world.smartrecruiters.settings({ redirectUris: null }),
    });
    expect(told.why).toContain("Invalid OAuth redirect URI: Registered URI doesn't match the callback URL");
  });

  test("Webhook signature validation failed", async () => {
    const { world } = await servingAts();
    const admin = await company(world);
    const taken = async () => (await world.smartrecruiters.deliveries()).some(({ status }) => status === 202);
    const { candidateId } = await invited(admin);
    await world.smartrecruiters.complete(candidateId);
    await until("the first one is taken", taken);
    await world.smartrecruiters.rotateSecret((await subscription(world)).id);
    await world.smartrecruiters.fire(event("evt_refused"));
    await until("one is refused", async () => (await found(world, "webhooks.refused", ONLY)) !== undefined);
    const refused = await found(world, "webhooks.refused", ONLY);
    expect(refused).toMatchObject({
      exit: 2,
      why: expect.stringContaining("Webhook signature validation failed"),
    });
    expect(refused?.why).toContain("Verify SmartRecruiters sends `X-SmartRecruiters-Signature` header");
    expect((await typed(world, refused?.command ?? null)).code).toBe(0);
    await world.smartrecruiters.fire(event("evt_taken"));
    await until(
      "the next is taken",
      async () => (await found(world, "webhooks.refused", ONLY)) === undefined,
    );
  });

  test("Assessment delivery failed (403 Forbidden)", async () => {
    const world = await atsWorld();
    await world.smartrecruiters.settings({
      grantedScopes: SCOPES.filter((scope) => scope !== "assessments:write"),
    });
    expect((await world.run(["connect", "smartrecruiters"])).code).toBe(7);
    await world.smartrecruiters.settings({ grantedScopes: null });
    await succeed(world, ["webhooks", "subscribe"]);
    const told = await expectMended(world, { id: "smartrecruiters.scopes", exit: 7, argv: ONLY });
    expect(told.what).toContain("assessments:write");
    expect(told.why).toContain("Assessment delivery failed (403 Forbidden)");
    expect(told.why).toContain("Check integration scopes in SmartRecruiters");
  });
});

describe("webhooks", () => {
  test("that are not subscribed, switched off, gone, or whose secret is gone", async () => {
    const { world } = await servingAts();
    const id = "smartrecruiters.subscription";
    const switchedOff = async () =>
      world.smartrecruiters.changeSubscription((await subscription(world)).id, { status: "inactive" });
    await switchedOff();
    await expectMended(world, { id, exit: 7, argv: ONLY });
    await world.smartrecruiters.removeSubscription((await subscription(world)).id);
    await expectMended(world, { id, exit: 7, argv: ONLY });
    await succeed(world, ["secrets", "remove", "smartrecruiters.webhook-secret", "--yes"]);
    const secret = await found(world, "webhooks.secret", ONLY);
    expect(secret).toMatchObject({ exit: 2, command: "jc-integrations webhooks subscribe --org acme" });
    await expectMended(world, { id: "webhooks.secret", exit: 2, argv: ONLY });

    await switchedOff();
    const { fixed } = await examined(world, [...ONLY, "--fix"]);
    expect(fixed).toEqual([{ id, did: expect.stringContaining(`to ${world.webhookUrl}`), problem: null }]);
    expect(await found(world, id, ONLY)).toBeUndefined();

    await succeed(world, ["webhooks", "unsubscribe", "--yes"]);
    expect(await found(world, id, ONLY)).toMatchObject({ level: "warning", exit: 0 });
  });

  test("that go to another address are not taken away from there by --fix", async () => {
    const { world } = await servingAts();
    const elsewhere = { id: (await subscription(world)).id, targetUrl: "https://elsewhere.example/hook" };
    await world.smartrecruiters.changeSubscription(elsewhere.id, { targetUrl: elsewhere.targetUrl });
    const { fixed, findings } = await examined(world, [...ONLY, "--fix"]);
    expect(fixed).toEqual([]);
    expect(findings.map(({ id }) => id)).toContain("smartrecruiters.subscription");
    await expectMended(world, { id: "smartrecruiters.subscription", exit: 7, argv: ONLY });
  });

  test("of JobCannon without a secret", async () => {
    const { world, service } = await servingAts();
    await succeed(world, ["secrets", "remove", "jobcannon.webhook-secret", "--yes"]);
    await expectMended(world, { id: "webhooks.secret", exit: 2, argv: ONLY, stdin: WEBHOOK_SECRET });
    await until("it is verified again", async () => (await service.post(invite())).status === 202);
    await until("that is told", async () =>
      saysOf(await examined(world, ONLY), "webhooks").includes("JobCannon: verified"),
    );
  });
});

describe("the service", () => {
  test("that does not run, or runs with another configuration", async () => {
    const world = await connectedAts();
    const stopped = await found(world, "service", ONLY);
    expect(stopped).toMatchObject({ level: "warning", command: "jc-integrations serve", exit: 0 });
    const first = await serving(world);
    expect(await found(world, "service", ONLY)).toBeUndefined();
    appendFileSync(world.configFile, "\n# a word\n");
    expect(await found(world, "service", ONLY)).toBeUndefined();
    appendFileSync(world.configFile, "\n[retention]\ndays = 400\n");
    await expectTold(world, {
      id: "service.drift",
      exit: 0,
      who: /Whoever started serve: stop it, and start it again/,
      argv: ONLY,
      done: async () => {
        await first.running.stop();
        await serving(world);
      },
    });
  });

  test("whose public address leads nowhere, or to somebody else", async () => {
    const { world } = await servingAts();
    const at = async (url: string) =>
      await found(world, "receiver", ONLY, { env: { JC_SERVE_PUBLIC_URL: url } });
    expect(await at(`http://localhost:${await freePort()}`)).toMatchObject({
      exit: 2,
      what: expect.stringContaining("ECONNREFUSED"),
      command: null,
      who: expect.stringContaining("Whoever runs the way there: let serve.public_url lead to serve.listen"),
    });
    expect(await at(world.emulator.telegram)).toMatchObject({ what: expect.stringContaining("answers 4") });
    expect(await at("https://nobody.invalid")).toMatchObject({
      what: expect.stringContaining("nobody.invalid has no address here"),
      who: expect.stringContaining("Whoever keeps the DNS"),
    });
    const { port } = new URL(world.publicUrl);
    expect(await at(`https://localhost:${port}`)).toMatchObject({
      what: expect.stringContaining("does not speak TLS 1.2 or newer"),
    });
    expect(await found(world, "receiver", ONLY)).toBeUndefined();
  });
});

test("a login that ends soon is told a month ahead", async () => {
  const clock: FakeClock = fakeClock();
  const world = await connectedAts({ clock });
  expect(await found(world, "smartrecruiters.login", ONLY)).toBeUndefined();
  clock.jump(clock.now() + (2 * 365 - 20) * DAY_MS);
  const before = await found(world, "smartrecruiters.login", ONLY);
  expect(before).toMatchObject({ level: "warning", what: expect.stringMatching(/ends in \d+ days/) });
  expect((await typed(world, before?.command ?? null)).code).toBe(0);
  expect(await found(world, "smartrecruiters.login", ONLY)).toBeUndefined();
});

test("a sandbox test that was never passed is left to be done, and said once it was", async () => {
  const world = await atsWorld();
  await connect(world);
  await succeed(world, ["connect", "hubspot", "--sandbox"]);
  await world.portal.settings({ accountType: "DEVELOPER_TEST" });
  await succeed(world, ["connect", "hubspot", "--sandbox"]);
  const before = await found(world, "hubspot.sandbox-test");
  expect(before).toMatchObject({ level: "note", exit: 0 });
  expect((await typed(world, before?.command ?? null)).code).toBe(0);
  const after = await examined(world);
  expect(after.findings.map(({ id }) => id)).not.toContain("hubspot.sandbox-test");
  expect(saysOf(after, "hubspot")).toContain("sandbox test passed 20");
  const sandbox = await examined(world, ["hubspot", "--sandbox"]);
  expect([sandbox.code, saysOf(sandbox, "hubspot")]).toEqual([0, expect.stringContaining("17 properties")]);
});

test("the published contract is looked at by whichever way the account was opened", async () => {
  const world = await publishedWorld();
  await succeed(world, ["connect", "smartrecruiters"]);
  const wrongOf = async () =>
    (await examined(world, ONLY)).findings.filter(
      ({ id, exit }) => id.startsWith("smartrecruiters.") && exit > 0,
    );
  expect(await wrongOf()).toEqual([]);
  await succeed(world, ["secrets", "set", "smartrecruiters.client-secret"], "wrong");
  const wrong = { id: "smartrecruiters.credentials", exit: 2, argv: ONLY, stdin: CLIENT_SECRET };
  await expectMended(world, wrong);
  await succeed(world, ["secrets", "set", "smartrecruiters.client-secret", "--org", "acme"], "wrong");
  const own = await expectMended(world, wrong);
  expect(own.command).toBe("jc-integrations secrets set smartrecruiters.client-secret --org acme");
  await succeed(world, ["secrets", "remove", "smartrecruiters.client-secret", "--org", "acme", "--yes"]);
  appendFileSync(world.configFile, `\n[orgs.acme]\nsmartrecruiters_client_id = "${APP}"\n`);
  await succeed(world, ["secrets", "set", "smartrecruiters.client-secret"], "wrong");
  expect((await expectMended(world, wrong)).command).toBe(own.command);

  await succeed(world, ["secrets", "set", "smartrecruiters.api-key"], "the-key-of-the-company");
  await succeed(world, ["connect", "smartrecruiters", "--method", "api-key", "--yes"]);
  await succeed(world, ["secrets", "remove", "smartrecruiters.client-secret", "--yes"]);
  expect(await wrongOf()).toEqual([]);
  await succeed(world, ["secrets", "set", "smartrecruiters.api-key"], "wrong");
  const [refused] = await wrongOf();
  expect(refused).toMatchObject({ id: "smartrecruiters.credentials" });
  expect(JSON.stringify(refused)).toContain("secrets set smartrecruiters.api-key");
});

function saysOf({ areas }: Awaited<ReturnType<typeof examined>>, id: string): string {
  return areas.find((area) => area.id === id)?.says ?? "";
}

function event(id: string): object {
  return {
    id,
    event: "candidate.assessment.completed",
    occurredAt: "2026-11-22T10:15:00Z",
    data: { candidateId: "c9", jobId: "j1", assessmentId: "a9", status: "completed" },
  };
}
