import type { ConnectMethod } from "./authorization.ts";
import type { SubjectKind } from "./push.ts";
import type { Regions } from "./residency.ts";

export type Environment = "production" | "sandbox";

export type ConnectionState = "connected" | "must_reconnect" | "waiting_for_consent" | "not_connected";

/** The account behind a connection, as its vendor describes it. */
export interface Account {
  /** The vendor's own id of the account (HubSpot: portal id). */
  id: string;
  name: string;
  /** The vendor's kind of account, as HubSpot's `DEVELOPER_TEST`. */
  kind: string | null;
  /** Where the vendor keeps the account's data, as `eu1`. */
  region: string | null;
  /** Where its days begin and end, as `Europe/Berlin`; absent where the vendor does not tell. */
  timeZone?: string;
}

/** One (org, vendor, environment) account we hold tokens for. The tokens themselves rest in the vault. */
export interface Connection {
  id: number;
  org: string;
  vendor: string;
  environment: Environment;
  /** How its destination keys what it is told; the same for as long as the account is. */
  subject: SubjectKind;
  state: ConnectionState;
  account: Account | null;
  /** How it was opened; null or absent for a consent. */
  method?: Exclude<ConnectMethod, "code"> | null;
  /** The contract it was opened in, where its vendor has more than one; null or absent for the first. */
  profile?: string | null;
  /** False from an account's coming by a link until an operator says that it is the right one: until then it is told nothing. */
  isConfirmed: boolean;
  scopes: string[];
  missingScopes: string[];
  /** Fields the account was seen to have at the last bootstrap; null before the first. */
  knownFields: string[] | null;
  /** Those of ours that it has and that cannot take our values: no projection fills them. Absent where there is none. */
  leftOut?: readonly LeftOutField[];
  /** When the last bootstrap created a field, ms since the epoch: where values are written it may be unknown for a moment. */
  fieldsMadeAt?: number;
  tokenExpiresAt: number | null;
  /** How old the login is and when it ends, ms since the epoch; null where it does not end by itself. */
  login: { since: number; endsAt: number } | null;
  connectedAt: number | null;
  lastSyncAt: number | null;
  /** Set while the vendor fails. */
  outage: Outage | null;
  /** Set while the service cannot read our tokens: results wait, and nobody is disconnected. */
  vaultTrouble: VaultTrouble | null;
  /** Set while the vendor, or our own configuration, keeps us from its tokens for what no waiting mends; absent where nothing did. */
  refusal?: Refusal | null;
  /** These regions differ, and an operator said for this account that it is meant; absent where nobody did. */
  crossRegion?: Regions | null;
  /** Words for the operator about what stands in the way; null when nothing does. */
  banner: string | null;
  /** How the vendor's webhooks reach us; null where it was never looked at, or the vendor has none. */
  subscription: SubscriptionHealth | null;
  /** Contacts with results that it was never told of, as counted last; absent where it was never counted. */
  unsent?: number;
  marks: Readonly<Partial<Record<MarkName, number>>>;
}

/**
 * Single numbers that processes agree on, each of which moves forward alone: the time of the last probe of a vendor that
 * fails, the counts of bootstraps begun and ended, the consent (its time) by which results were released last, and when
 * the last trial began that passed.
 */
export type MarkName = "probe" | "bootstrap begun" | "bootstrap ended" | "released" | "trial passed";

export interface SubscriptionHealth {
  /** The vendor's id of the one whose secret we hold; null while there is none. */
  id: string | null;
  /** `elsewhere`: it sends to another address. */
  state: "active" | "missing" | "inactive" | "elsewhere" | "without secret";
  checkedAt: number;
  /** Until then it is being activated, ms since the epoch: a greeting of the vendor's is answered. */
  activatingUntil?: number;
  /** When it was seen to serve last, ms since the epoch. */
  activeAt?: number;
  /** Up to when it is known what was sent and not taken, ms since the epoch. */
  readUntil?: number;
  /** When the vendor had suspended it and it was mended by itself, ms since the epoch. */
  mendedAt?: number;
  /** A new one was asked for, and its secret was not kept yet: found later, it tells that its maker died in between. */
  begun?: true;
}

/** A field that results do not fill until the account can take them. */
export interface LeftOutField {
  name: string;
  /** What is the matter with it, in words. */
  reason: string;
  /** By its definition it could take our values, and writing them was refused all the same. */
  isRefused?: true;
}

/** Since when the tokens cannot be read, ms since the epoch, and why; `fix`: what to do, where that is known. */
export interface VaultTrouble {
  since: number;
  reason: string;
  fix: string | null;
}

/** Since when we are refused, ms since the epoch, and why; `fix`: what to do, where that is known. */
export interface Refusal {
  since: number;
  /** It is our configuration that is wrong. */
  isOurs: boolean;
  reason: string;
  fix: string | null;
}

/** What identifies a connection before it has a row. */
export type ConnectionName = Pick<Connection, "org" | "vendor" | "environment">;

/** Identity of a connection in words and as its vault item's name: `acme/hubspot/production`. */
export function connectionName(connection: ConnectionName): string {
  return `${connection.org}/${connection.vendor}/${connection.environment}`;
}

/** The vault's item that holds the tokens of the connection of that name. */
export function tokenItem(connection: string): string {
  return `token/${connection}`;
}

/**
 * Whose the account of `key` is already: what belongs to one org must not reach another one's account. Sandbox and
 * production are one account where their ids are one.
 */
export function otherOwner<Known extends ConnectionName & Pick<Connection, "state" | "account">>(
  connections: readonly Known[],
  { org, vendor }: Pick<ConnectionName, "org" | "vendor">,
  accountId: string,
): Known | null {
  const isOthers = (each: Known) =>
    each.vendor === vendor &&
    each.org !== org &&
    each.account?.id === accountId &&
    each.state !== "not_connected";
  return connections.find(isOthers) ?? null;
}

export interface Outage {
  /** Calls that failed in a row. */
  failures: number;
  /** Since when, ms since the epoch. */
  since: number;
  /** Nothing is sent before, ms since the epoch. */
  restUntil: number;
  /** When this was noted last, ms since the epoch: what a clock that was ahead noted lies in the future. */
  notedAt?: number;
  /** The vendor itself said so; absent where it is only our own patience. */
  notBefore?: number;
  /** The only push that met it so far, which may itself be what makes the vendor fail; null when several did. */
  suspect: number | null;
  /** What the vendor said last, or what we met instead of an answer; names nobody. Absent where an older program noted it. */
  reason?: string;
}
