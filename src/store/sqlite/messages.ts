import type { NewEvent } from "../../core/event.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import type { StoreFault } from "../contract/store.ts";
import type { VerbName } from "../contract/verbs.ts";

export interface ThreadOptions {
  stateDir: string;
  /** There must be a log already. */
  isExpected?: boolean;
  /** A log that cannot be opened is a fault that lasts, and is tried again; else it is an error. */
  staysUp?: boolean;
}

export type ToThread =
  | { kind: "append"; id: number; events: readonly NewEvent[] }
  | { kind: "copy"; id: number; file: string }
  | { kind: "verb"; id: number; name: VerbName; args: unknown[] }
  /** Is the thread there? Answered by a result, whatever the log is like. */
  | { kind: "ask"; id: number }
  | { kind: "close" };

/** `Result` is what the called verb returns. A message does not name its verb: whoever called knows it by the `id`. */
export type FromThread<Result = unknown> =
  /** `thread`: its name among those of this process. */
  | { kind: "open"; thread: string | null }
  | { kind: "broken"; failure: ThreadFailure }
  | { kind: "result"; id: number; result: Result }
  | { kind: "failure"; id: number; failure: ThreadFailure }
  | { kind: "changed" }
  /** A file beside the log was changed; or, unless `isWorking`, nobody tells of that any more. */
  | { kind: "beside"; isWorking: boolean }
  | { kind: "faults"; faults: readonly StoreFault[] };

export interface ThreadFailure {
  /** null: a bug; `message` is then its stack. */
  code: ErrorCode | null;
  message: string;
  hint: string | undefined;
  /** Another process holds the lock. */
  isLockedOut: boolean;
}
