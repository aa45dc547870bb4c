/** A world whose org has a company in SmartRecruiters, and what its admin, recruiter and candidates do there. */
import { createHmac } from "node:crypto";
import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { prepared, succeed } from "../connect/world.ts";
import { publicAddress } from "../connect/linked.ts";
import { serving, type Serving } from "../daemon/serving.ts";
import { type App, connect as consentAs } from "../emulator/smartrecruiters-client.ts";
import { freePort, ORG, type Run, until, WEBHOOK_SECRET, type World, type WorldOptions } from "../world.ts";

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
}

export interface AtsOptions extends WorldOptions {
  /** More of the configuration file. */
  config?: string;
  /** Of every org that has none of its own. */
  clientId?: string;
}

/** All is set for `connect smartrecruiters`; the emulator plays JobCannon towards our receiver. */
export async function atsWorld({
  config = "",
  clientId = APP,
  env,
  ...options
}: AtsOptions = {}): Promise<AtsWorld> {
  const address = await publicAddress();
  const world = await prepared({ ...options, env: { ...address, ...env } });
  appendFileSync(
    world.configFile,
    `[smartrecruiters]
client_id = "${clientId}"
api_base = "${world.emulator.smartrecruiters}"
identity_base = "${world.emulator.smartrecruiters}"
redirect_port = ${await freePort()}
[sandbox.smartrecruiters]
client_id = "sr-sandbox"
api_base = "${world.emulator.smartrecruiters}"
identity_base = "${world.emulator.smartrecruiters}"
${config}`,
  );
  await succeed(world, ["secrets", "set", "smartrecruiters.client-secret"], "the secret of our integration");
  const sandbox = ["secrets", "set", "smartrecruiters.client-secret", "--sandbox"];
  await succeed(world, sandbox, "the secret of our integration in the sandbox");
  const publicUrl = address.JC_SERVE_PUBLIC_URL ?? "";
  const ats = { ...world, publicUrl, webhookUrl: `${publicUrl}/smartrecruiters/webhooks` };
  await settings(ats, {
    jobcannonUrl: publicUrl,
    jobcannonSecret: WEBHOOK_SECRET,
    jobcannonOrg: ORG,
    webhookRetryMs: [50, 200, 1_000, 3_000],
  });
  return ats;
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

export async function control(world: World, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${world.emulator.url}/_control/smartrecruiters${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} ended with ${answer.status}: ${text}`);
  return text === "" ? null : JSON.parse(text);
}

export async function settings(world: World, changes: object): Promise<void> {
  await control(world, "POST", "/settings", changes);
}

export async function fault(world: World, faulty: object): Promise<void> {
  await control(world, "POST", "/faults", faulty);
}

export async function clearFaults(world: World): Promise<void> {
  await control(world, "DELETE", "/faults");
}

/** The candidate finishes in the browser, and JobCannon tells us. */
export async function complete(world: World, candidateId: string, org = ORG): Promise<void> {
  await control(world, "POST", "/complete", { candidateId, org });
}

const Entries = v.array(
  v.object({
    assessmentId: v.string(),
    title: v.string(),
    score: v.nullable(v.union([v.string(), v.number()])),
    summary: v.nullable(v.string()),
    resultUrl: v.nullable(v.string()),
    completedAt: v.nullable(v.string()),
    fields: v.array(v.object({ fieldId: v.string(), value: v.unknown() })),
  }),
);

export async function scorecard(world: World, candidateId: string) {
  const all = v.parse(v.record(v.string(), Entries), await control(world, "GET", "/scorecards"));
  return all[candidateId] ?? [];
}

const Subscriptions = v.record(
  v.string(),
  v.array(
    v.object({
      id: v.string(),
      event: v.string(),
      targetUrl: v.string(),
      headers: v.record(v.string(), v.string()),
      secret: v.string(),
      status: v.string(),
    }),
  ),
);

export async function subscriptions(world: World, clientId = APP) {
  return v.parse(Subscriptions, await control(world, "GET", "/subscriptions"))[clientId] ?? [];
}

/** The only one there is. */
export async function subscription(world: World, clientId = APP) {
  const [only, ...others] = await subscriptions(world, clientId);
  if (!only || others.length > 0)
    throw new Error(`${clientId} has ${others.length + (only ? 1 : 0)} subscriptions`);
  return only;
}

const Deliveries = v.array(
  v.object({ assessmentId: v.nullable(v.string()), eventId: v.string(), status: v.number() }),
);

/** What the vendor's webhooks were answered, in order. */
export async function deliveries(world: World) {
  return v.parse(Deliveries, await control(world, "GET", "/deliveries"));
}

const Requests = v.array(v.object({ method: v.string(), path: v.string(), status: v.number() }));

export async function requests(world: World, pathEnd: string) {
  const all = v.parse(Requests, await control(world, "GET", "/requests"));
  return all.filter(({ path }) => path.endsWith(pathEnd));
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
  return v.parse(Log, (await succeed(world, ["webhooks", "log", "--json", ...flags])).json);
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

export { succeed };
export type { Run };
