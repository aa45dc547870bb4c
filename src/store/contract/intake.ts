import type { NewEvent } from "../../core/event.ts";

/** Where events become rows. */
export interface IntakeVerbs {
  /**
   * Stores each event once, folds it into its invite and raises the pushes that its org's connections owe.
   * An event that fails alone never takes its neighbours along: its result says so.
   */
  append(events: readonly NewEvent[]): Promise<AppendResult[]>;
}

export interface AppendResult {
  /** `stored`; `known`: the same id and body were here before; `failed`: this event could not be stored. */
  outcome: "stored" | "known" | "failed";
  /** The same id came with another body before. */
  conflict: boolean;
}
