import type { InviteStatus } from "../../core/event.ts";
import type { Forgotten } from "../../core/forgotten.ts";
import type { Invite } from "../../core/invite.ts";
import type { HeldCause, HeldCauses, PushState } from "../../core/push.ts";
import type { PushSummary } from "./reads.ts";

/** What an operator has sent again: chosen, queued, counted. */
export interface RerunVerbs {
  /** Pages of subjects with their invites, in a fixed order: for the sweep, replay and backfill. */
  subjects(query: SubjectQuery): Promise<SubjectPage>;
  /**
   * How many pushes a selection holds, by state and, with `causes`, by what the held ones wait for. The cost grows with
   * what is selected; for a whole connection it grows with nothing, and with `causes` with what is held.
   */
  countPushes(selection: CountedSelection, options?: { causes: true }): Promise<SelectedCounts>;
  /** Pages of what a selection holds and `raise` may raise: all but the held ones. */
  selectSubjects(selection: Selection, page: { after: string | null; limit: number }): Promise<SelectionPage>;
  /**
   * Keeps who had what sent again; the id goes with `raise`. What a new run `adopts` waited already: it becomes a part of
   * the run as if that had raised it, and keeps its turn.
   */
  saveRun(run: NewRun | RunProgress): Promise<{ id: number; adopted: number }>;
  /** Newest first. */
  runs(org: string, limit: number): Promise<Run[]>;
}

export interface SubjectQuery {
  connectionId: number;
  /** Only subjects with an invite in this status. */
  status?: InviteStatus;
  /** The last subject of the page before; absent for the first. */
  after?: string;
  limit: number;
}

export interface SubjectPage {
  subjects: SubjectStanding[];
  /** Give it as `after` for the next page; null at the end. */
  next: string | null;
}

export interface SubjectStanding {
  subject: string;
  invites: Invite[];
  /** What others of the subject told that are gone; null where none did. */
  forgotten: Forgotten | null;
  /** The newest version among the invites. */
  carries: number;
  push: PushSummary | null;
}

export interface PushSelection {
  connectionId: number;
  state?: PushState;
  /** Held ones, for this cause: they may be chosen and raised all the same. */
  heldFor?: HeldCause;
  email?: string;
  invitationIds?: readonly string[];
  /** Of the last attempt: inclusive and exclusive. */
  since?: number;
  until?: number;
}

export interface UnpushedSelection {
  connectionId: number;
  includeInProgress: boolean;
  /** Of the invite's newest snapshot: inclusive and exclusive. */
  since?: number;
  until?: number;
}

/** What a replay or a backfill is about: pushes, or subjects with something to tell that have no push at a connection. */
export type Selection = { pushes: PushSelection } | { unpushed: UnpushedSelection };

/**
 * With `waiting`, not those that a replay (of a state that a push leaves when it is raised) or a backfill would queue, but
 * those that it would have queued had they not been raised before, and that wait.
 */
export type CountedSelection = (Selection & { waiting?: true }) | { run: RunSelection };

/** What a run raised, at one connection or all. */
export interface RunSelection {
  id: number;
  connectionId?: number;
}

/** `next`: give it as `after` for the next page; null at the end. */
export interface SelectionPage {
  subjects: string[];
  next: string | null;
}

export type Standing = Record<PushState, number>;

export interface SelectedCounts extends Standing {
  /** Empty unless it was asked for. */
  heldFor: HeldCauses;
  /** Subjects without a push. */
  unpushed: number;
}

export interface RunCounts {
  matched: number;
  queued: number;
  skipped: number;
  delivered: number;
  rejected: number;
  /** Absent in what was noted before it was counted. */
  held?: number;
}

export interface NewRun {
  command: "replay" | "backfill";
  org: string;
  /** The operator's name on this machine. */
  who: string;
  /** An `email` that the org holds nothing of is noted as `[not held]`: it may be an erased person's. */
  filter: Record<string, unknown>;
  now: number;
  adopts?: { selections: readonly Selection[]; limit: number };
}

/** How far a run has come; `endedAt` is null while it is under way. */
export interface RunProgress {
  id: number;
  counts: RunCounts;
  endedAt: number | null;
}

export interface Run extends Omit<NewRun, "now" | "command" | "org" | "adopts"> {
  id: number;
  command: string;
  /** Null before anything was counted. */
  counts: RunCounts | null;
  startedAt: number;
  /** Null: interrupted, or still under way. */
  endedAt: number | null;
}
