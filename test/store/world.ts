import { onTestFinished } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import type { Store } from "../../src/store/contract/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { openThreadedStore } from "../../src/store/sqlite/threaded.ts";
import { dist } from "../built.ts";
import { temporaryDirectory } from "../directory.ts";

export type OpenStore = (stateDir: string) => Promise<Store>;

export const openDirect: OpenStore = (stateDir) => openSqliteStore({ stateDir, clock: systemClock });
export const openThreaded: OpenStore = (stateDir) =>
  openThreadedStore({ stateDir, threadUrl: new URL("store-thread.js", dist()) });

/** A store that is closed when the test ends. */
export async function opened(open: OpenStore, stateDir = temporaryDirectory()): Promise<Store> {
  const store = await open(stateDir);
  onTestFinished(() => store.close());
  return store;
}

/** What `invites show` tells of the one push of an invite; undefined when there is none. */
export async function pushOf(store: Store, invitationId = "inv_1", vendor = "hubspot") {
  const history = await store.invite("acme", invitationId);
  return history?.pushes.find((push) => push.vendor === vendor);
}
