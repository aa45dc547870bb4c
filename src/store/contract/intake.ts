import type { Assigned } from "../../core/invite.ts";
import type { NewEvent } from "../../core/event.ts";

/** Where events become rows. */
export interface IntakeVerbs {
  /**
   * Stores each event once, folds it into its invite and raises the pushes that its org's connections owe.
   * An event that fails alone never takes its neighbours along: its result says so.
   */
  append(events: readonly NewEvent[]): Promise<AppendResult[]>;
  /**
   * Keeps whose result an invite's is at a vendor, and has it told there: what is held for want of that is due. False
   * where there is no such invite.
   */
  assign(invite: { org: string; invitationId: string }, assigned: Assigned, now: number): Promise<boolean>;
}

export interface AppendResult {
  /**
   * `stored`; `known`: the same id and body were here before; `failed`: this event could not be stored. `erased`: refused,
   * since it is an erased person's, and counted. `unmarked`: somebody was erased, and it has no marks to be judged by.
   */
  outcome: "stored" | "known" | "failed" | "erased" | "unmarked";
  /** The same id came with another body before. */
  conflict: boolean;
}
