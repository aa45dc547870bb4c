/** The second half: a candidate of SmartRecruiters, from the stage that asks for a test to the scorecard and back. */
import { type OpenAts, openAts } from "../flows/ats/ats.ts";
import { catalogOf } from "../flows/ats/catalog.ts";
import { createTakeMissed } from "../flows/intake/take-missed.ts";
import { subscribe } from "../flows/ats/subscribe.ts";
import { planSubscribe, webhookUrl } from "../flows/ats/subscription-plan.ts";
import { contacts } from "./hubspot.ts";
import { heldLines, scorecardTable } from "./show.ts";
import { connectTo, control, ORG, type Scene, settled, until } from "./scene.ts";

const CANDIDATE = { firstName: "Imani", lastName: "Falk", email: "imani.falk@example.org" };
const PLACE = { jobId: "4711", stage: "Assessment" };
const ENTRY = {
  test: "disc",
  required: true,
  trigger: "auto",
  dueDays: 7,
  emailTemplate: "branded",
} as const;

export async function connectSmartrecruiters(scene: Scene): Promise<OpenAts> {
  const { app, store, signal } = scene;
  const { say, terminal } = scene.output;
  say(`\n${terminal.paint.bold("6  Connect SmartRecruiters, and subscribe to its webhooks")}`);
  await connectTo("smartrecruiters", scene);
  const opened = await openAts(app, store, {
    org: ORG,
    vendor: "smartrecruiters",
    environment: "production",
    signal,
  });
  const { connection, destination, ats, access } = opened;
  const [, fields] = destination.fieldWords;
  const take = createTakeMissed({ store, clock: app.clock, sources: app.sources });
  const targetUrl = webhookUrl(app.config["serve.public_url"], ats);
  const context = { store, clock: app.clock, vault: await app.vault(), ats, access, take, targetUrl };
  await subscribe(context, connection, await planSubscribe(context, connection));
  say(
    `   ${terminal.pill("Connected", "good")}  ${connection.knownFields?.length ?? 0} ${fields} found\n   webhooks go to ${targetUrl}\n`,
  );
  return opened;
}

export async function assessCandidate(scene: Scene, opened: OpenAts): Promise<void> {
  const { connection, ats, access } = opened;
  const { store, output } = scene;
  const { say, terminal, world } = output;
  const { firstName, lastName, email } = CANDIDATE;
  say(terminal.paint.bold("7  A candidate reaches a stage that asks for a test, and takes it"));
  await catalogOf(opened, store).set(PLACE, ENTRY);
  const candidateId = await ats.createCandidate(access, CANDIDATE);
  await ats.advance(access, { candidateId, ...PLACE });
  say(`   ${firstName} ${lastName} is asked for DISC, takes it, and JobCannon tells us`);
  await control(scene, "/smartrecruiters/complete", { candidateId });

  const received = () =>
    store.received({ org: ORG, vendor: "smartrecruiters", environment: "production", limit: 1 });
  await until("SmartRecruiters confirms it", scene, async () =>
    (await received()).some(({ isMatched }) => isMatched),
  );
  await settled(scene);
  const scorecard = await ats.scorecard(access, candidateId);
  world.io.out(`\n${scorecardTable(scorecard, connection.knownFields ?? [], terminal)}\n`);
  const contact = (await contacts(scene)).find((each) => each.email === email);
  say(`\n   HubSpot holds  ${heldLines(contact?.properties ?? {}).join(", ")}`);
  const [told] = await received();
  say(`   Confirmed by SmartRecruiters' own webhook: ${told?.assessmentId} is ${told?.invitationId}`);
}
