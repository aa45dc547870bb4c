import { databaseRefusal } from "../../../core/advice/database.ts";
import { asStoreError } from "../../../postgres/errors.ts";
import { AppError, isAppError } from "../../../shared/errors.ts";
import type { Faults, StoreFault } from "../../contract/faults.ts";

/**
 * What is wrong with the direct connection. It refuses nothing once the log was open: what is asked over the pool then says
 * itself whether it goes.
 */
export interface DirectFaults extends Faults {
  /** `problem`: null once it is over. */
  note(problem: unknown, options: { refuses: boolean }): void;
  /** Throws `STORE_UNAVAILABLE` while nothing may be asked. */
  refuse(): void;
}

/** `setting` names the database. */
export function createFaults(setting: string, now: () => number): DirectFaults {
  let fault: StoreFault | null = null;
  const watchers = new Set<() => void>();
  return {
    faults: () => (fault ? [fault] : []),
    watchFaults: (onChange) => {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
    note: (problem, { refuses }) => {
      const before = fault;
      fault =
        problem === null
          ? null
          : { kind: "unusable", refuses, since: before?.since ?? now(), ...wordsOf(setting, problem) };
      if ((fault === null) !== (before === null)) for (const onChange of watchers) onChange();
    },
    refuse: () => {
      if (fault?.refuses) throw new AppError("STORE_UNAVAILABLE", fault.message, { hint: fault.hint });
    },
  };
}

function wordsOf(setting: string, problem: unknown): Pick<StoreFault, "message" | "hint"> {
  const known = asStoreError(setting, problem);
  if (isAppError(known)) return { message: known.message, hint: known.hint ?? "" };
  const { words, hint } = databaseRefusal("", problem instanceof Error ? problem.message : "", setting);
  return { message: words, hint };
}
