/** What recruiters of the emulated company do and see, and what JobCannon tells of their candidates. */
import * as v from "valibot";
import { disc, type InviteEvent, type InviteTest, invite, type World } from "../world.ts";
import { APP } from "./world.ts";

const Application = v.object({ applicationId: v.string(), candidateId: v.string(), jobId: v.string() });
export type Application = v.InferOutput<typeof Application>;

const Note = v.object({
  content: v.string(),
  correlationId: v.nullable(v.string()),
  shareWith: v.record(v.string(), v.unknown()),
});
const Results = v.array(
  v.object({
    ...Application.entries,
    properties: v.record(v.string(), v.unknown()),
    notes: v.array(Note),
  }),
);

/** A call of the emulator's control. */
export async function control(world: World, path: string, body?: object): Promise<unknown> {
  const init = body && { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`${world.emulator.url}/_control/smartrecruiters${path}`, init);
  if (!answer.ok) throw new Error(`the emulator answered ${answer.status}: ${await answer.text()}`);
  return await answer.json();
}

/** Somebody applies for a job; `isNew`: as another candidate with the same address. */
export async function apply(
  world: World,
  person: { email: string; jobId?: string; isNew?: true },
): Promise<Application> {
  return v.parse(
    Application,
    await control(world, "/applications", { clientId: APP, jobId: "j1", ...person }),
  );
}

/** The candidate comes to another step of the hiring process. */
export async function move(world: World, { applicationId }: Application, subStatus: string): Promise<void> {
  await control(world, "/applications/move", { applicationId, status: "IN_REVIEW", subStatus });
}

/** What each application holds. */
export async function resultsOf(world: World): Promise<v.InferOutput<typeof Results>> {
  return v.parse(Results, await control(world, "/results"));
}

export async function resultOf(world: World, { applicationId }: Application) {
  const found = (await resultsOf(world)).find((each) => each.applicationId === applicationId);
  if (!found) throw new Error(`there is no application ${applicationId}`);
  return found;
}

export type Definition = { id: string; key: string; label: string; type: string };

/** An administrator defines these properties, and no others. */
export async function define(world: World, definitions: readonly Definition[]): Promise<void> {
  await control(world, "/properties", definitions);
}

export const NUMBER = (key: string): Definition => ({ id: `id-${key}`, key, label: key, type: "NUMBER" });

/** A completed invite; `of`: the application that its source names. */
export function completed(
  id: string,
  {
    email,
    of,
    tests = [disc()],
    at,
  }: { email: string; of?: Application & { assessmentId?: string }; tests?: InviteTest[]; at?: string },
): InviteEvent {
  const event = invite({ invitation_id: id, email, tests, ...(at === undefined ? {} : { timestamp: at }) });
  if (!of) return event;
  const source = {
    vendor: "smartrecruiters",
    candidate_id: of.candidateId,
    job_id: of.jobId,
    assessment_id: of.assessmentId ?? `jc_${id}`,
  };
  return { ...event, data: { ...event.data, ...{ source } } };
}
