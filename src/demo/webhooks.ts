import { createHmac } from "node:crypto";
import { importEvents } from "../flows/intake/import-events.ts";
import { type DemoEvent, type Story, shuffled } from "./people.ts";
import type { Scene } from "./scene.ts";

/** Every fourth candidate's events come as a file, the others' as webhooks. */
const IMPORTED_SHARE = 4;
const SENDERS = 24;

/** All events in a wild order, every tenth one twice; a part of them by file. */
export async function sendAll(scene: Scene, stories: readonly Story[]): Promise<void> {
  const { output, signal } = scene;
  const webhooks = events(stories.filter((_, index) => index % IMPORTED_SHARE !== 0));
  const lines = events(stories.filter((_, index) => index % IMPORTED_SHARE === 0));
  const progress = output.terminal.progress("   events", webhooks.length + lines.length);
  let done = 0;

  const queue = [...webhooks];
  const send = async () => {
    for (let event = queue.pop(); event; event = queue.pop()) {
      signal.throwIfAborted();
      await postSigned(scene, event);
      done += 1;
      progress.set(done);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, send));
  await importLines(scene, lines, (read) => progress.set(done + read));
  progress.end();
}

function events(stories: readonly Story[]): DemoEvent[] {
  const all = stories.flatMap((story) => story.events);
  return shuffled([...all, ...all.filter((_, index) => index % 10 === 0)], 7);
}

async function importLines(
  { app, store, signal }: Scene,
  lines: readonly DemoEvent[],
  onRead: (read: number) => void,
): Promise<void> {
  const source = (await app.sources()).find(({ id }) => id === "jobcannon");
  if (!source) throw new Error("there is no source to import for");
  const input = (async function* () {
    yield lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  })();
  const { bad } = await importEvents({ store, clock: app.clock }, source, {
    input,
    signal,
    onProgress: ({ read }) => onRead(read),
  });
  if (bad.length > 0) throw new Error(`the demo's own file is not taken: ${bad[0]?.reason}`);
}

/** Signed as JobCannon does it, by the Standard Webhooks specification. */
async function postSigned({ url, webhookSecret }: Scene, event: DemoEvent): Promise<void> {
  const body = JSON.stringify(event);
  const id = `msg_${event.data.invitation_id}_${event.type}_${event.timestamp}`;
  const timestamp = Math.floor(Date.now() / 1_000);
  const key = Buffer.from(webhookSecret.replace("whsec_", ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  const answer = await fetch(`${url}/jobcannon/events`, {
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
