/** An org with a sandbox on the emulator, and the people of a trial: the operator, the candidate, the vendor's admin. */
import * as v from "valibot";
import { expect } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { type AtsWorld, atsWorld, SCOPES } from "../ats/world.ts";
import { type Serving, serving } from "../daemon/serving.ts";
import { ORG, type Run, type Running, succeed, until } from "../world.ts";

export const JOB = "job-1";
export const WITHOUT_WRITE = SCOPES.filter((scope) => scope !== "assessments:write");

/** Connected, subscribed, with a stage that triggers a test; the service runs. */
export async function readyWorld({
  trigger = "auto",
}: {
  trigger?: "auto" | "manual";
} = {}): Promise<AtsWorld & { service: Serving }> {
  const world = await subscribedWorld();
  const entry = ["--stage", "Assessment", "--test", "disc", "--trigger", trigger];
  await succeed(world, ["catalog", "set", "--job", JOB, ...entry, "--sandbox"]);
  return { ...world, service: await serving(world) };
}

/** As ready as can be without a service. */
export async function subscribedWorld(): Promise<AtsWorld> {
  const world = await connectedSandbox();
  await succeed(world, ["webhooks", "subscribe", "--sandbox"]);
  return world;
}

/** The sandbox is configured; nobody is connected. */
export function sandboxWorld(): Promise<AtsWorld> {
  return atsWorld({ isSandboxOnly: true });
}

export async function connectedSandbox(): Promise<AtsWorld> {
  const world = await sandboxWorld();
  await succeed(world, ["connect", "smartrecruiters", "--sandbox"]);
  return world;
}

/** `sandbox-test smartrecruiters --json`, under way. */
export function trying(world: AtsWorld, ...flags: string[]): Running {
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
export async function candidates(world: AtsWorld): Promise<string[]> {
  return Object.keys(await world.smartrecruiters.scorecards());
}

export async function subscriptionId(world: AtsWorld): Promise<string> {
  const [only] = Object.values(await world.smartrecruiters.subscriptions()).flat();
  if (!only) throw new Error("there is no subscription");
  return only.id;
}

/** When a trial of SmartRecruiters' sandbox last passed; null before the first. */
export async function lastPassedAt(world: AtsWorld): Promise<number | null> {
  const store = await openSqliteStore({ stateDir: world.stateDir, clock: world.clock });
  try {
    const connection = (await store.connections(ORG)).find(({ vendor }) => vendor === "smartrecruiters");
    return connection?.marks["trial passed"] ?? null;
  } finally {
    await store.close();
  }
}
