/** A world whose org has a company in SmartRecruiters, and what its admin, recruiter and candidates do there. */
import { createHmac } from "node:crypto";
import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { publicAddress } from "../connect/linked.ts";
import { serving, type Serving } from "../daemon/serving.ts";
import { type App, connect as consentAs } from "../emulator/smartrecruiters-client.ts";
import {
  freePort,
  ORG,
  prepared,
  succeed,
  until,
  WEBHOOK_SECRET,
  type World,
  type WorldOptions,
} from "../world.ts";

export const SCOPES = [
  "candidates:read",
  "candidates:write",
  "assessments:read",
  "assessments:write",
  "custom_fields:read",
];
export const COMPLETED = "candidate.assessment.completed";
export const APP = "sr-acme";

export interface AtsWorld extends World {
  /** Where the vendor reaches our receiver. */
  publicUrl: string;
  webhookUrl: string;
  /** Where a consent in the sandbox may end: at this machine, or at the service. */
  sandboxRedirectUris: { loopback: string; public: string };
}

export interface AtsOptions extends WorldOptions {
  /** More of the configuration file. */
  config?: string;
  /** Of every org that has none of its own. */
  clientId?: string;
  /** Production is not configured: a made-up candidate belongs to no company that has real ones. */
  isSandboxOnly?: boolean;
}

/** All is set to connect; the emulator plays JobCannon towards our receiver. */
export async function atsWorld(options: AtsOptions = {}): Promise<AtsWorld> {
  const { config = "", clientId = APP, isSandboxOnly = false, env, ...others } = options;
  const address = await publicAddress();
  const world = await prepared({ ...others, env: { ...address, ...env } });
  const [port, sandboxPort, hubspotPort] = [await freePort(), await freePort(), await freePort()];
  const { hubspot, smartrecruiters } = world.emulator;
  const company = (section: string, client: string, redirectPort: number) => `[${section}]
client_id = "${client}"
api_base = "${smartrecruiters}"
identity_base = "${smartrecruiters}"
redirect_port = ${redirectPort}
`;
  appendFileSync(
    world.configFile,
    `${isSandboxOnly ? "" : company("smartrecruiters", clientId, port)}
${company("sandbox.smartrecruiters", "sr-sandbox", sandboxPort)}
[sandbox.hubspot]
client_id = "sandbox-app"
api_base = "${hubspot}"
authorize_url = "${hubspot}/oauth/authorize"
redirect_port = ${hubspotPort}
${config}`,
  );
  const secret = async (vendor: string, ...flags: string[]) =>
    await succeed(world, ["secrets", "set", `${vendor}.client-secret`, ...flags], "the secret of our app");
  if (!isSandboxOnly) await secret("smartrecruiters");
  await secret("smartrecruiters", "--sandbox");
  await secret("hubspot", "--sandbox");
  const publicUrl = address.JC_SERVE_PUBLIC_URL ?? "";
  await world.smartrecruiters.settings({
    jobcannonUrl: publicUrl,
    jobcannonSecret: WEBHOOK_SECRET,
    jobcannonOrg: ORG,
    webhookRetryMs: [50, 200, 1_000, 3_000],
  });
  const path = "/smartrecruiters/oauth-callback";
  return {
    ...world,
    publicUrl,
    webhookUrl: `${publicUrl}/smartrecruiters/webhooks`,
    sandboxRedirectUris: { loopback: `http://localhost:${sandboxPort}${path}`, public: publicUrl + path },
  };
}

/** Connected, with the guide's fields in the company. */
export async function connectedAts(options: AtsOptions = {}): Promise<AtsWorld> {
  const world = await atsWorld(options);
  await succeed(world, ["connect", "smartrecruiters"]);
  return world;
}

/** Connected and subscribed, with `serve` running. */
export async function servingAts(options: AtsOptions = {}): Promise<{ world: AtsWorld; service: Serving }> {
  const world = await connectedAts(options);
  const service = await serving(world);
  await succeed(world, ["webhooks", "subscribe"]);
  return { world, service };
}

/** The company's own view: another app with all rights, such as its recruiters work with. */
export async function company(world: World, clientId = APP): Promise<App> {
  return await consentAs(world.emulator, clientId);
}

const Id = v.object({ id: v.string() });

/** A candidate in job j1 who was asked to take that test. */
export async function invited(
  { api }: App,
  { test = "disc", email = "ann@example.com" }: { test?: string; email?: string } = {},
): Promise<{ candidateId: string; assessmentId: string }> {
  const person = { firstName: "Ann", lastName: "Lee", email };
  const candidateId = v.parse(Id, (await api("POST", "/v1/candidates", person)).body).id;
  await api("POST", `/v1/candidates/${candidateId}/jobs/j1`);
  const asked = await api("POST", "/v1/assessments", { candidateId, jobId: "j1", test });
  return { candidateId, assessmentId: v.parse(Id, asked.body).id };
}

export async function scorecard(world: World, candidateId: string) {
  return (await world.smartrecruiters.scorecards())[candidateId] ?? [];
}

export async function subscriptions(world: World, clientId = APP) {
  return (await world.smartrecruiters.subscriptions())[clientId] ?? [];
}

/** The only one there is. */
export async function subscription(world: World, clientId = APP) {
  const [only, ...others] = await subscriptions(world, clientId);
  if (!only || others.length > 0)
    throw new Error(`${clientId} has ${others.length + (only ? 1 : 0)} subscriptions`);
  return only;
}

const Received = v.object({
  eventId: v.string(),
  type: v.string(),
  candidateId: v.string(),
  assessmentId: v.string(),
  invitationId: v.nullable(v.string()),
  isMatched: v.boolean(),
});
const Log = v.object({
  received: v.array(Received),
  refused: v.array(v.object({ reason: v.string(), times: v.number() })),
});

export async function webhookLog(world: World, ...flags: string[]) {
  return v.parse(
    Log,
    (await succeed(world, ["webhooks", "log", "--json", "--vendor", "smartrecruiters", ...flags])).json,
  );
}

const Pushes = v.object({
  pending: v.number(),
  delivered: v.number(),
  rejected: v.number(),
  held: v.number(),
});
const Row = v.object({
  vendor: v.string(),
  state: v.string(),
  account: v.nullable(v.string()),
  missingScopes: v.array(v.string()),
  banner: v.nullable(v.string()),
  login: v.nullable(v.object({ since: v.string(), endsAt: v.string() })),
  subscription: v.nullable(v.object({ state: v.string() })),
  pushes: Pushes,
});

/** SmartRecruiters' row in `status`, whatever it exits with; undefined when there is none. */
export async function rowOf(world: World, ...flags: string[]) {
  const { json } = await world.run(["status", "--json", ...flags]);
  const { connections } = v.parse(v.object({ connections: v.array(Row) }), json);
  return connections.find(({ vendor }) => vendor === "smartrecruiters");
}

export async function untilDelivered(world: World, n: number, ...flags: string[]): Promise<void> {
  await until(
    `${n} results are on the scorecard`,
    async () => (await rowOf(world, ...flags))?.pushes.delivered === n,
  );
}

/** The body of the vendor's webhook. */
export function completedEvent(
  data: { candidateId: string; assessmentId: string } & Record<string, unknown>,
  { id = "evt_1", ...more }: { id?: string; event?: string; occurredAt?: string } = {},
): string {
  return JSON.stringify({
    id,
    event: COMPLETED,
    occurredAt: "2026-11-22T10:15:00Z",
    ...more,
    data: { jobId: "j1", status: "completed", ...data },
  });
}

export function signatureOf(body: string, secret: string): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

/** Posts to our receiver as the vendor does; `signature` null sends none. */
export async function post(
  world: AtsWorld,
  body: string,
  signature: string | null,
): Promise<{ status: number; error: string | null; outcome: string | null }> {
  const answer = await fetch(world.webhookUrl, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(signature === null ? {} : { "x-smartrecruiters-signature": signature }),
    },
    body,
  });
  const said: unknown = await answer.json();
  const { error = null, status = null } = v.parse(
    v.object({ error: v.optional(v.string()), status: v.optional(v.string()) }),
    said,
  );
  return { status: answer.status, error, outcome: status };
}
