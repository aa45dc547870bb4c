import type { InviteStatus } from "../../core/event.ts";
import type { Invite } from "../../core/invite.ts";
import type { HeldCauses, PushState } from "../../core/push.ts";
import type { PushSummary } from "./reads.ts";

/** What an operator has sent again: chosen, queued, counted. */
export interface RerunVerbs {
  /** Pages of subjects with their invites, in a fixed order: for the sweep, replay and backfill. */
  subjects(query: SubjectQuery): Promise<SubjectPage>;
  /** The pushes a replay means, by state; the held ones are counted and never selected. */
  countPushes(selection: PushSelection): Promise<SelectedCounts>;
  selectPushes(
    selection: PushSelection,
    page: { after: string | null; limit: number },
  ): Promise<SelectionPage>;
  /** The subjects with something to tell that have no push at a connection: what a backfill creates. */
  countUnpushed(selection: UnpushedSelection): Promise<number>;
  selectUnpushed(
    selection: UnpushedSelection,
    page: { after: string | null; limit: number },
  ): Promise<SelectionPage>;
  /** How many pushes wait already that a replay or a backfill would have queued, had they not been raised before. */
  countWaiting(covered: Covered): Promise<number>;
  /** Makes those a part of the run, as if it had raised them, up to `limit`; they keep their turn. Returns how many. */
  adopt(runId: number, covered: Covered, limit: number): Promise<number>;
  /** Keeps who had what sent again; the id goes with `raise`. */
  startRun(run: NewRun): Promise<number>;
  noteRun(id: number, counts: RunCounts, endedAt: number | null): Promise<void>;
  /** Newest first. */
  runs(org: string, limit: number): Promise<Run[]>;
  /** How the pushes that a run raised stand now. */
  standing(runId: number): Promise<Standing>;
  /** What holds back a connection's pushes, and how many: all of them, or those that a run raised. */
  heldCauses(connectionId: number, runId?: number): Promise<HeldCauses>;
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
  /** `carries`: the newest version among the invites. */
  subjects: { subject: string; invites: Invite[]; carries: number; push: PushSummary | null }[];
  /** Give it as `after` for the next page; null at the end. */
  next: string | null;
}

export interface PushSelection {
  connectionId: number;
  state?: PushState;
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

/** What a replay (of a state that a push leaves when it is raised) or a backfill is about. */
export type Covered = { pushes: PushSelection } | { unpushed: UnpushedSelection };

/** `next`: give it as `after` for the next page; null at the end. */
export interface SelectionPage {
  subjects: string[];
  next: string | null;
}

export type Standing = Record<PushState, number>;

export type SelectedCounts = Standing;

export interface RunCounts {
  matched: number;
  queued: number;
  skipped: number;
  delivered: number;
  rejected: number;
}

export interface NewRun {
  command: "replay" | "backfill";
  org: string;
  /** The operator's name on this machine. */
  who: string;
  filter: Record<string, unknown>;
  now: number;
}

export interface Run extends Omit<NewRun, "now" | "command" | "org"> {
  id: number;
  command: string;
  /** Null before anything was counted. */
  counts: RunCounts | null;
  startedAt: number;
  /** Null: interrupted, or still under way. */
  endedAt: number | null;
}
