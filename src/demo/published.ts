/** The second half as the vendor's own documents have it: from the move to a stage to properties and note. */
import * as v from "valibot";
import type { OpenAts } from "../flows/ats/ats.ts";
import { catalogOf } from "../flows/ats/catalog.ts";
import { contacts } from "./hubspot.ts";
import { control, type Scene, settled, until } from "./scene.ts";
import { heldLines, resultTable } from "./show.ts";

const CANDIDATE = { firstName: "Imani", lastName: "Falk", email: "imani.falk@example.org" };
const JOB = "4711";
const STAGE = "INTERVIEW/Phone screen";
const ENTRY = {
  test: "disc",
  required: true,
  trigger: "auto",
  dueDays: 7,
  emailTemplate: "branded",
} as const;

const Application = v.object({ applicationId: v.string() });
const Asked = v.array(v.object({ id: v.string() }));
const Results = v.array(
  v.object({
    applicationId: v.string(),
    properties: v.record(v.string(), v.union([v.string(), v.number()])),
    notes: v.array(v.object({ content: v.string() })),
  }),
);

export async function inviteCandidate(scene: Scene, opened: OpenAts): Promise<void> {
  const { store, output } = scene;
  const { say, terminal, world } = output;
  const { firstName, lastName, email } = CANDIDATE;
  say(terminal.paint.bold("7  A candidate reaches a stage that asks for a test, and takes it"));
  await catalogOf(opened, store).set({ jobId: JOB, stage: STAGE }, ENTRY);
  const applied = await control(scene, "/smartrecruiters/applications", {
    ...{ clientId: opened.connection.account?.id, jobId: JOB },
    ...CANDIDATE,
  });
  const { applicationId } = v.parse(Application, applied);
  const [status, subStatus] = STAGE.split("/");
  await control(scene, "/smartrecruiters/applications/move", { applicationId, status, subStatus });
  say(`   A webhook tells of the move, and we ask JobCannon for an invite`);
  const asked = async () => v.parse(Asked, await control(scene, "/smartrecruiters/invites"));
  await until("JobCannon is asked", scene, async () => (await asked()).length > 0);
  const [request] = await asked();
  say(`   ${firstName} ${lastName} takes DISC, and JobCannon tells us`);
  await control(scene, "/smartrecruiters/invites/complete", { id: request?.id });
  const result = async () => {
    const all = v.parse(Results, await control(scene, "/smartrecruiters/results"));
    return all.find((each) => each.applicationId === applicationId);
  };
  await until("the result is there", scene, async () => ((await result())?.notes.length ?? 0) > 0);
  await settled(scene);
  const { properties = {}, notes = [] } = (await result()) ?? {};
  world.io.out(`\n${resultTable(properties, notes, terminal)}\n`);
  const contact = (await contacts(scene)).find((each) => each.email === email);
  say(`\n   HubSpot holds  ${heldLines(contact?.properties ?? {}).join(", ")}`);
  say(`   JobCannon was asked once, and sent its id back: ${request?.id}`);
}
