import { tokenItem } from "../core/connection.ts";
import { isAppError } from "../shared/errors.ts";
import type { Secret } from "../shared/secret.ts";
import type { Grant, TokenIssuer } from "./endpoint/issuer.ts";
import {
  type Draft,
  type RefreshDeps,
  readTokens,
  refreshAlone,
  type TokenRequest,
  withoutTokens,
} from "./refresh.ts";
import { forgetNote, noteSeen } from "./machine-note.ts";
import { deserialize, isExpired, isFresh, serialize, type TokenSet, tokenSetOf } from "./token-set.ts";

/** Live tokens for every connection: kept in the vault, refreshed ahead of time, once for all processes. */
export interface Tokens {
  /**
   * A token the vendor should accept now; `renewed` when the vendor refused the last one. Throws `RECONNECT_NEEDED`,
   * `VAULT_UNAVAILABLE`, `CONFIG_INVALID`, `VENDOR_*`; never for trouble on the way while the token at hand is good.
   */
  token(request: TokenRequest & { renewed?: boolean | undefined }): Promise<Secret>;
  /** Keeps what a consent brought, or the app's own credentials, in place of what was there. */
  keep(connection: string, issuer: TokenIssuer, grant: Grant, method?: TokenSet["method"]): Promise<TokenSet>;
  forget(connection: string): Promise<void>;
  /** What the vault holds now; null when it holds nothing. */
  peek(connection: string): Promise<TokenSet | null>;
  /** The same of many in one request: `token` asks the vault no more for them until somebody writes to it. */
  peekAll(connections: readonly string[]): Promise<Map<string, TokenSet | null>>;
}

/** What this process knows of one connection. */
interface Memory {
  held: { revision: number; set: TokenSet | null } | null;
  refreshing: Promise<TokenSet> | null;
  /** `revision`: of the vault. What was written since may have mended it, as another client secret. */
  failure: { at: number; accessToken: string; revision: number; error: unknown } | null;
  /** What the last `renewed` brought. */
  renewal: { at: number; accessToken: string } | null;
  draft: Draft;
  /** Spreads the refreshes of several processes; 0 to 1, drawn once. */
  jitter: number;
}

/** While refreshes fail: at most one try in this time, for all callers together. */
const RETRY_AFTER_MS = 60_000;
/** Calls under way with a refused token report it one after the other; the first report renews it for all. */
const RENEWAL_COVERS_MS = 30_000;

export function createTokens(deps: RefreshDeps): Tokens {
  const memories = new Map<string, Memory>();
  const memoryOf = (connection: string) => {
    const known = memories.get(connection);
    if (known) return known;
    const fresh = emptyMemory();
    memories.set(connection, fresh);
    return fresh;
  };
  const replace = async (connection: string, set: TokenSet | null) => {
    const name = tokenItem(connection);
    await deps.vault.exclusively(name, () => deps.vault.write(new Map([[name, set && serialize(set)]])));
    if (set === null) await forgetNote(deps, name);
    memories.delete(connection);
  };
  return {
    token: async (request) => (await liveTokens(deps, memoryOf(request.connection), request)).accessToken,
    keep: async (connection, issuer, grant, method) => {
      const fresh = tokenSetOf(grant, issuer.authorization.clientId, deps.clock.now());
      const set = method === undefined ? fresh : { ...fresh, method };
      await replace(connection, set);
      return set;
    },
    forget: (connection) => replace(connection, null),
    peek: (connection) => readTokens(deps, connection),
    peekAll: async (connections) => {
      const revision = deps.vault.revision();
      const items = await deps.vault.read(connections.map(tokenItem));
      const found = new Map<string, TokenSet | null>();
      for (const connection of connections) {
        const name = tokenItem(connection);
        const item = items.get(name);
        const set = item ? deserialize(item, name) : null;
        await hold(deps, memoryOf(connection), { connection, revision, set });
        found.set(connection, set);
      }
      return found;
    },
  };
}

function emptyMemory(): Memory {
  return {
    held: null,
    refreshing: null,
    failure: null,
    renewal: null,
    draft: { unsaved: null },
    jitter: Math.random(),
  };
}

async function liveTokens(
  deps: RefreshDeps,
  memory: Memory,
  request: TokenRequest & { renewed?: boolean | undefined },
): Promise<TokenSet> {
  const now = deps.clock.now();
  const set = await current(deps, memory, request.connection);
  if (!set) throw withoutTokens(request);
  const isRefused = request.renewed === true && !isCovered(memory, set, now);
  if (!isRefused && !request.isDue && isFresh(set, now, memory.jitter)) return set;
  try {
    const failure = lateFailure(memory, set, { now, revision: deps.vault.revision() });
    if (failure) throw failure.error;
    const renewed = await refreshOnce(deps, memory, request, set);
    if (isRefused) memory.renewal = { at: now, accessToken: renewed.accessToken.reveal() };
    return renewed;
  } catch (error) {
    const isStillGood = !isRefused && !isExpired(set, deps.clock.now());
    if (!isStillGood || !isAppError(error) || error.code === "RECONNECT_NEEDED") throw error;
    request.onLate?.(error);
    return set;
  }
}

/** The tokens as the vault has them, asked of the vault only after somebody wrote to it. */
async function current(deps: RefreshDeps, memory: Memory, connection: string): Promise<TokenSet | null> {
  const revision = deps.vault.revision();
  if (memory.held?.revision === revision) return memory.held.set;
  const set = await readTokens(deps, connection);
  await hold(deps, memory, { connection, revision, set });
  return set;
}

/** `revision`: of the vault before `set` was read there. */
async function hold(
  deps: RefreshDeps,
  memory: Memory,
  { connection, revision, set }: { connection: string; revision: number; set: TokenSet | null },
): Promise<void> {
  if (set && set.accessToken.reveal() !== memory.held?.set?.accessToken.reveal())
    await noteSeen(deps, tokenItem(connection), set);
  memory.held = { revision, set };
}

/** The token at hand is the answer to a refusal just reported. */
function isCovered({ renewal }: Memory, set: TokenSet, now: number): boolean {
  return (
    renewal !== null &&
    isWithin(RENEWAL_COVERS_MS, renewal.at, now) &&
    renewal.accessToken === set.accessToken.reveal()
  );
}

/** A clock that was put back makes the past a future that may be hours away. */
function isWithin(ms: number, at: number, now: number): boolean {
  return now >= at && now - at < ms;
}

/** A failure counts for the token it happened with: another process's new pair gets its own try at once. */
function lateFailure(
  { failure }: Memory,
  set: TokenSet,
  { now, revision }: { now: number; revision: number },
): Memory["failure"] {
  const isLate =
    failure !== null && failure.revision === revision && isWithin(RETRY_AFTER_MS, failure.at, now);
  return isLate && failure.accessToken === set.accessToken.reveal() ? failure : null;
}

/** One refresh at a time in this process; whoever comes meanwhile shares its outcome. */
function refreshOnce(
  deps: RefreshDeps,
  memory: Memory,
  request: TokenRequest,
  seen: TokenSet,
): Promise<TokenSet> {
  memory.refreshing ??= refreshAlone(deps, request, seen, memory.draft)
    .catch((error: unknown) => {
      // A vault that cannot be read or written costs the vendor nothing: it may be asked as often as somebody looks.
      if (!isAppError(error, "VAULT_UNAVAILABLE"))
        memory.failure = {
          at: deps.clock.now(),
          accessToken: seen.accessToken.reveal(),
          revision: deps.vault.revision(),
          error,
        };
      throw error;
    })
    .finally(() => {
      memory.refreshing = null;
    });
  return memory.refreshing;
}
