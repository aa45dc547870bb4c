/** The first half: what JobCannon tells of candidates reaches their contacts in HubSpot. */
import type { Connection } from "../core/connection.ts";
import { planResync, resync } from "../flows/connect/resync.ts";
import { apiVersionOf } from "../flows/watch/api-version.ts";
import { sweepAll } from "../flows/rerun/sweep.ts";
import { count } from "../shared/text.ts";
import { makeStories, type Story } from "./people.ts";
import { type HubspotContact, holdings, readContacts } from "./show.ts";
import { connectTo, control, ORG, type Scene, settled } from "./scene.ts";
import { sendAll } from "./webhooks.ts";

const CANDIDATES = 320;

export async function connectHubspot(scene: Scene): Promise<Connection> {
  const { say, terminal } = scene.output;
  say(terminal.paint.bold("1  Connect a HubSpot portal (the emulator approves at once)"));
  const connection = await connectTo("hubspot", scene);
  const declared = scene.app.vendors.find(({ vendor }) => vendor === connection.vendor);
  const version = apiVersionOf(declared, scene.app.config, connection)?.name;
  say(
    `   ${terminal.pill("Connected", "good")}  ${connection.account?.name}\n   API ${version}, tokens in a sealed vault, 17 properties created\n`,
  );
  return connection;
}

export async function bringResults(scene: Scene): Promise<Story[]> {
  const { app, store, output } = scene;
  const { say, terminal, world } = output;
  say(terminal.paint.bold("2  serve receives signed webhooks and delivers; a file is imported beside it"));
  const stories = makeStories(CANDIDATES, ORG, app.clock.now());
  await sendAll(scene, stories);
  await settled(scene);
  const { events, invites, connections } = await store.overview(ORG, app.clock.now());
  const pushed = connections.reduce((total, { pushes }) => total + pushes.delivered, 0);
  say(
    `   ${count(events.total, "event")} kept, ${count(invites, "invite")}, ${count(pushed, "contact")} delivered`,
  );

  say(`\n${terminal.paint.bold("3  What JobCannon sent, and what HubSpot now holds")}\n`);
  world.io.out(`${holdings(sample(stories, "completed", 6), await contacts(scene), terminal)}\n`);
  return stories;
}

export async function resyncAgain(scene: Scene, connection: Connection): Promise<void> {
  const { app, store, signal } = scene;
  const { say, terminal } = scene.output;
  say(`\n${terminal.paint.bold("4  A second resync creates nothing")}`);
  const destination = await app.destination(connection);
  const access = await app.access(connection, { store, signal });
  const context = { store, clock: app.clock, destination, access };
  const { created, existing } = await resync(context, connection, await planResync(context, connection));
  say(`   ${created.length} created, ${existing.length} there already\n`);
}

export async function sweepOnce(scene: Scene, stories: readonly Story[]): Promise<void> {
  const { app, store, output } = scene;
  const { say, terminal, world } = output;
  say(terminal.paint.bold("5  The daily sweep brings those who are still at it"));
  const before = (await contacts(scene)).length;
  const raised = await sweepAll(app, store);
  await settled(scene);
  const after = await contacts(scene);
  say(`   ${count(raised, "candidate")} in progress, ${after.length - before} new contacts\n`);
  world.io.out(`${holdings(sample(stories, "in_progress", 3), after, terminal)}\n`);
}

function sample(stories: readonly Story[], outcome: Story["outcome"], most: number): Story[] {
  return stories.filter((story) => story.outcome === outcome).slice(0, most);
}

export async function contacts(scene: Scene): Promise<HubspotContact[]> {
  return readContacts(await control(scene, "/hubspot/contacts"));
}
