import { clientIdKey } from "../core/advice/app-credentials.ts";
import { connectCommand } from "../core/advice/command-lines.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, isAppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import type { OwnedSecret, Secret } from "../shared/secret.ts";
import { clientCredentialsGrant, refreshGrant } from "./endpoint/exchange.ts";
import type { TokenIssuer } from "./endpoint/issuer.ts";
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
}

export interface TokenRequest {
  /** As `connectionName` says: `acme/hubspot/production`. */
  connection: string;
  issuer: TokenIssuer;
  /** Asked only when a refresh is due. */
  clientSecret: () => Promise<OwnedSecret>;
  /** When the newest token expires that anybody noted, ms since the epoch: one in the vault that ends before is of an older copy. */
  notedExpiry?: number | null;
  /** A refresh was refused before. Only another try shows whether it would be taken now, also while the token at hand is good. */
  isDue?: boolean;
  /** Hears why the token at hand, which is still good, could not be refreshed ahead of time. */
  onLate?: (problem: unknown) => void;
}

/** A new pair that the vault could not take. The vendor may have voided the old one, so it is offered again. */
export interface Draft {
  unsaved: { set: TokenSet; begunAt: number } | null;
}

/** The vault item that holds a connection's tokens. */
export function itemName(connection: string): string {
  return `token/${connection}`;
}

export async function readTokens({ vault }: Pick<RefreshDeps, "vault">, connection: string) {
  const name = itemName(connection);
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
  return deps.vault.exclusively(itemName(request.connection), async () => {
    const before = await readTokens(deps, request.connection);
    if (!before) throw notConnected(request);
    if (draft.unsaved && draft.unsaved.begunAt === before.refreshBegunAt)
      return await commit(deps, request.connection, draft.unsaved, draft);
    const isReplaced = before.accessToken.reveal() !== seen.accessToken.reveal();
    if (isReplaced && !isExpired(before, deps.clock.now())) return before;
    return await refreshHeld(deps, request, before, draft);
  });
}

/**
 * Marks the begin before the call and commits the new pair before its first use. Where a mark is found, its writer
 * died in between; a vendor with one-use refresh tokens may refuse the old pair then, others take it: one try tells.
 */
async function refreshHeld(
  deps: RefreshDeps,
  request: TokenRequest,
  before: TokenSet,
  draft: Draft,
): Promise<TokenSet> {
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
    return await commit(deps, connection, { set, begunAt }, draft);
  } catch (error) {
    // After silence the mark stays, since a new pair may have been lost. An answer settles this try, and no earlier
    // one that was cut off: whoever is refused next shall still learn of that.
    if (isAnswer(error)) await save(deps, connection, before);
    throw isAppError(error, "RECONNECT_NEEDED") ? tokensDead(error, request, before) : error;
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
  connection: string,
  pair: { set: TokenSet; begunAt: number },
  draft: Draft,
): Promise<TokenSet> {
  draft.unsaved = pair;
  await save(deps, connection, pair.set);
  draft.unsaved = null;
  return pair.set;
}

function save({ vault }: RefreshDeps, connection: string, set: TokenSet): Promise<void> {
  return vault.write(new Map([[itemName(connection), serialize(set)]]));
}

function isAnswer(error: unknown): boolean {
  return (
    isAppError(error) &&
    /^(RECONNECT_NEEDED|CONFIG_INVALID|VENDOR_REJECTED|VENDOR_UNEXPECTED)$/.test(error.code)
  );
}

export function notConnected(request: TokenRequest): AppError {
  return new AppError("RECONNECT_NEEDED", `${request.connection} is not connected`, {
    hint: connectHint(request),
  });
}

function tokensDead(cause: AppError, request: TokenRequest, before: TokenSet): AppError {
  const isInterrupted = before.refreshBegunAt !== null;
  const why = isInterrupted
    ? ". An earlier refresh was cut off before its new tokens were kept"
    : isOlderCopy(before, request)
      ? ". The vault holds older tokens than the log knows of: its refresh token was spent since that copy was made"
      : "";
  return new AppError("RECONNECT_NEEDED", `${request.connection}: ${cause.message}${why}`, {
    hint: connectHint(request),
    cause,
  });
}

/** A vault that was put back knows nothing of the refreshes after it. */
function isOlderCopy({ expiresAt }: TokenSet, { notedExpiry = null }: TokenRequest): boolean {
  return expiresAt !== null && notedExpiry !== null && expiresAt < notedExpiry;
}

function notRefreshable(request: TokenRequest): AppError {
  return new AppError("RECONNECT_NEEDED", `The token of ${request.connection} cannot be refreshed`, {
    hint: connectHint(request),
  });
}

/** Not a reason to disconnect: a mistyped client id would cut off every customer at once. */
function otherClient(request: TokenRequest): AppError {
  return new AppError("CONFIG_INVALID", `${request.connection} was connected with another client id`, {
    hint: `Set ${clientIdKey(request.issuer)} back, or run \`${connectHint(request)}\`.`,
  });
}

function connectHint({ connection, issuer }: TokenRequest): string {
  const [org, , environment] = connection.split("/");
  return connectCommand({
    vendor: issuer.vendor,
    ...(org === undefined ? {} : { org }),
    environment: environment === "sandbox" ? environment : "production",
  });
}
