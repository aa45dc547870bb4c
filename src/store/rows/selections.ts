import type { HeldCause, HeldCauses, PushState } from "../../core/push.ts";
import type { RunSelection, SelectedCounts, SelectionPage } from "../contract/store.ts";

export interface StateRow {
  state: PushState;
  n: number;
}

export interface HeldRow {
  cause: HeldCause;
  n: number;
}

export const NONE: SelectedCounts = {
  pending: 0,
  delivered: 0,
  rejected: 0,
  held: 0,
  heldFor: {},
  unpushed: 0,
};

export function countsIn(states: readonly StateRow[], held: readonly HeldRow[]): SelectedCounts {
  const heldFor: HeldCauses = Object.fromEntries(held.map(({ cause, n }) => [cause, n]));
  return { ...NONE, ...Object.fromEntries(states.map(({ state, n }) => [state, n])), heldFor };
}

/** The end of a statement over the pushes `p` that a run raised. */
export function ofRun(pushes: string, { id, connectionId }: RunSelection): Selected {
  const here = connectionId === undefined ? "" : "AND p.connection_id = @connectionId";
  return {
    from: `FROM ${pushes} p WHERE p.run_id = @id AND p.state <> 'never' ${here}`,
    values: { id, connectionId },
  };
}

export interface Selected {
  from: string;
  values: Record<string, unknown>;
}

export function pushPageOf(rows: readonly { id: number; subject: string }[], limit: number): SelectionPage {
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    subjects: rows.map(({ subject }) => subject),
    next: last === undefined ? null : String(last.id),
  };
}

/** Behind which invite a page of subjects without a push begins. */
export function startOf(after: string | null): { at: number; id: number } {
  const [at = Number.MIN_SAFE_INTEGER, id = 0] = after?.split("/").map(Number) ?? [];
  return { at, id };
}

export function unpushedPageOf(
  rows: readonly { id: number; at: number; subject: string }[],
  limit: number,
): SelectionPage {
  const last = rows.length < limit ? undefined : rows.at(-1);
  return {
    subjects: [...new Set(rows.map(({ subject }) => subject))],
    next: last === undefined ? null : `${last.at}/${last.id}`,
  };
}
