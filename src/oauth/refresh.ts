import { clientIdKey } from "../core/advice/app-credentials.ts";
import { connectCommand } from "../core/advice/command-lines.ts";
import { vaultWithoutTokens } from "../core/advice/vault-without-tokens.ts";
import { type ConnectionName, tokenItem } from "../core/connection.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import type { OwnedSecret, Secret } from "../shared/secret.ts";
import { clientCredentialsGrant, refreshGrant } from "./endpoint/exchange.ts";
import type { TokenIssuer } from "./endpoint/issuer.ts";
import { type MachineNotes, noteAnswer, notedAnswer, notedExpiry, noteSeen } from "./machine-note.ts";
import { deserialize, isExpired, serialize, type TokenSet, tokenSetOf } from "./token-set.ts";

export interface RefreshDeps {
  clock: Clock;
  http: Http;
  vault: TokenVault;
}

/** What tokens need of a vault. */
export interface TokenVault {
  read(names: readonly string[]): Promise<Map<string, Secret>>;
  write(changes: ReadonlyMap<string, Secret | null>): Promise<void>;
  /** Moves with every write of any process. */
  revision(): number;
  exclusively<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Where another process may go on after it lost the lock. */
  notes?: MachineNotes;
}

/** The longest that a refresh takes from its mark to its answer's being kept. */
const LONGEST_REFRESH_MS = 60_000;

export interface TokenRequest {
  /** As `connectionName` says: `acme/hubspot/production`. */
  connection: string;
  issuer: TokenIssuer;
  /** Asked only when a refresh is due. */
  clientSecret: () => Promise<OwnedSecret>;
  /** When the newest token expires that anybody noted, ms since the epoch: one in the vault that ends before is of an older copy. */
  notedExpiry?: number | null;
  /** The log says that it is: tokens that are not in the vault were lost there. */
  isConnected?: boolean;
  /** A refresh was refused before. Only another try shows whether it would be taken now, also while the token at hand is good. */
  isDue?: boolean;
  /** Hears why the token at hand, which is still good, could not be refreshed ahead of time. */
  onLate?: (problem: unknown) => void;
}

/** A new pair that the vault could not take. The vendor may have voided the old one, so it is offered again. */
export interface Draft {
  unsaved: { set: TokenSet; begunAt: number } | null;
}

export async function readTokens({ vault }: Pick<RefreshDeps, "vault">, connection: string) {
  const name = tokenItem(connection);
  const item = (await vault.read([name])).get(name);
  return item ? deserialize(item, name) : null;
}

/** One refresh at a time among all processes. The one that waited finds the new pair and takes it. */
export function refreshAlone(
  deps: RefreshDeps,
  request: TokenRequest,
  seen: TokenSet,
  draft: Draft,
): Promise<TokenSet> {
  return deps.vault.exclusively(tokenItem(request.connection), async () => {
    const before = await readTokens(deps, request.connection);
    if (!before) throw withoutTokens(request);
    if (draft.unsaved && draft.unsaved.begunAt === before.refreshBegunAt)
      return await commit(deps, { request, before, draft }, draft.unsaved);
    const answered = await notedAnswer(deps, tokenItem(request.connection), before);
    if (answered) return await commit(deps, { request, before, draft }, { set: answered, begunAt: 0 });
    const isReplaced = before.accessToken.reveal() !== seen.accessToken.reveal();
    if (isReplaced && !isExpired(before, deps.clock.now())) return before;
    if (deps.vault.notes && isUnderWay(before, deps.clock.now())) throw underWay(request);
    return await refreshHeld(deps, { request, before, draft });
  });
}

/** One that holds the lock. */
interface Refresh {
  request: TokenRequest;
  /** What the vault holds. */
  before: TokenSet;
  draft: Draft;
}

/**
 * Marks the begin before the call and commits the new pair before its first use. Where a mark is found, its writer
 * died in between; a vendor with one-use refresh tokens may refuse the old pair then, others take it: one try tells.
 */
async function refreshHeld(deps: RefreshDeps, refresh: Refresh): Promise<TokenSet> {
  const { request, before } = refresh;
  const { connection, issuer } = request;
  const { refreshToken, clientId, method } = before;
  if (!refreshToken && method === undefined) throw notRefreshable(request);
  if (clientId !== issuer.authorization.clientId) throw otherClient(request);
  if (!refreshToken) return await askAgain(deps, request, before);
  const clientSecret = await request.clientSecret();
  const begunAt = deps.clock.now();
  await save(deps, connection, { ...before, refreshBegunAt: begunAt });
  try {
    const grant = await refreshGrant(deps, { issuer, clientSecret, refreshToken });
    const set = tokenSetOf(grant, clientId, deps.clock.now(), before);
    return await commit(deps, refresh, { set, begunAt });
  } catch (error) {
    // After silence the mark stays, since a new pair may have been lost. An answer settles this try, and no earlier
    // one that was cut off: whoever is refused next shall still learn of that.
    if (isAnswer(error)) await save(deps, connection, before);
    throw isAppError(error, "RECONNECT_NEEDED") ? await tokensDead(deps, error, refresh) : error;
  }
}

/** Nothing is spent by it: no mark is needed, and an answer that was lost costs one more call. */
async function askAgain(deps: RefreshDeps, request: TokenRequest, before: TokenSet): Promise<TokenSet> {
  const { connection, issuer } = request;
  const clientSecret = await request.clientSecret();
  const grant = await clientCredentialsGrant(deps, { issuer, clientSecret });
  const set = tokenSetOf(grant, before.clientId, deps.clock.now(), before);
  await save(deps, connection, set);
  return set;
}

async function commit(
  deps: RefreshDeps,
  { request: { connection }, before, draft }: Refresh,
  pair: { set: TokenSet; begunAt: number },
): Promise<TokenSet> {
  draft.unsaved = pair;
  await noteAnswer(deps, tokenItem(connection), before, pair.set);
  await save(deps, connection, pair.set);
  draft.unsaved = null;
  await noteSeen(deps, tokenItem(connection), pair.set);
  return pair.set;
}

/** Its marker may have lost the lock and be about to bring the answer. */
function isUnderWay({ refreshBegunAt }: TokenSet, now: number): boolean {
  return refreshBegunAt !== null && now - refreshBegunAt < LONGEST_REFRESH_MS;
}

function save({ vault }: RefreshDeps, connection: string, set: TokenSet): Promise<void> {
  return vault.write(new Map([[tokenItem(connection), serialize(set)]]));
}

function isAnswer(error: unknown): boolean {
  return (
    isAppError(error) &&
    /^(RECONNECT_NEEDED|CONFIG_INVALID|VENDOR_REJECTED|VENDOR_UNEXPECTED)$/.test(error.code)
  );
}

export function withoutTokens(request: TokenRequest): AppError {
  if (request.isConnected) return vaultWithoutTokens(nameOf(request), request.issuer.label);
  return new AppError("RECONNECT_NEEDED", `${request.connection} is not connected`, {
    hint: connectHint(request),
  });
}

function underWay({ connection }: TokenRequest): AppError {
  return new AppError(
    "VENDOR_UNAVAILABLE",
    `${connection}: another process began to renew the token and has not ended yet`,
    { hint: "Nothing is to be done: it is tried again within a minute." },
  );
}

async function tokensDead(deps: RefreshDeps, cause: AppError, { request, before }: Refresh) {
  const seen = await notedExpiry(deps, tokenItem(request.connection));
  const isInterrupted = before.refreshBegunAt !== null;
  const why = isInterrupted
    ? ". An earlier refresh was cut off before its new tokens were kept"
    : isOlderCopy(before, [request.notedExpiry ?? null, seen])
      ? ". The vault holds older tokens than were in use: its refresh token was spent since that copy was made"
      : "";
  return new AppError("RECONNECT_NEEDED", `${request.connection}: ${cause.message}${why}`, {
    hint: connectHint(request),
    cause,
  });
}

/** A vault that was put back knows nothing of the refreshes after it. */
function isOlderCopy({ expiresAt }: TokenSet, noted: readonly (number | null)[]): boolean {
  return expiresAt !== null && noted.some((at) => at !== null && expiresAt < at);
}

function notRefreshable(request: TokenRequest): AppError {
  return new AppError("RECONNECT_NEEDED", `The token of ${request.connection} cannot be refreshed`, {
    hint: connectHint(request),
  });
}

/** Not a reason to disconnect: a mistyped client id would cut off every customer at once. */
function otherClient(request: TokenRequest): AppError {
  return new AppError("CONFIG_INVALID", `${request.connection} was connected with another client id`, {
    hint: `Set ${clientIdKey(request.issuer)} back, or run: ${connectHint(request)}`,
  });
}

function connectHint(request: TokenRequest): string {
  return connectCommand(nameOf(request));
}

function nameOf({ connection, issuer: { vendor } }: TokenRequest): ConnectionName {
  const [org = "", , environment] = connection.split("/");
  return { org, vendor, environment: environment === "sandbox" ? environment : "production" };
}
