/** The whole road of an assessment, against the emulator. */
import { UNCOUNTED } from "../../../src/flows/account/rate-window.ts";
import { once } from "node:events";
import { createServer } from "node:http";
import * as v from "valibot";
import { expect, onTestFinished, test } from "vitest";
import { startEmulator } from "../../../src/emulator/emulator.ts";
import { createHttp } from "../../../src/shared/http.ts";
import { secret } from "../../../src/shared/secret.ts";
import type { Destination } from "../../../src/vendors/contract/destination.ts";
import type { Access } from "../../../src/vendors/contract/access.ts";
import { createV1 } from "../../../src/vendors/smartrecruiters/v1/destination.ts";
import { smartrecruiters as source } from "../../../src/vendors/smartrecruiters/source.ts";
import { anInvite, aTest, NOON } from "../../core/example.ts";
import { type EmulatedSmartrecruiters, emulated } from "../../emulated.ts";
import { fakeClock } from "../../fake-clock.ts";
import { type Delivery, verify } from "../delivery.ts";
import { catalogThere } from "./company.ts";

const PLACE = { jobId: "j1", stage: "Assessment" };
const DISC = {
  dimensions: [
    { name: "Dominance", score: 68 },
    { name: "Conscientiousness", score: 80 },
  ],
};

test("a stage triggers a test, its result reaches the scorecard, and a webhook confirms it", async () => {
  const { smartrecruiters, access } = await openEmulated();
  const { ats } = smartrecruiters;
  if (!ats) throw new Error("SmartRecruiters is an applicant tracking system");
  const receiver = await openReceiver();
  const { subscription, secret: webhookSecret } = await ats.subscribe(access, receiver.url);
  expect(await ats.subscriptions(access)).toEqual([subscription]);
  expect(subscription.isActive).toBe(true);

  const entry = {
    test: "disc",
    required: true,
    trigger: "auto",
    dueDays: 7,
    emailTemplate: "branded",
  } as const;
  const catalog = catalogThere(ats);
  expect(await catalog.entry(access, PLACE)).toBeNull();
  expect(await catalog.set(access, PLACE, entry)).toEqual(entry);
  expect(await catalog.list(access, "j1")).toEqual([{ stage: "Assessment", ...entry }]);

  const candidateId = await ats.createCandidate(access, {
    firstName: "Ann",
    lastName: "Lee",
    email: "ann@example.com",
  });
  await ats.advance(access, { candidateId, ...PLACE });
  const [assessment] = await ats.assessments(access, candidateId);
  const assessmentId = assessment?.id ?? "";
  expect(assessment?.test).toBe("disc");

  const invite = anInvite({
    origin: { vendor: "smartrecruiters", candidateId, jobId: "j1", assessmentId },
    completedAt: NOON,
    tests: [aTest({ result: DISC })],
  });
  const { known } = await smartrecruiters.applyFields(access, await smartrecruiters.planFields(access));
  const { projection, warnings } = smartrecruiters.project([invite], known);
  expect(warnings).toEqual([]);
  const { answers } = await smartrecruiters.send(access, [
    { subject: assessmentId, traceId: "t1", version: 1, projection },
  ]);
  expect(answers).toEqual([{ kind: "accepted" }]);
  expect(await ats.scorecard(access, candidateId)).toEqual([
    {
      assessmentId,
      title: "JobCannon: DISC",
      summary: "DISC: Dominance 68, Conscientiousness 80",
      resultUrl: "https://jobcannon.io/business/dashboard/invites/inv_1",
      fields: [
        { fieldId: "cf-disc-d", value: "68" },
        { fieldId: "cf-disc-c", value: "80" },
      ],
    },
  ]);

  const delivery = await receiver.delivery;
  const secrets = [{ org: "acme", environment: "sandbox", secret: webhookSecret } as const];
  const verified = verify(source, delivery, { secrets, now: NOON });
  expect(source.parse(delivery.body, { ...verified, receivedAt: NOON }).confirmation).toMatchObject({
    org: "acme",
    environment: "sandbox",
    candidateId,
    assessmentId,
    status: "completed",
  });

  await ats.unsubscribe(access, subscription.id);
  await ats.unsubscribe(access, subscription.id);
  await ats.removeCandidate(access, candidateId);
  expect(await ats.subscriptions(access)).toEqual([]);
  expect(await ats.assessments(access, candidateId)).toEqual([]);
});

test("a field that was removed holds the result until the fields are read again", async () => {
  const { smartrecruiters, access, settings } = await openEmulated();
  const { ats } = smartrecruiters;
  const candidateId =
    (await ats?.createCandidate(access, { firstName: "Ann", lastName: "Lee", email: "a@x" })) ?? "";
  const triggered = await ats?.triggerAssessment(access, { candidateId, jobId: "j1", test: "disc" });
  const send = async (projection: Record<string, string>) =>
    (
      await smartrecruiters.send(access, [
        { subject: triggered?.id ?? "", traceId: "t1", version: 1, projection },
      ])
    ).answers;
  await settings({ customFields: [] });
  const title = "JobCannon: DISC";
  expect(await send({ title, "Dominance (cf-disc-d)": "68" })).toEqual([
    { kind: "held", cause: "property", detail: "Dominance (cf-disc-d)" },
  ]);
  expect((await smartrecruiters.planFields(access)).existing).toEqual([]);
  expect(await send({ title })).toEqual([{ kind: "accepted" }]);
});

test("a result without the scope to write it is held for that scope", async () => {
  const { smartrecruiters, access, settings } = await openEmulated();
  await settings({ grantedScopes: ["candidates:read", "assessments:read"] });
  const { answers } = await smartrecruiters.send(access, [
    { subject: "a1", traceId: "t1", version: 1, projection: { title: "x" } },
  ]);
  expect(answers).toEqual([{ kind: "held", cause: "scope", detail: "assessments:write" }]);
});

async function openEmulated(): Promise<{
  smartrecruiters: Destination;
  access: Access;
  settings: EmulatedSmartrecruiters["settings"];
}> {
  const clock = fakeClock();
  const emulator = await startEmulator({ port: 0, autoApprove: true, clock });
  const http = createHttp({ caFile: null, proxy: null });
  onTestFinished(async () => {
    await http.close();
    await emulator.close();
  });
  const smartrecruiters = createV1(
    {
      apiBase: emulator.smartrecruiters,
      identityBase: emulator.smartrecruiters,
      clientId: "acme-app",
      pkce: false,
      profile: "v1",
      redirectPort: 8977,
      region: null,
      resultBase: "https://jobcannon.io",
    },
    http,
    clock,
  );
  const token = secret(await consent(smartrecruiters));
  return {
    smartrecruiters,
    access: {
      signal: new AbortController().signal,
      token: async () => token,
      slot: async () => UNCOUNTED,
      heed: async () => {},
    },
    settings: emulated(emulator).smartrecruiters.settings,
  };
}

/** Goes through the consent page, which approves by itself, and exchanges the code. */
async function consent({ authorization }: Destination): Promise<string> {
  const { authorizeUrl, tokenUrl, clientId, scopes, redirectPort, redirectPath } = authorization;
  const redirectUri = `http://localhost:${redirectPort}${redirectPath}`;
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
    state: "s",
  });
  const page = await fetch(`${authorizeUrl}?${query}`, { redirect: "manual" });
  const code = new URL(page.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const form = { grant_type: "authorization_code", code, redirect_uri: redirectUri, client_id: clientId };
  const body = new URLSearchParams({ ...form, client_secret: "any" });
  const answer = await fetch(tokenUrl, { method: "POST", body });
  return v.parse(v.object({ access_token: v.string() }), await answer.json()).access_token;
}

/** Takes the first webhook and acknowledges it. */
async function openReceiver(): Promise<{ url: string; delivery: Promise<Delivery> }> {
  let tell: (delivery: Delivery) => void = () => {};
  const delivery = new Promise<Delivery>((resolve) => {
    tell = resolve;
  });
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
    response.writeHead(202).end();
    tell({ headers: Object.fromEntries(headers), body: Buffer.concat(chunks) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/smartrecruiters/webhooks`, delivery };
}
