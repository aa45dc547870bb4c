import { createServer } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { launch, launchService } from "../end-to-end/program.ts";
import type { AtsWorld } from "../ats/world.ts";
import { connect, invite, ORG, succeed, until } from "../world.ts";
import {
  candidates,
  connectedSandbox,
  failureOf,
  JOB,
  lastPassedAt,
  linkOf,
  readyWorld,
  reportOf,
  sandboxWorld,
  statusesOf,
  subscribedWorld,
  subscriptionId,
  takeTest,
  trying,
  WITHOUT_WRITE,
} from "./world.ts";

const REDIRECT_CAUSE = "Registered URI doesn't match the callback URL";
const SIGNATURE_CAUSE = "HMAC signature is missing or incorrect";
const SCOPE_CAUSE = "OAuth scopes don't include `assessments:write`";

/** Somebody else's server where ours is meant to be. */
async function answering(world: AtsWorld, body: string): Promise<void> {
  const server = createServer((_request, response) => response.end(body));
  await new Promise<void>((resolve) => {
    server.listen(Number(new URL(world.publicUrl).port), "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
}

describe("a trial in SmartRecruiters' sandbox", () => {
  test("passes the seven steps of the guide, and removes its candidate", async () => {
    const world = await readyWorld();
    const running = trying(world);
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(0);
    const { vendor, passed, steps } = reportOf(run);
    expect({ vendor, passed }).toEqual({ vendor: "smartrecruiters", passed: true });
    expect(steps.map(({ title, status }) => `${title}: ${status}`)).toEqual([
      "connected: passed",
      "subscribed: passed",
      "receiver reachable: passed",
      "1 candidate created: passed",
      "2 advanced to the stage: passed",
      "3 assessment triggered: passed",
      "4 link shown: passed",
      "5 completion seen: passed",
      "6 webhook received: passed",
      "7 scorecard updated: passed",
      "cleaned up: passed",
    ]);
    expect(steps.find(({ id }) => id === "scorecard")?.evidence).toContain("Dominance 68");
    expect(await candidates(world)).toEqual([]);
    expect(await lastPassedAt(world)).toBeGreaterThan(Date.now() - 60_000);
  });

  test("triggers by hand what the stage does not trigger by itself", async () => {
    const world = await readyWorld({ trigger: "manual" });
    const running = trying(world, "--stage", "Assessment");
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(0);
    expect(reportOf(run).steps.find(({ id }) => id === "triggered")?.evidence).toContain("by hand");
  });

  test("is a list of plain lines where there is no terminal", async () => {
    const world = await readyWorld();
    const running = world.start(["sandbox-test", "smartrecruiters", "--job", JOB, "--no-input"]);
    const link = await until("the link is shown", () => /4 link shown\s+(\S+)/.exec(running.out())?.[1]);
    await fetch(link, { method: "POST" });
    const { code, out, err } = await running.done;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.trimEnd().split("\n")).toHaveLength(11);
    expect(out).toMatch(/^✓ connected {2,}SmartRecruiters sr-sandbox; 5 scopes\n/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is what this is about
    expect(out).not.toMatch(/\u001b/);
  });

  test("shows at a terminal what it waits for, and how long", async () => {
    const world = await readyWorld();
    const argv = ["sandbox-test", "smartrecruiters", "--job", JOB, "--wait", "10m"];
    const running = world.start(argv, { isTerminal: true });
    const left = /◌ 5 completion seen {2,}\d+\.\d s {2}open the link and finish the test, (9:5\d|10:00) left/;
    await until("the countdown runs", () => left.test(running.err()));
    expect(running.out()).not.toContain("5 completion seen");
    const link = /4 link shown\s+(\S+)/.exec(running.out())?.[1] ?? "";
    await fetch(link, { method: "POST" });
    const { code, out, err } = await running.done;
    expect(code).toBe(0);
    expect(out).toContain("5 completion seen");
    // Nothing of the running line stays.
    expect(err.endsWith("\r\u001b[2K")).toBe(true);
  });

  test("keeps its candidate when it is told to", async () => {
    const world = await readyWorld();
    const running = trying(world, "--keep");
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(0);
    expect(statusesOf(run)["clean-up"]).toBe("skipped");
    expect(await candidates(world)).toHaveLength(1);
  });

  test("reaches nobody in production", async () => {
    const world = await readyWorld();
    await connect(world);
    const running = trying(world);
    await takeTest(running);
    expect((await running.done).code).toBe(0);
    expect((await succeed(world, ["status", "--json"])).json).toMatchObject({
      pushes: { pending: 0, delivered: 0, rejected: 0, held: 0 },
    });
    // It could have: another candidate's result goes there.
    const other = invite();
    expect((await world.service.post(other)).status).toBe(202);
    await until("it is delivered", async () => Object.keys(await world.portal.contacts()).length > 0);
    expect(Object.keys(await world.portal.contacts())).toEqual([other.data.candidate.email]);
  });

  test("is refused where the sandbox is production", async () => {
    const world = await sandboxWorld();
    const { code, err } = await world.run(["sandbox-test", "smartrecruiters", "--job", JOB], {
      env: { JC_SMARTRECRUITERS_API_BASE: world.emulator.smartrecruiters },
    });
    expect(code).toBe(2);
    expect(err).toContain("is the production API");
    expect(err).toContain("[sandbox.smartrecruiters]");
  });

  test("asks for the job that it needs", async () => {
    const world = await sandboxWorld();
    const { code, err } = await world.run(["sandbox-test", "smartrecruiters"]);
    expect(code).toBe(2);
    expect(err).toContain("--job is missing");
  });
});

describe("it fails where the fault is, with the guide's fix:", () => {
  test("the redirect URI is not registered", async () => {
    const world = await sandboxWorld();
    await world.smartrecruiters.settings({ redirectUris: ["https://elsewhere.example/callback"] });
    const run = await trying(world).done;
    expect(run.code).toBe(6);
    const { id, cause, fix } = failureOf(run);
    expect({ id, cause }).toEqual({ id: "connected", cause: REDIRECT_CAUSE });
    expect(fix).toContain("Check for typos or trailing slashes");
    expect(fix).toContain(world.sandboxRedirectUris.loopback);
    expect(fix).toContain(world.sandboxRedirectUris.public);
  });

  test("only the public redirect URI is registered", async () => {
    const world = await sandboxWorld();
    await world.smartrecruiters.settings({ redirectUris: [world.sandboxRedirectUris.public] });
    const { cause, fix } = failureOf(await trying(world).done);
    expect(cause).toBe(REDIRECT_CAUSE);
    expect(fix).toContain(`Verify SmartRecruiters shows ${world.sandboxRedirectUris.loopback}`);
    expect(fix).toContain(`Or go by ${world.sandboxRedirectUris.public}, which is registered.`);
    expect(fix).toContain("--sandbox --via-service");
  });

  test("nobody is connected", async () => {
    const world = await sandboxWorld();
    const run = await trying(world).done;
    expect(run.code).toBe(6);
    expect(failureOf(run)).toMatchObject({
      id: "connected",
      fix: `Run: jc-integrations connect smartrecruiters --org ${ORG} --sandbox`,
    });
  });

  test("a scope was not granted", async () => {
    const world = await sandboxWorld();
    await world.smartrecruiters.settings({ grantedScopes: WITHOUT_WRITE });
    expect((await world.run(["connect", "smartrecruiters", "--sandbox"])).code).toBe(7);
    const run = await trying(world).done;
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed).toMatchObject({
      id: "connected",
      cause: SCOPE_CAUSE,
      evidence: "not granted: assessments:write",
    });
    expect(failed.fix).toContain("If missing, re-authorize and approve all required scopes");
  });

  test("a scope was taken back, and the result is held", async () => {
    const world = await readyWorld();
    await world.smartrecruiters.settings({ grantedScopes: WITHOUT_WRITE });
    const running = trying(world);
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed).toMatchObject({ id: "scorecard", cause: SCOPE_CAUSE });
    expect(failed.fix).toContain("connect smartrecruiters --org acme --sandbox");
    expect(statusesOf(run)).toMatchObject({ webhook: "skipped", "clean-up": "passed" });
    expect(await candidates(world)).toEqual([]);

    // What the fix says mends it.
    await world.smartrecruiters.settings({ grantedScopes: null });
    await succeed(world, ["connect", "smartrecruiters", "--sandbox"]);
    const again = trying(world);
    await takeTest(again);
    expect((await again.done).code).toBe(0);
  });

  test("a scope was taken back, and nothing can be triggered", async () => {
    const world = await readyWorld({ trigger: "manual" });
    await world.smartrecruiters.settings({ grantedScopes: WITHOUT_WRITE });
    const run = await trying(world).done;
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed).toMatchObject({ id: "triggered", cause: SCOPE_CAUSE });
    expect(failed.fix).toContain("If missing, re-authorize and approve all required scopes");
    expect(await candidates(world)).toEqual([]);
  });

  test("the subscription was switched off", async () => {
    const world = await readyWorld();
    await world.smartrecruiters.changeSubscription(await subscriptionId(world), { status: "inactive" });
    const run = await trying(world).done;
    expect(run.code).toBe(6);
    expect(failureOf(run)).toMatchObject({
      id: "subscribed",
      cause: "SmartRecruiters has switched our webhook subscription off",
      fix: `Run: jc-integrations webhooks subscribe --org ${ORG} --sandbox`,
    });
  });

  test("there is no subscription", async () => {
    const world = await connectedSandbox();
    expect(failureOf(await trying(world).done)).toMatchObject({
      id: "subscribed",
      fix: expect.stringMatching(/subscribe/),
    });
  });

  test("the receiver cannot be reached", async () => {
    const world = await subscribedWorld();
    const run = await trying(world).done;
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed.id).toBe("receiver");
    expect(failed.cause).toContain("the receiver cannot be reached");
    expect(failed.fix).toContain("jc-integrations serve");
  });

  test("another service answers there", async () => {
    const world = await subscribedWorld();
    await answering(world, '{"status":"ok"}');
    const run = await trying(world).done;
    expect(failureOf(run)).toMatchObject({
      id: "receiver",
      cause: expect.stringContaining("no service runs on this store"),
    });
  });

  test("something else answers in the receiver's place", async () => {
    const world = await subscribedWorld();
    await answering(world, "<h1>Welcome to nginx</h1>");
    expect(failureOf(await trying(world).done)).toMatchObject({
      id: "receiver",
      cause: `something else answers at ${world.publicUrl}/healthz`,
    });
  });

  test("the subscription is switched off while the candidate takes the test", async () => {
    const world = await readyWorld();
    const running = trying(world);
    await linkOf(running);
    await world.smartrecruiters.changeSubscription(await subscriptionId(world), { status: "inactive" });
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(6);
    expect(failureOf(run)).toMatchObject({
      id: "webhook",
      fix: expect.stringContaining("webhooks subscribe"),
    });
  });

  test("the webhook secret is another one", async () => {
    const world = await readyWorld();
    await world.smartrecruiters.rotateSecret(await subscriptionId(world));
    const running = trying(world);
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed).toMatchObject({ id: "webhook", cause: SIGNATURE_CAUSE });
    expect(failed.evidence).toContain("fits none of our secrets");
    expect(failed.fix).toContain("Confirm webhook secret matches the value in integration settings");
    expect(failed.fix).toContain("webhooks rotate-secret");
  });

  test("something on the way writes the JSON anew", async () => {
    const world = await readyWorld();
    await world.smartrecruiters.settings({ webhookReserialize: true });
    const running = trying(world);
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed).toMatchObject({ id: "webhook", cause: SIGNATURE_CAUSE });
    expect(failed.evidence).toContain("changed on its way");
    expect(failed.fix).toContain("Verify payload is not modified before signature validation");
  });

  test("the vendor refuses the result", async () => {
    const world = await readyWorld();
    const body = { code: "CLOSED", message: "The job is closed" };
    await world.smartrecruiters.fault({ status: 422, body, method: "POST", path: "/v1/assessments/" });
    const running = trying(world);
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed).toMatchObject({
      id: "scorecard",
      cause: "SmartRecruiters refused the result: The job is closed",
    });
    expect(statusesOf(run)).toMatchObject({ webhook: "skipped", "clean-up": "passed" });
  });

  test("the scorecard shows something else", async () => {
    const world = await readyWorld();
    const running = trying(world);
    await linkOf(running);
    const entry = { assessmentId: "a1", title: "JobCannon: DISC", summary: "as somebody typed it" };
    const body = {
      candidateId: "c1",
      entries: [{ ...entry, fields: [{ fieldId: "cf-disc-d", value: 68.0 }] }],
    };
    await world.smartrecruiters.fault({ status: 200, body, method: "GET", path: "/v1/candidates/" });
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(6);
    const { id, cause } = failureOf(run);
    expect(id).toBe("scorecard");
    expect(cause).toBe(
      "the scorecard shows other values than were sent: summary, resultUrl, Influence, Steadiness, JC DISC — Conscientiousness",
    );
  });

  test("several stages trigger a test", async () => {
    const world = await readyWorld();
    const entry = ["--stage", "Second", "--test", "mbti", "--sandbox"];
    await succeed(world, ["catalog", "set", "--job", JOB, ...entry]);
    expect(failureOf(await trying(world).done)).toMatchObject({
      id: "stage",
      cause: `several stages of job ${JOB} trigger a test: "Assessment", "Second"`,
    });
    const running = trying(world, "--stage", "Second");
    await takeTest(running);
    expect((await running.done).code).toBe(0);
  });

  test("no stage triggers a test", async () => {
    const world = await readyWorld();
    const run = await world.run(["sandbox-test", "smartrecruiters", "--job", "another", "--json"]);
    expect(run.code).toBe(6);
    expect(failureOf(run)).toMatchObject({
      id: "stage",
      fix: expect.stringContaining("catalog set --job another"),
    });
  });
});

describe("whatever happens", () => {
  test("a person who does not finish in time ends it with 7, and it cleans up", async () => {
    const world = await readyWorld();
    const run = await trying(world, "--wait", "1s", "--no-input").done;
    expect(run.code).toBe(7);
    const waiting = failureOf(run);
    expect(waiting).toMatchObject({ id: "completed", status: "waiting" });
    expect(waiting.fix).toContain("Open the link and finish the test");
    expect(statusesOf(run)).toMatchObject({ webhook: "skipped", scorecard: "skipped", "clean-up": "passed" });
    expect(await lastPassedAt(world)).toBeNull();
    expect(await candidates(world)).toEqual([]);
  });

  test("Ctrl-C cleans up", async () => {
    const world = await readyWorld();
    const running = trying(world);
    await linkOf(running);
    expect(await candidates(world)).toHaveLength(1);
    const run = await running.stop();
    expect(run.code).toBe(130);
    expect(statusesOf(run)).toMatchObject({ link: "passed", completed: "skipped", "clean-up": "passed" });
    expect(reportOf(run).passed).toBe(false);
    expect(await candidates(world)).toEqual([]);
  });

  test("Ctrl-C of the built program does too, beside a service of its own process", async () => {
    const world = await subscribedWorld();
    const entry = ["--stage", "Assessment", "--test", "disc", "--sandbox"];
    await succeed(world, ["catalog", "set", "--job", JOB, ...entry]);
    await launchService(world);
    const program = launch(world, ["sandbox-test", "smartrecruiters", "--job", JOB]);
    await until("the link is shown", () => program.out().includes("4 link shown"));
    expect(await candidates(world)).toHaveLength(1);
    program.child.kill("SIGINT");
    const { code, out, err } = await program.ended;
    expect({ code, err }).toEqual({ code: 130, err: "Interrupted.\n" });
    expect(out).toMatch(/– 5 completion seen +interrupted\n/);
    expect(out).toMatch(/✓ cleaned up +candidate c1 removed\n$/);
    expect(await candidates(world)).toEqual([]);
  });

  test("a candidate who may be there, as the answer was lost, is named", async () => {
    const world = await readyWorld();
    await world.smartrecruiters.fault({ drop: true, method: "POST", path: "/v1/candidates", times: 1 });
    const run = await trying(world).done;
    expect(run.code).toBe(6);
    const failed = failureOf(run);
    expect(failed.evidence).toMatch(/^\S+@example\.com may have been created all the same$/);
    expect(failed.fix).toMatch(/^If SmartRecruiters has \S+@example\.com, remove it there by hand\n/);
    expect(await candidates(world)).toHaveLength(1);
  });

  test("a candidate who cannot be removed is named", async () => {
    const world = await readyWorld();
    const fault = { status: 503, method: "DELETE", path: "/v1/candidates" };
    await world.smartrecruiters.fault(fault);
    const running = trying(world);
    await takeTest(running);
    const run = await running.done;
    expect(run.code).toBe(6);
    expect(failureOf(run)).toMatchObject({
      id: "clean-up",
      evidence: expect.stringMatching(/^candidate c\d+ could not be removed$/),
      fix: expect.stringMatching(/^Remove candidate c\d+ in SmartRecruiters by hand$/),
    });
  });
});
