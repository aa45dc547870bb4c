/** The store's answers as tests look at them: without what comes beside. */
import type { HeldCauses, StuckCounts } from "../../src/core/push.ts";
import type {
  AttemptQuery,
  Claim,
  ClaimRequest,
  CountedSelection,
  LoggedAttempt,
  Selection,
  Standing,
  Store,
  UnpushedSelection,
} from "../../src/store/contract/store.ts";

export async function claimsOf(store: Pick<Store, "claim">, request: ClaimRequest): Promise<Claim[]> {
  return (await store.claim(request)).claims;
}

export async function attemptsOf(store: Store, query: AttemptQuery): Promise<LoggedAttempt[]> {
  return (await store.attempts(query)).attempts;
}

export async function stuckOf(store: Store, connectionId: number, now: number): Promise<StuckCounts> {
  const { connections } = await store.overview(null, now);
  const found = connections.find(({ connection }) => connection.id === connectionId);
  if (!found) throw new Error(`there is no connection ${connectionId}`);
  return found.stuck;
}

export async function orgsIn(store: Store, now: number): Promise<string[]> {
  return (await store.overview(null, now)).orgs;
}

export async function unpushed(store: Store, selection: UnpushedSelection): Promise<number> {
  return (await store.countPushes({ unpushed: selection })).unpushed;
}

/** Those that a run need not queue any more. */
export async function waiting(store: Store, selection: Selection): Promise<number> {
  return (await store.countPushes({ ...selection, waiting: true })).pending;
}

export async function standing(store: Store, runId: number): Promise<Standing> {
  const { pending, delivered, rejected, held } = await store.countPushes({ run: { id: runId } });
  return { pending, delivered, rejected, held };
}

export async function heldFor(store: Store, of: CountedSelection): Promise<HeldCauses> {
  return (await store.countPushes(of, { causes: true })).heldFor;
}
