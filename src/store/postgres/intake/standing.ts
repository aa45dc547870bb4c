import type { Environment } from "../../../core/connection.ts";
import type { NewEvent, Snapshot } from "../../../core/event.ts";
import type { HeldCause, SubjectKind } from "../../../core/push.ts";
import type { TrialCandidate } from "../../contract/store.ts";
import { type Tombstone, tombstoneKey, tombstoneOf } from "../../rows/tombstones.ts";
import { arrayOf } from "../../../postgres/arrays.ts";
import type { Sql } from "../../../postgres/sql.ts";

/** A connection as those see it who raise pushes for it: one that was ever connected. */
export interface Destination {
  id: number;
  org: string;
  vendor: string;
  environment: Environment;
  subject_kind: SubjectKind;
  hold_cause: HeldCause | null;
  /** All of it as the database writes it. */
  mark: string;
}

export type InviteKey = Pick<Snapshot, "org" | "invitationId">;

/** What an intake is about. */
export interface About {
  events: readonly Pick<NewEvent, "source" | "eventId">[];
  orgs: readonly string[];
  invites: readonly InviteKey[];
  candidates: readonly TrialCandidate[];
}

/** What is known of all that, read at once, and the numbers that its new rows will have. */
export interface Standing {
  hasErasures: boolean;
  /** Does any vendor's word wait for an invite of these orgs? */
  hasUnmatched: boolean;
  /** Source, event id, and hash of a body that is here. */
  bodies: readonly (readonly [string, string, string])[];
  invites: readonly InviteRow[];
  destinations: readonly Destination[];
  tombstone(org: string, invitationId: string): Tombstone | null;
  /** Null where it was not asked about. */
  isOfTrial(candidate: TrialCandidate): boolean | null;
  seqs: number[];
  ids: number[];
  versions: number[];
}

export interface InviteRow {
  id: number;
  contact: string;
  state: string;
}

export function inviteKey({ org, invitationId }: InviteKey): string {
  return `${org}\0${invitationId}`;
}

/** `org`: whose an event is, blank where nobody knows. */
export function orgOf({ snapshot, confirmation, asks, org }: NewEvent): string {
  return snapshot?.org ?? confirmation?.org ?? asks?.org ?? org ?? "";
}

export function aboutEvents(events: readonly NewEvent[]): About {
  const snapshots = events.flatMap(({ snapshot }) => snapshot ?? []);
  const named = events.flatMap(({ confirmation }) => {
    const { org, invitationId } = confirmation ?? {};
    return org !== undefined && invitationId ? [{ org, invitationId }] : [];
  });
  return {
    events,
    orgs: events.map(orgOf),
    invites: [...snapshots, ...named],
    candidates: snapshots.flatMap(({ org, origin }) => (origin ? [{ org, ...origin }] : [])),
  };
}

export async function readStanding(tx: Sql, about: About): Promise<Standing> {
  const invites = eachOnce(about.invites, inviteKey);
  const candidates = eachOnce(about.candidates, candidateKey);
  const texts = (...all: string[][]) => all.map((each) => arrayOf("text", each));
  const row = await tx.get<{ found: Found }>(
    `SELECT jc.read_intake($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::text[], $8::text[],
      $9::text[]) AS found`,
    [
      ...texts(
        about.events.map(({ source }) => source),
        about.events.map(({ eventId }) => eventId),
        [...new Set(about.orgs)],
        invites.map(({ org }) => org),
        invites.map(({ invitationId }) => invitationId),
      ),
      arrayOf(
        "bytea",
        invites.map(({ org, invitationId }) => tombstoneKey(org, invitationId)),
      ),
      ...texts(
        candidates.map(({ org }) => org),
        candidates.map(({ vendor }) => vendor),
        candidates.map(({ candidateId }) => candidateId),
      ),
    ],
  );
  if (!row) throw new Error("the database answers nothing");
  return standingOf(row.found, candidates);
}

function standingOf(found: Found, candidates: readonly TrialCandidate[]): Standing {
  const tombstones = new Map(
    (found.tombstones ?? []).map(({ invite, body, ...age }) => [
      invite,
      tombstoneOf({ ...age, body: Buffer.from(body, "hex") }),
    ]),
  );
  const asked = new Set(candidates.map(candidateKey));
  const trials = new Set(
    (found.trials ?? []).map(([org, vendor, candidateId]) => candidateKey({ org, vendor, candidateId })),
  );
  return {
    hasErasures: found.hasErasures,
    hasUnmatched: found.hasUnmatched,
    bodies: found.bodies ?? [],
    invites: found.invites ?? [],
    destinations: found.destinations ?? [],
    tombstone: (org, invitationId) =>
      tombstones.size === 0
        ? null
        : (tombstones.get(tombstoneKey(org, invitationId).toString("hex")) ?? null),
    isOfTrial: (candidate) => {
      const key = candidateKey(candidate);
      return asked.has(key) ? trials.has(key) : null;
    },
    seqs: found.seqs ?? [],
    ids: found.ids ?? [],
    versions: found.versions ?? [],
  };
}

function eachOnce<Value>(all: readonly Value[], keyOf: (value: Value) => string): Value[] {
  return [...new Map(all.map((each) => [keyOf(each), each])).values()];
}

function candidateKey({ org, vendor, candidateId }: TrialCandidate): string {
  return `${org}\0${vendor}\0${candidateId}`;
}

/** As `jc.read_intake` gives it: null where nothing was found. */
interface Found {
  hasErasures: boolean;
  hasUnmatched: boolean;
  bodies: [string, string, string][] | null;
  invites: InviteRow[] | null;
  tombstones:
    | { invite: string; at: number; completed: number; status: number; body: string; earliest_at: number }[]
    | null;
  destinations: Destination[] | null;
  trials: [string, string, string][] | null;
  seqs: number[] | null;
  ids: number[] | null;
  versions: number[] | null;
}
