import type { Environment } from "../../../core/connection.ts";
import { asToldBy, emailKey, type NewEvent, type Snapshot } from "../../../core/event.ts";
import { fold, isNewerThan } from "../../../core/fold.ts";
import type { Invite } from "../../../core/invite.ts";
import type { HeldCause, SubjectKind } from "../../../core/push.ts";
import { concerns, contactHeads, raisesPush, subjectOf } from "../../../core/subject.ts";
import { inviteOf, NO_CONTACT } from "../../rows/rows.ts";
import { type Tombstone, type TombstoneRow, tombstoneKey, tombstoneOf } from "../../rows/tombstones.ts";
import { invitesOf } from "../rows/invites-of.ts";
import { nextVersions, type Raise, raisePushes } from "../rows/raise.ts";
import type { Sql } from "../server/sql.ts";
import { type InviteInHand, writeEvents, writeInvites } from "./write.ts";

/** A connection as those see it who raise pushes for it: one that was ever connected. */
export interface Destination {
  id: number;
  org: string;
  vendor: string;
  environment: Environment;
  subject_kind: SubjectKind;
  hold_cause: HeldCause | null;
}

/** Invites, events and pushes of one transaction: read together, changed in memory, written together. */
export interface Batch {
  /** Folds a snapshot. Null where its invite was removed for its age, and it is no newer than that one's last. */
  fold(
    told: Pick<NewEvent, "source" | "bodyHash" | "receivedAt">,
    snapshot: Snapshot,
  ): Promise<InviteInHand | null>;
  /** A new state of an invite, and what follows from it. */
  save(inHand: InviteInHand, invite: Invite, now: number): Promise<void>;
  /** An invite that a statement found. */
  take(row: { id: number; contact: string; state: string }): InviteInHand;
  store(event: NewEvent, told: { conflict: boolean; invite: InviteInHand | null }): void;
  destinations(org: string, environment: Environment): Destination[];
  tombstone(org: string, invitationId: string): Tombstone | null;
  hasInvite(org: string, invitationId: string): boolean;
  /** Writes all of it. Returns the stored events' numbers, in their order. */
  flush(): Promise<number[]>;
}

type Key = Pick<Snapshot, "org" | "invitationId">;
const keyOf = ({ org, invitationId }: Key): string => `${org}\0${invitationId}`;

/** `keys`: the invites that it is about. */
export async function openBatch(tx: Sql, keys: readonly Key[]): Promise<Batch> {
  const wanted = [...new Map(keys.map((key) => [keyOf(key), key])).values()];
  const invites = await invitesOfKeys(tx, wanted);
  const missing = wanted.filter((key) => !invites.has(keyOf(key)));
  const tombstones = await tombstonesOf(tx, missing);
  const destinations = await destinationsOf(tx, [...new Set(wanted.map(({ org }) => org))]);
  const events: { event: NewEvent; conflict: boolean; invite: InviteInHand | null }[] = [];
  const raises: (Omit<Raise, "version"> & { turn: number })[] = [];
  const endedRequests: { assessment: string; now: number }[] = [];
  let turns = 0;

  const destinationsFor = (org: string, environment: Environment) =>
    destinations.filter((each) => each.org === org && each.environment === environment);
  const tombstone = (org: string, invitationId: string) =>
    tombstones.get(tombstoneKey(org, invitationId).toString("hex")) ?? null;
  const raise = async (destination: Destination, invite: Invite, at: { now: number; turn: number }) => {
    const { id, vendor, subject_kind: kind, hold_cause: holdCause } = destination;
    const subject = subjectOf(kind, invite);
    if (subject === null || !concerns(kind, invite, vendor)) return;
    const must =
      raisesPush(kind, invite, { pushedBefore: false }) ||
      (raisesPush(kind, invite, { pushedBefore: true }) && (await wasPushed(tx, id, subject)));
    if (must) raises.push({ connectionId: id, subject, holdCause, runId: null, ...at });
  };
  const save = async (inHand: InviteInHand, invite: Invite, now: number) => {
    const { org, origin } = invite;
    turns += 1;
    const isTrial = origin !== null && (await isOfTrial(tx, org, origin));
    const assessment = subjectOf("assessment", invite);
    if (inHand.change === "none" && inHand.id === null && assessment !== null)
      endedRequests.push({ assessment, now });
    inHand.invite = invite;
    inHand.contact = isTrial ? NO_CONTACT : emailKey(invite.candidate.email);
    inHand.change = "saved";
    inHand.turn = turns;
    const told = isTrial
      ? destinationsFor(org, "sandbox").filter(({ vendor }) => vendor === origin.vendor)
      : destinationsFor(org, "production");
    for (const destination of told) await raise(destination, invite, { now, turn: turns });
  };
  /** An older snapshot can make another invite the one that speaks for the contact. */
  const changesHeads = async (holder: Destination, before: Invite, after: Invite): Promise<boolean> => {
    const contact = emailKey(after.candidate.email);
    const stored = (await invitesOf(tx, holder, contact)).invites;
    const inHand = [...invites.values()].filter((each) => each.contact === contact);
    const all = new Map(stored.map((each) => [keyOf(each), each]));
    for (const { invite } of inHand) all.set(keyOf(invite), invite);
    // One that is not among them belongs to a trial, and speaks for nobody.
    if (!all.delete(keyOf(after))) return false;
    const others = [...all.values()];
    const [was, is] = [contactHeads([...others, before]), contactHeads([...others, after])];
    const differs = (head: keyof typeof was) => was[head]?.invitationId !== is[head]?.invitationId;
    return differs("latest") || differs("latestCompleted");
  };

  return {
    fold: async ({ source, bodyHash, receivedAt: now }, snapshot) => {
      const key = keyOf(snapshot);
      const known = invites.get(key);
      const gone = known ? null : tombstone(snapshot.org, snapshot.invitationId);
      if (gone && !isNewerThan(gone.age, snapshot, bodyHash)) return null;
      const { invite, newest, earliestMoved } = fold(
        known?.invite ?? null,
        asToldBy(source, snapshot),
        bodyHash,
      );
      if (gone) invite.earliestAt = Math.min(invite.earliestAt, gone.earliestAt);
      const inHand: InviteInHand = known ?? { id: null, invite, contact: "", change: "none", turn: 0 };
      invites.set(key, inHand);
      if (!known || newest) {
        await save(inHand, invite, now);
        return inHand;
      }
      const before = known.invite;
      if (inHand.change === "none") inHand.change = "kept";
      inHand.invite = invite;
      if (!earliestMoved) return inHand;
      for (const destination of destinationsFor(snapshot.org, "production")) {
        if (destination.subject_kind !== "contact") continue;
        if (!(await changesHeads(destination, before, invite))) continue;
        turns += 1;
        await raise(destination, invite, { now, turn: turns });
      }
      return inHand;
    },
    save,
    take: ({ id, contact, state }) => {
      const invite = inviteOf(state);
      const known = invites.get(keyOf(invite));
      if (known) return known;
      const taken: InviteInHand = { id, invite, contact, change: "none", turn: 0 };
      invites.set(keyOf(invite), taken);
      return taken;
    },
    store: (event, told) => void events.push({ event, ...told }),
    destinations: destinationsFor,
    tombstone,
    hasInvite: (org, invitationId) => invites.has(keyOf({ org, invitationId })),
    flush: async () => {
      const versions = await nextVersions(tx, turns);
      const versionOf = (turn: number) => versions[turn - 1] ?? 0;
      await writeInvites(tx, [...invites.values()], versionOf);
      const seqs = await writeEvents(tx, events);
      await raisePushes(
        tx,
        raises.map(({ turn, ...rest }) => ({ ...rest, version: versionOf(turn) })),
      );
      await endRequests(tx, endedRequests);
      return seqs;
    },
  };
}

async function invitesOfKeys(tx: Sql, keys: readonly Key[]): Promise<Map<string, InviteInHand>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.all<{ id: number; contact: string; state: string }>(
    `SELECT i.id, i.contact, i.state FROM unnest($1::text[], $2::text[]) AS k (org, invitation_id)
      JOIN jc.invites i ON i.org = k.org AND i.invitation_id = k.invitation_id`,
    [keys.map(({ org }) => org), keys.map(({ invitationId }) => invitationId)],
  );
  return new Map(
    rows.map(({ id, contact, state }) => {
      const invite = inviteOf(state);
      return [keyOf(invite), { id, invite, contact, change: "none", turn: 0 }];
    }),
  );
}

async function tombstonesOf(tx: Sql, keys: readonly Key[]): Promise<Map<string, Tombstone>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.all<TombstoneRow>("SELECT * FROM jc.tombstones WHERE invite = ANY ($1::bytea[])", [
    keys.map(({ org, invitationId }) => tombstoneKey(org, invitationId)),
  ]);
  return new Map(rows.map((row) => [row.invite.toString("hex"), tombstoneOf(row)]));
}

async function destinationsOf(tx: Sql, orgs: readonly string[]): Promise<Destination[]> {
  if (orgs.length === 0) return [];
  return await tx.all<Destination>(
    `SELECT id, org, vendor, environment, subject_kind, hold_cause FROM jc.connections
      WHERE org = ANY ($1::text[]) AND account_id IS NOT NULL ORDER BY id`,
    [orgs],
  );
}

/**
 * What is in flight may be delivered without this news, and would then have to be told. Of another address of the same
 * contact it was told as well.
 */
async function wasPushed(tx: Sql, connectionId: number, subject: string): Promise<boolean> {
  const row = await tx.get(
    `SELECT 1 FROM jc.pushes p WHERE connection_id = $1 AND subject = $2 AND (delivered_version > 0 OR lease IS NOT NULL
      OR EXISTS (SELECT 1 FROM jc.pushes q WHERE q.connection_id = p.connection_id AND q.record = p.record
        AND (q.delivered_version > 0 OR q.lease IS NOT NULL)))`,
    [connectionId, subject],
  );
  return row !== undefined;
}

async function isOfTrial(
  tx: Sql,
  org: string,
  { vendor, candidateId }: { vendor: string; candidateId: string },
): Promise<boolean> {
  const row = await tx.get("SELECT 1 FROM jc.trials WHERE org = $1 AND vendor = $2 AND candidate_id = $3", [
    org,
    vendor,
    candidateId,
  ]);
  return row !== undefined;
}

/** JobCannon has invited: it was asked, or a person saw to it. */
async function endRequests(tx: Sql, ended: readonly { assessment: string; now: number }[]): Promise<void> {
  if (ended.length === 0) return;
  await tx.run(
    `UPDATE jc.invite_requests r SET state = 'sent', reason = NULL, ended_at = n.now
      FROM unnest($1::text[], $2::bigint[]) AS n (assessment, now) WHERE r.assessment_id = n.assessment AND r.ended_at IS NULL`,
    [ended.map(({ assessment }) => assessment), ended.map(({ now }) => now)],
  );
}
