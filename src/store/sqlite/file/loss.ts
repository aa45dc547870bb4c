import type { BigIntStats } from "node:fs";
import { NEW_LOG_COMMAND, restoreCommand } from "../../../core/advice/command-lines.ts";
import { unavailable } from "./store-errors.ts";

/** `absent`, `replaced`: of `log.db`. `overwritten`: the same file, with other content. `half`: its -wal or -shm went. */
export type LossKind = "absent" | "replaced" | "overwritten" | "half";

export interface Loss {
  kind: LossKind;
  /** Read behind the log's path. */
  words: string;
}

export const WAL_LOST: Loss = { kind: "half", words: "has lost its log.db-wal" };
export const OVERWRITTEN: Loss = { kind: "overwritten", words: "was written over by another program" };

const LOSS_HINTS: Readonly<Record<LossKind, string>> = {
  absent: `Bring it back. Or stop serve and restore a backup: ${restoreCommand()} or, to begin with an empty log: ${NEW_LOG_COMMAND}`,
  replaced: `Bring the log back. Or stop serve and restore a backup: ${restoreCommand()} or, to go on with what stands there: ${NEW_LOG_COMMAND}`,
  overwritten: `What stands there is not what was written. Put the log back. Or stop serve and restore a backup: ${restoreCommand()}`,
  half: "Nothing is to be done: serve mends it within seconds.",
};

/** What whoever wanted to write hears. */
export function lossError(path: string, { kind, words }: Loss) {
  return unavailable(`${path} ${words}`, LOSS_HINTS[kind]);
}

/** Another stands in its place. */
export function replacedBy(log: BigIntStats): Loss {
  if (log.isSymbolicLink()) return { kind: "replaced", words: "is a symbolic link now" };
  return { kind: "replaced", words: log.isFile() ? "is another file now" : "is no file any more" };
}
