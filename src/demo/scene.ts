import type { Output } from "../shared/world.ts";
import type { Connection } from "../core/connection.ts";
import type { Store } from "../store/contract/store.ts";
import { connectEmulated, type Installation } from "./installation.ts";

/** The installation with somebody who watches: what each scene of the demo plays with. */
export interface Scene extends Installation {
  store: Store;
  output: Output;
  signal: AbortSignal;
}

export const ORG = "demo";
const PATIENCE_MS = 15_000;

export function connectTo(vendor: string, scene: Scene): Promise<Connection> {
  return connectEmulated(scene, scene.store, { org: ORG, vendor, environment: "production" });
}

/** Until nothing waits to be delivered. */
export async function settled(scene: Scene): Promise<void> {
  const { app, store } = scene;
  await until("all is delivered", scene, async () => {
    const { connections } = await store.overview(ORG, app.clock.now());
    return connections.every(({ pushes }) => pushes.pending === 0);
  });
}

/** Looks again and again, and throws where it does not come true. */
export async function until(
  what: string,
  { app, signal }: Scene,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  const endsAt = app.clock.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (app.clock.now() > endsAt) throw new Error(`${what}: not within ${PATIENCE_MS / 1_000} s`);
    await app.clock.sleep(20, signal);
  }
}

/** A call of the emulator's control, as a person at the vendor's own pages makes it. */
export async function control({ emulator }: Installation, path: string, body?: object): Promise<unknown> {
  const init = body && { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`${emulator.url}/_control${path}`, init);
  if (!answer.ok) throw new Error(`the emulator answered ${answer.status}: ${await answer.text()}`);
  return await answer.json();
}
