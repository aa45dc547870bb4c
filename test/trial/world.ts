/** An org with a sandbox on the emulator, and the people of a trial: the operator, the candidate, the vendor's admin. */
import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { expect } from "vitest";
import { lastPassed } from "../../src/flows/trial/sandbox-account.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { type Serving, serving } from "../daemon/serving.ts";
import {
  freePort,
  freshWorld,
  ORG,
  type Run,
  type Running,
  until,
  WEBHOOK_SECRET,
  type World,
} from "../world.ts";

export const JOB = "job-1";
export const ALL_SCOPES = [
  "candidates:read",
  "candidates:write",
  "assessments:read",
  "assessments:write",
  "custom_fields:read",
];
export const WITHOUT_WRITE = ALL_SCOPES.filter((scope) => scope !== "assessments:write");

export interface SandboxWorld extends World {
  publicUrl: string;
  redirectUris: { loopback: string; public: string };
  /** The vendor as its admin sees it: a call under `/_control/smartrecruiters`. */
  vendor(method: string, path: string, body?: object): Promise<unknown>;
}

/** The sandbox is configured; nobody is connected. */
export async function sandboxWorld(): Promise<SandboxWorld> {
  const [listenPort, redirectPort, hubspotPort] = [await freePort(), await freePort(), await freePort()];
  const publicUrl = `http://127.0.0.1:${listenPort}`;
  const world = await freshWorld({
    env: { JC_SERVE_LISTEN: `127.0.0.1:${listenPort}`, JC_SERVE_PUBLIC_URL: publicUrl },
  });
  const { smartrecruiters, hubspot, url } = world.emulator;
  appendFileSync(
    world.configFile,
    `[sandbox.smartrecruiters]
client_id = "sandbox-app"
api_base = "${smartrecruiters}"
identity_base = "${smartrecruiters}"
redirect_port = ${redirectPort}
[sandbox.hubspot]
client_id = "sandbox-app"
api_base = "${hubspot}"
authorize_url = "${hubspot}/oauth/authorize"
redirect_port = ${hubspotPort}
`,
  );
  const path = "/smartrecruiters/oauth-callback";
  const sandbox: SandboxWorld = {
    ...world,
    publicUrl,
    redirectUris: { loopback: `http://localhost:${redirectPort}${path}`, public: publicUrl + path },
    vendor: async (method, path, body) => {
      const answer = await fetch(`${url}/_control/smartrecruiters${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!answer.ok) throw new Error(await answer.text());
      const text = await answer.text();
      return text === "" ? null : JSON.parse(text);
    },
  };
  await sandbox.vendor("POST", "/settings", {
    jobcannonUrl: publicUrl,
    jobcannonSecret: WEBHOOK_SECRET,
    jobcannonOrg: ORG,
  });
  await types(sandbox, ["secrets", "set", "smartrecruiters.client-secret", "--sandbox"], "a client's secret");
  await types(sandbox, ["secrets", "set", "hubspot.client-secret", "--sandbox"], "a client's secret");
  await types(sandbox, ["secrets", "set", "jobcannon.webhook-secret"], WEBHOOK_SECRET);
  return sandbox;
}

/** Connected, subscribed, with a stage that triggers a test; the service runs. */
export async function readyWorld({
  trigger = "auto",
}: {
  trigger?: "auto" | "manual";
} = {}): Promise<SandboxWorld & { service: Serving }> {
  const world = await subscribedWorld();
  const entry = ["--stage", "Assessment", "--test", "disc", "--trigger", trigger];
  await types(world, ["catalog", "set", "--job", JOB, ...entry, "--sandbox"]);
  return { ...world, service: await serving(world) };
}

/** As ready as can be without a service. */
export async function subscribedWorld(): Promise<SandboxWorld> {
  const world = await connectedWorld();
  await types(world, ["webhooks", "subscribe", "--sandbox"]);
  return world;
}

export async function connectedWorld(): Promise<SandboxWorld> {
  const world = await sandboxWorld();
  await types(world, ["connect", "smartrecruiters", "--sandbox"]);
  return world;
}

export async function types(world: World, argv: readonly string[], stdin = ""): Promise<Run> {
  const run = await world.run(argv, { stdin });
  if (run.code !== 0) throw new Error(`${argv.join(" ")} ended with ${run.code}: ${run.err}`);
  return run;
}

/** `sandbox-test smartrecruiters --json`, under way. */
export function trying(world: World, ...flags: string[]): Running {
  return world.start(["sandbox-test", "smartrecruiters", "--job", JOB, "--json", ...flags]);
}

const Link = v.object({ link: v.string() });

/** The link that the operator hands on. */
export async function linkOf(running: Running): Promise<string> {
  let hasEnded = false;
  void running.done.then(() => {
    hasEnded = true;
  });
  return await until("the link is shown", () => {
    const line = running
      .err()
      .split("\n")
      .find((each) => each.includes('"link"'));
    if (line === undefined && hasEnded) throw new Error(`it ended: ${running.out()}${running.err()}`);
    return line === undefined ? null : v.parse(Link, JSON.parse(line)).link;
  });
}

/** The candidate opens the link and finishes the test. */
export async function takeTest(running: Running): Promise<void> {
  const page = await fetch(await linkOf(running), { method: "POST" });
  expect(page.status).toBe(200);
}

const Report = v.object({
  version: v.literal(1),
  vendor: v.string(),
  passed: v.boolean(),
  steps: v.array(
    v.object({
      id: v.string(),
      title: v.string(),
      status: v.picklist(["passed", "failed", "skipped", "waiting"]),
      ms: v.number(),
      evidence: v.nullable(v.string()),
      cause: v.nullable(v.string()),
      fix: v.nullable(v.string()),
    }),
  ),
});
export type Report = v.InferOutput<typeof Report>;

export function reportOf({ json, out, err }: Run): Report {
  if (json === undefined) throw new Error(`no report: ${out}${err}`);
  return v.parse(Report, json);
}

/** The step at which it failed: those before it passed, those after it were left out, and cleaning up came last. */
export function failureOf(run: Run): Report["steps"][number] {
  const { passed, steps } = reportOf(run);
  const at = steps.findIndex(({ status }) => status === "failed" || status === "waiting");
  const failed = steps[at];
  if (!failed) throw new Error(`nothing failed: ${run.out}`);
  expect(passed).toBe(false);
  expect(steps.slice(0, at).filter(({ status, id }) => status !== "passed" && id !== "webhook")).toEqual([]);
  expect(new Set(steps.slice(at + 1, -1).map(({ status }) => status))).not.toContain("passed");
  expect(steps.at(-1)?.id).toBe("clean-up");
  return failed;
}

export function statusesOf(run: Run): Record<string, string> {
  return Object.fromEntries(reportOf(run).steps.map(({ id, status }) => [id, status]));
}

/** Those whom the vendor's sandbox holds. */
export async function candidates(world: SandboxWorld): Promise<string[]> {
  return Object.keys(Object(await world.vendor("GET", "/scorecards")));
}

const Subscriptions = v.record(v.string(), v.array(v.object({ id: v.string(), targetUrl: v.string() })));

export async function subscriptionId(world: SandboxWorld): Promise<string> {
  const all = v.parse(Subscriptions, await world.vendor("GET", "/subscriptions"));
  const [only] = Object.values(all).flat();
  if (!only) throw new Error("there is no subscription");
  return only.id;
}

/** When a trial of SmartRecruiters' sandbox last passed; null before the first. */
export async function lastPassedAt(world: SandboxWorld): Promise<number | null> {
  const store = await openSqliteStore({ stateDir: world.stateDir, clock: world.clock });
  try {
    const connection = (await store.connections(ORG)).find(({ vendor }) => vendor === "smartrecruiters");
    return connection ? await lastPassed(store, connection) : null;
  } finally {
    await store.close();
  }
}
