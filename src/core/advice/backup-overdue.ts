import { shortTime } from "../../shared/text.ts";
import { isOverdue } from "../backup.ts";
import { BACKUP_COMMAND } from "./command-lines.ts";

/** Why the log's last backup is too long ago, in words; null while it is not. `since`: of it, or of the log's own beginning. */
export function backupTrouble(
  { directory, newest, since }: { directory: string; newest: { at: number } | null; since: number | null },
  now: number,
): string | null {
  if (since === null || !isOverdue(since, now)) return null;
  const last =
    newest === null
      ? `no good backup of the log is in ${directory}`
      : `the last good backup of the log is of ${shortTime(newest.at)}`;
  return `${last}, and one is due each day. Look why, and take one: ${BACKUP_COMMAND}`;
}
