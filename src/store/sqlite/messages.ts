import type { NewEvent } from "../../core/event.ts";
import type { ErrorCode } from "../../shared/errors.ts";
import type { VerbName } from "./verbs.ts";

export interface ThreadOptions {
  stateDir: string;
}

export type ToThread =
  | { kind: "append"; id: number; events: readonly NewEvent[] }
  | { kind: "verb"; id: number; name: VerbName; args: unknown[] }
  | { kind: "close" };

/** `Result`: each call is answered with its own verb's result; which one that is, only the caller knows. */
export type FromThread<Result = unknown> =
  | { kind: "open" }
  | { kind: "broken"; failure: ThreadFailure }
  | { kind: "result"; id: number; result: Result }
  | { kind: "failure"; id: number; failure: ThreadFailure }
  | { kind: "changed" };

export interface ThreadFailure {
  /** null: a bug; `message` is then its stack. */
  code: ErrorCode | null;
  message: string;
  hint: string | undefined;
}
