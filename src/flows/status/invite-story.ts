/** One invite's whole road, for the terminal and the admin page: where its results are, what went and what did not. */
import { type Answer, answerOf, type Asked } from "../../core/advice/result-answer.ts";
import { connectCommand, resyncCommand } from "../../core/advice/command-lines.ts";
import type { Connection, ConnectionName, Environment } from "../../core/connection.ts";
import { DEFAULT_VENDOR } from "../../core/default-vendor.ts";
import { isDegraded } from "../../core/delivery/outage-record.ts";
import { dailyDue } from "../../core/due-times.ts";
import type { Invite } from "../../core/invite.ts";
import { withUnmapped } from "../../core/unmapped.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import type { InviteHistory, Store } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import { wordsOf } from "./connection-status.ts";

export interface StoryContext {
  clock: Pick<Clock, "now">;
  config: Pick<Config, "schedule.sweep_at">;
  vendors: readonly VendorDeclaration[];
  destination(of: ConnectionName): Promise<Destination>;
}

export interface InviteStory {
  /** One for each account that is concerned, in the order of the accounts; never none. */
  answers: (Answer & { vendor: string; environment: Environment })[];
  /** What the candidate's results hold and an account did not get, and why. */
  leftOut: { vendor: string; environment: Environment; field: string; reason: string }[];
  /** Parts of the tests that no account has a field for, each in words. */
  unknown: string[];
  /** What else is odd about the invite and was accepted, each in words. */
  oddities: string[];
  /** Other invitations whose results are told of together with these, the newest first. */
  joinedInvites: string[];
}

/** Of one candidate more is nothing that a person reads. */
const MOST_JOINED = 100;

export async function inviteStory(
  context: StoryContext,
  store: Store,
  history: InviteHistory,
): Promise<InviteStory> {
  const { invite } = history;
  const [connections, services, others] = await Promise.all([
    store.connections(invite.org),
    store.runningServices(),
    joinedWith(store, history),
  ]);
  const now = context.clock.now();
  const moment = {
    now,
    isServed: services.length > 0,
    nextSweepAt: dailyDue(context.config["schedule.sweep_at"]).next(now),
  };
  const concerned = connections.filter(
    (connection) => connection.environment === "production" || pushOf(history, connection) !== undefined,
  );
  const answers = concerned.flatMap((connection) => {
    const { label } = wordsOf(connection.vendor, context.vendors);
    const asked = { ...moment, ...askedOf(history, connection), invite, label };
    const answer = answerOf({ ...asked, isDegraded: isDegraded(connection.outage) });
    return answer ? [{ ...placeOf(connection), ...answer }] : [];
  });
  const leftOut = await Promise.all(
    concerned.map((connection) => leftOutOf(context, { connection, history, others })),
  );
  const unknown = withUnmapped({ ...invite, warnings: [] }).warnings;
  return {
    answers: answers.length > 0 ? answers : [nowhere(context, invite)],
    leftOut: leftOut.flat(),
    unknown,
    oddities: invite.warnings.filter((words) => !unknown.includes(words)),
    joinedInvites: others.map(({ invitationId }) => invitationId),
  };
}

function nowhere({ vendors }: StoryContext, { org }: Invite): InviteStory["answers"][number] {
  const of = { org, vendor: DEFAULT_VENDOR, environment: "production" } as const;
  const { label } = wordsOf(DEFAULT_VENDOR, vendors);
  const words = `Not sent, because ${org} was never connected to ${label}`;
  return { ...placeOf(of), tone: "bad", words, command: connectCommand(of) };
}

function placeOf({ vendor, environment }: Pick<Connection, "vendor" | "environment">) {
  return { vendor, environment };
}

function pushOf({ pushes }: InviteHistory, { vendor, environment }: Connection) {
  return pushes.find((push) => push.vendor === vendor && push.environment === environment);
}

function askedOf(
  history: InviteHistory,
  connection: Connection,
): Pick<Asked, "connection" | "push" | "attempts"> {
  const push = pushOf(history, connection);
  const { vendor, environment } = connection;
  return {
    connection,
    push: push ? { ...push, stateVersion: history.stateVersion, isTold: push.projection !== null } : null,
    attempts: history.attempts.filter((each) => each.vendor === vendor && each.environment === environment),
  };
}

/** Other invites of the same address, or of one that the vendor knows to be the same contact. */
async function joinedWith(store: Store, { invite, pushes }: InviteHistory): Promise<Invite[]> {
  const { org, invitationId, candidate } = invite;
  const emails = new Set([candidate.email, ...pushes.flatMap(({ shared }) => shared?.subjects ?? [])]);
  const found = await Promise.all(
    [...emails].map((email) => store.invites({ org, email, limit: MOST_JOINED })),
  );
  return found
    .flat()
    .map((each) => each.invite)
    .filter((each) => each.invitationId !== invitationId)
    .toSorted((a, b) => b.at - a.at);
}

/** A value that is no valid one, and one that the account has no field for, or none that takes it. */
async function leftOutOf(
  { destination }: StoryContext,
  { connection, history, others }: { connection: Connection; history: InviteHistory; others: Invite[] },
): Promise<InviteStory["leftOut"]> {
  const warnings = pushOf(history, connection)?.warnings ?? [];
  const place = placeOf(connection);
  const invalid = warnings.map(({ field, reason }) => ({ ...place, field, reason }));
  const { knownFields, leftOut = [] } = connection;
  if (connection.subject !== "contact" || knownFields === null) return invalid;
  const { project } = await destination(connection);
  const wanted = Object.keys(project([history.invite, ...others], null).projection);
  const missing = wanted
    .filter((field) => !knownFields.includes(field))
    .map((field) => {
      const unfit = leftOut.find(({ name }) => name === field);
      const quota = `the portal has no room for another property (quota); free one there, then run: ${resyncCommand(connection)}`;
      return { ...place, field, reason: unfit?.reason ?? quota };
    });
  return [...invalid, ...missing];
}
