/** What the store's tests share: directories, opened stores, and reading back what a person would see. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import type { Store } from "../../src/store/contract/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { openThreadedStore } from "../../src/store/sqlite/threaded.ts";
import { dist } from "../built.ts";

export type OpenStore = (stateDir: string) => Promise<Store>;

export const openDirect: OpenStore = (stateDir) => openSqliteStore({ stateDir, clock: systemClock });
export const openThreaded: OpenStore = (stateDir) =>
  openThreadedStore({ stateDir, threadUrl: new URL("store-thread.js", dist()) });

/** In memory, where the machine has such a place: most tests ask what is in the file, not whether it survives. */
const MEMORY = "/dev/shm";

export function temporaryDirectory(parent = existsSync(MEMORY) ? MEMORY : tmpdir()): string {
  const path = mkdtempSync(join(parent, "jc-store-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

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
