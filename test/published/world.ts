/** A world whose org has a company in SmartRecruiters that is spoken to as the vendor's own documents have it. */
import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { publicAddress } from "../connect/linked.ts";
import { serving, type Serving } from "../daemon/serving.ts";
import {
  CLIENT_SECRET,
  freePort,
  ORG,
  prepared,
  succeed,
  WEBHOOK_SECRET,
  type World,
  type WorldOptions,
} from "../world.ts";

export const APP = "sr-acme";
export const VENDOR = "smartrecruiters";
export const ALL_SCOPES = [
  "candidates_read",
  "candidates_create",
  "candidates_manage",
  "jobs_read",
  "configuration_read",
  "messages_write",
  "webhooks_read",
  "webhooks_write",
  "webhooks_delete",
];

export interface PublishedWorld extends World {
  webhookUrl: string;
  /** Settings of the published face alone. */
  set(part: object): Promise<void>;
}

/** All is set to connect by client credentials. */
export async function publishedWorld(
  options: WorldOptions & { config?: string } = {},
): Promise<PublishedWorld> {
  const { config = "", env, ...others } = options;
  const address = await publicAddress();
  const world = await prepared({ ...others, env: { ...address, ...env } });
  const { smartrecruiters } = world.emulator;
  const port = await freePort();
  appendFileSync(
    world.configFile,
    `[smartrecruiters]
profile = "published"
client_id = "${APP}"
api_base = "${smartrecruiters}"
identity_base = "${smartrecruiters}"
redirect_port = ${port}
${config}
[alerts.telegram]
api_base = "${world.emulator.telegram}"
`,
  );
  await succeed(world, ["secrets", "set", "smartrecruiters.client-secret"], CLIENT_SECRET);
  const publicUrl = address.JC_SERVE_PUBLIC_URL ?? "";
  await world.smartrecruiters.settings({
    jobcannonUrl: publicUrl,
    jobcannonSecret: WEBHOOK_SECRET,
    jobcannonOrg: ORG,
  });
  return {
    ...world,
    webhookUrl: `${publicUrl}/smartrecruiters/webhooks`,
    set: (part) => world.smartrecruiters.settings({ published: part }),
  };
}

/** Connected, with `serve` running and subscribed. */
export async function subscribedWorld(
  options: Parameters<typeof publishedWorld>[0] = {},
): Promise<{ world: PublishedWorld; service: Serving }> {
  const world = await publishedWorld(options);
  await succeed(world, ["connect", VENDOR]);
  const service = await serving(world);
  await succeed(world, ["webhooks", "subscribe"]);
  return { world, service };
}

const Row = v.object({
  vendor: v.string(),
  state: v.string(),
  account: v.nullable(v.string()),
  missingScopes: v.array(v.string()),
  banner: v.nullable(v.string()),
  tokenExpiresAt: v.nullable(v.string()),
  login: v.nullable(v.object({ since: v.string(), endsAt: v.string() })),
  subscription: v.nullable(v.object({ state: v.string() })),
});

export async function rowOf(world: World) {
  const { json } = await world.run(["status", "--json"]);
  const { connections } = v.parse(v.object({ connections: v.array(Row) }), json);
  return connections.find(({ vendor }) => vendor === VENDOR);
}

/** By which `connect` looks for a missing scope: a write that is refused for what it lacks. */
export function isProbe({ status, path }: { status: number; path: string }): boolean {
  return status === 422 || path.includes("/00000000-0000-4000-8000-000000000000");
}

/** Calls to the published API, without those that hand out tokens or look for scopes. */
export async function callsOf(world: World): Promise<string[]> {
  const all = await world.smartrecruiters.requests();
  return all
    .filter((each) => !each.path.startsWith("/identity") && !isProbe(each))
    .map(({ method, path }) => `${method} ${path}`);
}

export async function tokenCalls(world: World): Promise<number[]> {
  const all = await world.smartrecruiters.requests();
  return all.filter(({ path }) => path === "/identity/oauth/token").map(({ status }) => status);
}

const Subscription = v.object({
  id: v.string(),
  callbackUrl: v.string(),
  status: v.string(),
  events: v.array(v.object({ name: v.string() })),
  keys: v.array(v.object({ secretKey: v.string() })),
  log: v.array(v.object({ status: v.string() })),
});
const Company = v.object({
  company: v.string(),
  subscriptions: v.array(Subscription),
  mostAtOnce: v.number(),
});

/** As its admin sees it, keys and all. */
export async function companyOf(world: World, id = APP) {
  const all = v.parse(v.array(Company), await world.smartrecruiters.published());
  const found = all.find(({ company }) => company === id);
  if (!found) throw new Error(`there is no company ${id}`);
  return found;
}

/** Somebody applies for a job. */
export async function application(
  world: World,
  { email = "ann@example.com", jobId = "j1" } = {},
): Promise<{ applicationId: string; candidateId: string; jobId: string }> {
  const told = await world.smartrecruiters.do("/applications", { clientId: APP, email, jobId });
  return v.parse(v.object({ applicationId: v.string(), candidateId: v.string(), jobId: v.string() }), told);
}

/** A recruiter moves it. */
export async function move(world: World, applicationId: string, status: string, subStatus?: string) {
  await world.smartrecruiters.do("/applications/move", { applicationId, status, subStatus });
}

/** Any event, once more or made up. */
export async function fire(world: World, event: { name: string; applicationId: string; id?: string }) {
  await world.smartrecruiters.do("/published/events", { clientId: APP, ...event });
}

/** How many the log holds. */
export async function storedEvents(world: World): Promise<number> {
  const shape = v.object({ events: v.object({ total: v.number() }) });
  return v.parse(shape, (await world.run(["status", "--json"])).json).events.total;
}
