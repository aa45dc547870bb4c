import type { StoreFault, StoreFaultKind } from "../../contract/faults.ts";
import { unavailable } from "./store-errors.ts";

/** The faults that last, one of a kind. */
export interface FaultBoard {
  has(kind: StoreFaultKind): boolean;
  get(kind: StoreFaultKind): StoreFault | undefined;
  isEmpty(): boolean;
  /** Null: it is over. */
  set(kind: StoreFaultKind, fault: Omit<StoreFault, "kind" | "since"> | null): void;
  /** Throws the first of these kinds that refuses. */
  insistOnNone(kinds: readonly StoreFaultKind[]): void;
}

export function createFaultBoard(onChange: (faults: readonly StoreFault[]) => void): FaultBoard {
  const faults = new Map<StoreFaultKind, StoreFault>();
  return {
    has: (kind) => faults.has(kind),
    get: (kind) => faults.get(kind),
    isEmpty: () => faults.size === 0,
    set: (kind, fault) => {
      const before = faults.get(kind);
      if (fault) faults.set(kind, { ...fault, kind, since: before?.since ?? Date.now() });
      else faults.delete(kind);
      if (before?.message !== fault?.message || before?.refuses !== fault?.refuses)
        onChange([...faults.values()]);
    },
    insistOnNone: (kinds) => {
      for (const kind of kinds) {
        const fault = faults.get(kind);
        if (fault?.refuses) throw unavailable(fault.message, fault.hint);
      }
    },
  };
}
