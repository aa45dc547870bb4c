import type { Connection } from "../../core/connection.ts";
import { isAppError } from "../../shared/errors.ts";
import type { SelectionPage, Store } from "../../store/contract/store.ts";
import type { AccountContext } from "../account/context.ts";

export interface GoneLooked {
  /** What was held as gone and goes out again. */
  released: number;
  failed: string[];
}

/** Most subjects that are looked for at once. */
const PAGE = 500;

/** Looks for what is held as gone, and releases what is back; all of it where it may be made anew. */
export async function lookForGone(
  account: AccountContext,
  store: Store,
  signal: AbortSignal,
): Promise<GoneLooked> {
  const looked: GoneLooked = { released: 0, failed: [] };
  for (const connection of await store.connections()) {
    const { id, state, isConfirmed, vaultTrouble } = connection;
    if (state !== "connected" || !isConfirmed || vaultTrouble !== null) continue;
    const { heldFor } = await store.countPushes({ pushes: { connectionId: id } }, { causes: true });
    if (!heldFor.gone) continue;
    try {
      looked.released += await releaseFound(account, store, { connection, signal });
    } catch (error) {
      if (!isAppError(error)) throw error;
      looked.failed.push(error.message);
    }
  }
  return looked;
}

async function releaseFound(
  account: AccountContext,
  store: Store,
  { connection, signal }: { connection: Connection; signal: AbortSignal },
): Promise<number> {
  const { clock } = account;
  const { id: connectionId } = connection;
  const destination = await account.destination(connection);
  if (!destination.present) return await store.release(connectionId, { held: ["gone"] }, clock.now());
  const access = await account.access(connection, { store, signal });
  let released = 0;
  let after: string | null = null;
  do {
    const selection = { pushes: { connectionId, heldFor: "gone" } } as const;
    const page: SelectionPage = await store.selectSubjects(selection, { after, limit: PAGE });
    const subjects = await destination.present(access, page.subjects);
    if (subjects.length > 0)
      released += await store.release(connectionId, { held: ["gone"], subjects }, clock.now());
    after = page.next;
  } while (after !== null);
  return released;
}
