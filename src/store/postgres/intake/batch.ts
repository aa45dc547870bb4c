import type { Environment } from "../../../core/connection.ts";
import { asToldBy, emailKey, type NewEvent, type Snapshot } from "../../../core/event.ts";
import { fold, isNewerThan } from "../../../core/fold.ts";
import type { Invite } from "../../../core/invite.ts";
import { concerns, contactHeads, raisesPush, subjectOf } from "../../../core/subject.ts";
import type { TrialCandidate } from "../../contract/store.ts";
import { inviteOf, NO_CONTACT } from "../../rows/rows.ts";
import { invitesOf } from "../rows/invites-of.ts";
import { nextVersions } from "../rows/raise.ts";
import type { Sql, Tx } from "../../../postgres/sql.ts";
import { type Destination, type InviteRow, inviteKey, type Standing } from "./standing.ts";
import { type InviteInHand, type Writing, writingStatement } from "./write.ts";

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
  take(row: InviteRow): InviteInHand;
  /** Returns the number that the event will have. */
  store(event: NewEvent, told: { conflict: boolean; inviteId: number | null }): number;
  destinations(org: string, environment: Environment): Destination[];
  hasInvite(org: string, invitationId: string): boolean;
  /** Writes what was changed since the last time, that statements may find it. */
  flush(): Promise<void>;
  /** The same as the transaction's last statement. */
  finish(counts: Writing["counts"]): Promise<void>;
  /** What was changed since the last time, for whoever writes it. */
  rest(counts: Writing["counts"]): Writing;
}

export function openBatch(tx: Tx, standing: Standing): Batch {
  const invites = new Map<string, InviteInHand>();
  const pending: Pending = { events: [], raises: [], ended: [] };
  const nextVersion = numbersFrom(standing.versions, () => nextVersions(tx, 1));
  const nextId = numbersFrom(standing.ids, () => nextInviteIds(tx));

  const take = ({ id, contact, state }: InviteRow): InviteInHand => {
    const invite = inviteOf(state);
    const key = inviteKey(invite);
    const known = invites.get(key);
    if (known) return known;
    const taken: InviteInHand = { id, isNew: false, invite, contact, change: "none", version: 0 };
    invites.set(key, taken);
    return taken;
  };
  for (const row of standing.invites) take(row);

  const destinations = (org: string, environment: Environment) =>
    standing.destinations.filter((each) => each.org === org && each.environment === environment);
  const raise = async (destination: Destination, invite: Invite, at: { now: number; version: number }) => {
    const { id, vendor, subject_kind: kind, hold_cause: holdCause } = destination;
    const subject = subjectOf(kind, invite);
    if (subject === null || !concerns(kind, invite, vendor)) return;
    const must =
      raisesPush(kind, invite, { pushedBefore: false }) ||
      (raisesPush(kind, invite, { pushedBefore: true }) && (await wasPushed(tx, id, subject)));
    if (must) pending.raises.push({ connectionId: id, subject, holdCause, ...at });
  };
  const save = async (inHand: InviteInHand, invite: Invite, now: number) => {
    const { org, origin } = invite;
    const version = await nextVersion();
    const isTrial = origin !== null && (await isOfTrial(tx, standing, { org, ...origin }));
    const assessment = subjectOf("assessment", invite);
    if (inHand.isNew && inHand.change === "none" && assessment !== null)
      pending.ended.push({ assessment, now });
    inHand.invite = invite;
    inHand.contact = isTrial ? NO_CONTACT : emailKey(invite.candidate.email);
    inHand.change = "saved";
    inHand.version = version;
    const told = isTrial
      ? destinations(org, "sandbox").filter(({ vendor }) => vendor === origin.vendor)
      : destinations(org, "production");
    for (const destination of told) await raise(destination, invite, { now, version });
  };
  const changesHeads = async (holder: Destination, before: Invite, after: Invite): Promise<boolean> => {
    const contact = emailKey(after.candidate.email);
    const stored = (await invitesOf(tx, holder, contact)).invites;
    const inHand = [...invites.values()].filter((each) => each.contact === contact);
    return headsChange([...stored, ...inHand.map(({ invite }) => invite)], before, after);
  };
  const rest = (counts: Writing["counts"]): Writing => {
    const changed = [...invites.values()].filter(({ change }) => change !== "none");
    return { ...pending, invites: changed, counts };
  };
  const write = (counts: Writing["counts"]) => {
    const changed = rest(counts);
    const statement = writingStatement(changed);
    for (const each of changed.invites) Object.assign(each, { isNew: false, change: "none" });
    Object.assign(pending, { events: [], raises: [], ended: [] });
    return statement;
  };

  return {
    fold: async ({ source, bodyHash, receivedAt: now }, snapshot) => {
      const key = inviteKey(snapshot);
      const known = invites.get(key);
      const gone = known ? null : standing.tombstone(snapshot.org, snapshot.invitationId);
      if (gone && !isNewerThan(gone.age, snapshot, bodyHash)) return null;
      const before = known?.invite ?? null;
      const { invite, newest, earliestMoved } = fold(before, asToldBy(source, snapshot), bodyHash);
      if (gone) invite.earliestAt = Math.min(invite.earliestAt, gone.earliestAt);
      if (!known || !before || newest) {
        const inHand = known ?? newInvite(await nextId(), invite);
        invites.set(key, inHand);
        await save(inHand, invite, now);
        return inHand;
      }
      if (known.change === "none") known.change = "kept";
      known.invite = invite;
      if (!earliestMoved) return known;
      for (const destination of destinations(snapshot.org, "production"))
        if (destination.subject_kind === "contact" && (await changesHeads(destination, before, invite)))
          await raise(destination, invite, { now, version: await nextVersion() });
      return known;
    },
    save,
    take,
    store: (event, told) => {
      const seq = standing.seqs.shift();
      if (seq === undefined) throw new Error("more events are stored than were announced");
      pending.events.push({ seq, event, ...told });
      return seq;
    },
    destinations,
    hasInvite: (org, invitationId) => invites.has(inviteKey({ org, invitationId })),
    flush: async () => {
      const statement = write({});
      if (statement) await tx.run(statement.text, statement.values);
    },
    finish: async (counts) => {
      const statement = write(counts);
      if (statement) await tx.last(statement.text, statement.values);
    },
    rest,
  };
}

type Pending = { [Name in "events" | "raises" | "ended"]: Writing[Name][number][] };

function newInvite(id: number, invite: Invite): InviteInHand {
  return { id, isNew: true, invite, contact: "", change: "none", version: 0 };
}

/** Those at hand, then new ones. */
function numbersFrom(atHand: number[], more: () => Promise<number[]>): () => Promise<number> {
  return async () => {
    if (atHand.length === 0) atHand.push(...(await more()));
    const number = atHand.shift();
    if (number === undefined) throw new Error("the database gives no numbers");
    return number;
  };
}

async function nextInviteIds(tx: Sql): Promise<number[]> {
  return (await tx.all<{ id: number }>("SELECT nextval('jc.invites_id_seq') AS id")).map(({ id }) => id);
}

/** An older snapshot can make another invite the one that speaks for the contact. `all`: the later of one invite counts. */
function headsChange(all: readonly Invite[], before: Invite, after: Invite): boolean {
  const others = new Map(all.map((each) => [inviteKey(each), each]));
  // One that is not among them belongs to a trial, and speaks for nobody.
  if (!others.delete(inviteKey(after))) return false;
  const was = contactHeads([...others.values(), before]);
  const is = contactHeads([...others.values(), after]);
  const differs = (head: keyof typeof was) => was[head]?.invitationId !== is[head]?.invitationId;
  return differs("latest") || differs("latestCompleted");
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

async function isOfTrial(tx: Sql, standing: Standing, candidate: TrialCandidate): Promise<boolean> {
  const known = standing.isOfTrial(candidate);
  if (known !== null) return known;
  const { org, vendor, candidateId } = candidate;
  const row = await tx.get("SELECT 1 FROM jc.trials WHERE org = $1 AND vendor = $2 AND candidate_id = $3", [
    org,
    vendor,
    candidateId,
  ]);
  return row !== undefined;
}
