import { createHmac } from "node:crypto";
import { join } from "node:path";
import type { App } from "../app.ts";
import type { Output } from "../commands/with-app.ts";
import type { Connection } from "../core/connection.ts";
import { serve } from "../daemon/serve.ts";
import type { Emulator } from "../emulator/emulator.ts";
import { importEvents } from "../flows/import-events.ts";
import { planResync, resync } from "../flows/resync.ts";
import { sweepAll } from "../flows/sweep.ts";
import { count } from "../shared/text.ts";
import type { Store } from "../store/contract.ts";
import { type DemoEvent, makeStories, type Story, shuffled } from "./people.ts";
import { type HubspotContact, holdings, readContacts } from "./show.ts";
import { connectOnStage, setStage } from "./stage.ts";

/**
 * The main job end to end, through the real code: only HubSpot is the emulator, and all state rests in a
 * directory that is gone afterwards.
 */
const ORG = "demo";
const CANDIDATES = 320;
/** Every fourth candidate's events come as a file, the others' as webhooks. */
const IMPORTED_SHARE = 4;
const SENDERS = 24;
const PATIENCE_MS = 15_000;

export async function runDemo(output: Output, { keep }: { keep: boolean }): Promise<void> {
  const { world, say, terminal } = output;
  const where = { org: ORG, environment: "production" } as const;
  const stage = await setStage(world, { ...where, name: "demo", vendors: ["hubspot"] });
  const { dir, emulator, app, stop, webhookSecret } = stage;
  let serving: Promise<void> = Promise.resolve();
  try {
    const store = await app.threadedStore();
    say(terminal.paint.bold("1  Connect a HubSpot portal (the emulator approves at once)"));
    const connected = await connectOnStage(stage, store, { ...where, vendor: "hubspot" });
    say(
      `   ${terminal.pill("Connected", "good")}  ${connected.account?.name}, tokens in a sealed vault, 17 properties created\n`,
    );

    say(terminal.paint.bold("2  serve receives signed webhooks and delivers; a file is imported beside it"));
    const address = await new Promise<string>((resolve, reject) => {
      serving = serve(app, { signal: stop.signal, onListening: resolve });
      serving.catch(reject);
    });
    const stories = makeStories(CANDIDATES, ORG, app.clock.now());
    await sendAll(app, store, { stories, address, webhookSecret, output, signal: stop.signal });
    await settled(app, store, stop.signal);
    say(await delivered(store, app));

    say(`\n${terminal.paint.bold("3  What JobCannon sent, and what HubSpot now holds")}\n`);
    output.world.io.out(`${holdings(sample(stories, "completed", 6), await contacts(emulator), terminal)}\n`);

    say(`\n${terminal.paint.bold("4  A second resync creates nothing")}`);
    const again = await resyncDemo(app, store, connected, stop.signal);
    say(`   ${again.created.length} created, ${again.existing.length} there already\n`);

    say(terminal.paint.bold("5  The daily sweep brings those who are still at it"));
    const before = (await contacts(emulator)).length;
    const raised = await sweepAll(app, store);
    await settled(app, store, stop.signal);
    const after = await contacts(emulator);
    say(`   ${count(raised, "candidate")} in progress, ${after.length - before} new contacts\n`);
    output.world.io.out(`${holdings(sample(stories, "in_progress", 3), after, terminal)}\n`);
    sayWhatNext(output, { dir, emulator, keep, address });
    if (keep) await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
  } finally {
    stop.abort();
    await serving.catch(() => {});
    await stage.strike();
  }
  if (world.signal.aborted && !keep) throw world.signal.reason;
}

async function resyncDemo(app: App, store: Store, connection: Connection, signal: AbortSignal) {
  const destination = await app.destination(connection);
  const context = {
    store,
    clock: app.clock,
    destination,
    access: await app.access(connection, { store, signal }),
  };
  return await resync(context, connection, await planResync(context));
}

interface Sending {
  stories: readonly Story[];
  address: string;
  webhookSecret: Buffer;
  output: Output;
  signal: AbortSignal;
}

/** All events in a wild order, every tenth one twice; a part of them by file. */
async function sendAll(
  app: App,
  store: Store,
  { stories, address, webhookSecret, output, signal }: Sending,
): Promise<void> {
  const events = (part: readonly Story[]) => {
    const all = part.flatMap((story) => story.events);
    return shuffled([...all, ...all.filter((_, index) => index % 10 === 0)], 7);
  };
  const webhooks = events(stories.filter((_, index) => index % IMPORTED_SHARE !== 0));
  const lines = events(stories.filter((_, index) => index % IMPORTED_SHARE === 0));
  const progress = output.terminal.progress("   events", webhooks.length + lines.length);
  let done = 0;

  const queue = [...webhooks];
  const send = async () => {
    for (let event = queue.pop(); event; event = queue.pop()) {
      signal.throwIfAborted();
      await postSigned(`http://${address}/jobcannon/events`, event, webhookSecret);
      done += 1;
      progress.set(done);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));

  const [source] = await app.sources();
  if (!source) throw new Error("there is no source to import for");
  const input = (async function* () {
    yield lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  })();
  await importEvents({ store, clock: app.clock }, source, {
    input,
    signal,
    onProgress: ({ read }) => progress.set(done + read),
  });
  progress.end();
}

/** Signed as JobCannon does it, by the Standard Webhooks specification. */
async function postSigned(url: string, event: DemoEvent, webhookSecret: Buffer): Promise<void> {
  const body = JSON.stringify(event);
  const id = `msg_${event.data.invitation_id}_${event.type}_${event.timestamp}`;
  const timestamp = Math.floor(Date.now() / 1_000);
  const signature = createHmac("sha256", webhookSecret).update(`${id}.${timestamp}.${body}`).digest("base64");
  const answer = await fetch(url, {
    method: "POST",
    body,
    headers: {
      "content-type": "application/json",
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": `v1,${signature}`,
    },
  });
  if (answer.status !== 202)
    throw new Error(`the receiver answered ${answer.status}: ${await answer.text()}`);
  await answer.text();
}

/** Until nothing waits to be delivered. */
async function settled(app: App, store: Store, signal: AbortSignal): Promise<void> {
  const endsAt = app.clock.now() + PATIENCE_MS;
  for (;;) {
    const { connections } = await store.overview(ORG, app.clock.now());
    if (connections.every(({ pushes }) => pushes.pending === 0)) return;
    if (app.clock.now() > endsAt) throw new Error("results were still waiting after 15 s");
    await app.clock.sleep(50, signal);
  }
}

async function delivered(store: Store, app: App): Promise<string> {
  const { events, invites, connections } = await store.overview(ORG, app.clock.now());
  const pushed = connections.reduce((total, { pushes }) => total + pushes.delivered, 0);
  return `   ${count(events.total, "event")} kept, ${count(invites, "invite")}, ${count(pushed, "contact")} delivered`;
}

function sample(stories: readonly Story[], outcome: Story["outcome"], most: number): Story[] {
  return stories.filter((story) => story.outcome === outcome).slice(0, most);
}

async function contacts(emulator: Emulator): Promise<HubspotContact[]> {
  const answer = await fetch(`${emulator.url}/_control/hubspot/contacts`);
  return readContacts(await answer.json());
}

function sayWhatNext(
  { say, terminal }: Output,
  at: { dir: string; emulator: Emulator; keep: boolean; address: string },
): void {
  const { paint } = terminal;
  if (at.keep) {
    say(
      [
        "",
        paint.bold("It goes on running until Ctrl-C. In another terminal:"),
        `   jc-integrations --config ${join(at.dir, "config.toml")} --state-dir ${join(at.dir, "state")} status`,
        `   curl ${at.emulator.url}/_control/hubspot/contacts`,
        `   webhooks: http://${at.address}/jobcannon/events`,
      ].join("\n"),
    );
    return;
  }
  say(
    [
      "",
      paint.bold("For a real portal:"),
      "   jc-integrations secrets set hubspot.client-secret",
      "   jc-integrations connect hubspot --org <your org>",
      "   jc-integrations serve",
    ].join("\n"),
  );
}
