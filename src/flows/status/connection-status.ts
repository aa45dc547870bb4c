/** One account's line in `status`. */
import { versionTrouble } from "../../core/advice/api-version.ts";
import { andThen } from "../../core/advice/unbroken.ts";
import { stuckInAll } from "../../core/advice/stuck.ts";
import type { Connection, ConnectionState, Environment } from "../../core/connection.ts";
import { isoTime } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { plain, shortTime } from "../../shared/text.ts";
import type { ConnectionCounts, Overview } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import { apiVersionOf, versionsOf } from "../watch/api-version.ts";
import { isUnreadable, type Moment, troublesOf } from "../watch/banner.ts";
import { residencyStatus } from "../watch/regions.ts";

interface Look extends Moment {
  org: string;
  environment: Environment;
  config: Config;
  declared: readonly VendorDeclaration[];
  /** Undefined where it was never connected. */
  found: ConnectionCounts | undefined;
  /** Undefined where no link for consent is open. */
  link: Overview["consents"][number] | undefined;
}

export function connectionStatus(
  vendor: string,
  { org, environment, config, declared, found, link, ...moment }: Look,
) {
  const { label, isAts } = wordsOf(vendor, declared);
  const connection = found?.connection;
  const linkExpiresAt = link?.expiresAt ?? null;
  const state = stateWith(connection?.state, linkExpiresAt);
  const version = {
    declared: declared.find((each) => each.vendor === vendor),
    org,
    environment,
    now: moment.now,
    state,
  };
  const troubles =
    state === "waiting_for_consent" && linkExpiresAt !== null
      ? [`waiting for consent, link valid until ${shortTime(linkExpiresAt)}${linkRefusalWords(link)}`]
      : troublesOf(label, found, moment);
  return {
    vendor,
    label,
    environment,
    state,
    tokens: tokensOf(connection, moment),
    /** By whom it is, while we are refused: what no waiting mends. */
    refusedFor: connection?.state === "connected" ? refusedFor(connection) : null,
    account: connection?.account ? `${connection.account.name} (${connection.account.id})` : null,
    /** Where its data rest beside where they shall; null while it has no account. */
    residency:
      connection?.account && state !== "not_connected"
        ? residencyStatus(config, version.declared, connection)
        : null,
    scopes: connection?.scopes ?? [],
    missingScopes: connection?.missingScopes ?? [],
    /** What of every result the account cannot take, and why. */
    leftOut: (connection?.leftOut ?? []).map(({ name, reason }) => ({ name, reason })),
    ...versionIn(config, version),
    tokenExpiresAt: timeOrNull(connection?.tokenExpiresAt),
    login: connection?.login
      ? { since: isoTime(connection.login.since), endsAt: isoTime(connection.login.endsAt) }
      : null,
    lastSyncAt: timeOrNull(connection?.lastSyncAt),
    subscription: isAts ? subscriptionOf(connection) : null,
    /** What it was never told of, as `connect` or the last `backfill` counted it. */
    unsent: connection?.state === "connected" ? (connection.unsent ?? 0) : 0,
    /** Of a link for consent that is open; null when none is. */
    linkExpiresAt: timeOrNull(linkExpiresAt),
    /** How the last answer to it ended, where it brought no connection. */
    linkRefusal: link?.refusal ? { at: timeOrNull(link.refusedAt), reason: link.refusal } : null,
    /** All that stands in the way, in one text; `troubles` has it one by one. */
    banner: troubles.length === 0 ? null : troubles.reduce(andThen),
    troubles,
    pushes: found
      ? { ...found.pushes, stuck: stuckInAll(found.stuck) }
      : { pending: 0, delivered: 0, rejected: 0, held: 0, stuck: 0 },
  };
}

/** The API version that the vendor is asked in, and what to do before its end, where it is in use. */
function versionIn(
  config: Config,
  {
    declared,
    now,
    state,
    ...of
  }: Pick<Look, "org" | "environment" | "now"> & {
    declared: VendorDeclaration | undefined;
    state: ConnectionState;
  },
) {
  const apiVersion = apiVersionOf(declared, config, of);
  if (!declared || !apiVersion) return { apiVersion: null, versionWarning: null };
  const { vendor, label } = declared;
  const known = versionsOf(declared);
  const isUsed = state !== "not_connected";
  return {
    apiVersion,
    versionWarning: isUsed ? versionTrouble(apiVersion, { vendor, label, known, now }) : null,
  };
}

/** The link is good again: whoever has it may try once more. */
function linkRefusalWords(link: { refusedAt: number | null; refusal: string | null } | undefined): string {
  if (!link?.refusal || link.refusedAt === null) return "";
  return `. The last answer, at ${shortTime(link.refusedAt)}, was refused: ${plain(link.refusal)}`;
}

/** One that is not known any more is named as the store has it. */
export function wordsOf(
  vendor: string,
  declared: readonly VendorDeclaration[],
): { label: string; isAts: boolean } {
  const known = declared.find((each) => each.vendor === vendor);
  return { label: known?.label ?? vendor, isAts: known?.destination?.isAts ?? false };
}

/** How the webhooks of an applicant tracking system reach us; null where nobody can look. */
function subscriptionOf(connection: Connection | undefined) {
  if (connection?.state !== "connected") return null;
  const { subscription } = connection;
  if (!subscription) return { state: "none", checkedAt: null } as const;
  return { state: subscription.state, checkedAt: isoTime(subscription.checkedAt) };
}

/** An open link changes nothing about a connection that works, or that must be mended. */
function stateWith(state: ConnectionState = "not_connected", linkExpiresAt: number | null): ConnectionState {
  return state === "not_connected" && linkExpiresAt !== null ? "waiting_for_consent" : state;
}

function refusedFor({ refusal }: Connection): "our configuration" | "the vendor" | null {
  if (!refusal) return null;
  return refusal.isOurs ? "our configuration" : "the vendor";
}

/** Null where there are none that serve. */
function tokensOf(
  connection: Connection | undefined,
  { unread }: Pick<Moment, "unread">,
): "readable" | "unreadable" | null {
  if (connection?.state !== "connected") return null;
  return unread || isUnreadable(connection) ? "unreadable" : "readable";
}

export function timeOrNull(at: number | null | undefined): string | null {
  return typeof at === "number" ? isoTime(at) : null;
}
