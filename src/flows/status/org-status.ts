/** What `status` says of one org: its accounts, and what waits, was refused or removed. */
import type { InviteRequest } from "../../core/invite-request.ts";
import { isoTime } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import type { Overview } from "../../store/contract/store.ts";
import { nobodyAlerted } from "../watch/alert-chat.ts";
import { timeOrNull, wordsOf } from "./connection-status.ts";
import type { FoundInLog } from "./found-in-log.ts";
import { refusedStatus } from "./refused-status.ts";
import { type ShowContext, shownConnections, type ShownPlace } from "./shown-connections.ts";

export interface OrgContext extends ShowContext {
  secretNames(): Promise<readonly string[] | null>;
}

export async function orgStatus(context: OrgContext, place: ShownPlace, found: FoundInLog) {
  const { config, vendors: declared, secretNames } = context;
  const { org, environment } = place;
  const { overview } = found;
  const { orgs } = overview;
  const connections = await shownConnections(context, place, found);
  const sum = (key: keyof (typeof connections)[number]["pushes"]) =>
    connections.reduce((total, { pushes }) => total + pushes[key], 0);
  return {
    org,
    isKnown: orgs.includes(org) || Object.hasOwn(config.orgs, org),
    /** Those that have something here. */
    orgs,
    connections,
    pushes: {
      pending: sum("pending"),
      delivered: sum("delivered"),
      rejected: sum("rejected"),
      held: sum("held"),
      stuck: sum("stuck"),
    },
    events: overview.events,
    /** What vendors are still to be asked about events that only name what happened. */
    questions: overview.questions
      .filter((each) => each.environment === environment)
      .map(({ vendor, n, since, reason }) => ({
        vendor,
        label: wordsOf(vendor, declared).label,
        n,
        since: isoTime(since),
        reason,
      })),
    /** What was refused of each source since it was last taken from, within a day. */
    refused: refusedStatus(found, { declared, org }),
    invites: overview.invites,
    /** Of other orgs, what waits for a connection: names and numbers alone. */
    unconnected: found.elsewhere,
    /** Invites that stages ask for and that are not sent yet. */
    wanted: wantedOf(found.wanted, config),
    /** Why nobody hears of trouble; null where somebody does, or there is nothing yet to tell of. */
    nobodyAlerted: connections.some(({ state }) => state !== "not_connected")
      ? await nobodyAlerted({ config, org }, secretNames)
      : null,
    /** People, and the later events of theirs that were refused within 30 days. */
    erased: overview.erased,
    retention: retentionOf(overview.removed, config.orgs[org]?.retention_days ?? config["retention.days"]),
  };
}

/** By what they wait for: JobCannon's answer, or a person. */
function wantedOf(wanted: readonly InviteRequest[], config: Config) {
  const isAsked = config["jobcannon.invites_url"] !== "";
  const waiting = wanted.filter(({ state }) => state === "open" && isAsked);
  const failed = waiting.find(({ reason }) => reason !== null);
  return {
    n: wanted.length,
    forPerson: wanted.length - waiting.length,
    since: timeOrNull(wanted[0]?.askedAt),
    reason: failed?.reason ?? null,
  };
}

/** How long the org keeps what it has, and what was removed for its age within 30 days. */
function retentionOf(removed: Overview["removed"], days: number) {
  const { invites = 0, rejected = 0, lastAt = null } = removed ?? {};
  return { days, invites, rejected, lastAt: timeOrNull(lastAt) };
}
