/** What is said of a log that was copied into a database, and of one whose copy is not whole yet. Pure. */
import { isoTime } from "../../shared/clock.ts";
import type { CopiedMark } from "../../shared/copied-log.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import { count } from "../../shared/text.ts";
import {
  copyCommand,
  GRANTS_COMMAND,
  NEW_LOG_COMMAND,
  restoreCommand,
  SERVE_COMMAND,
} from "./command-lines.ts";
import { STOP_SERVICE } from "./served-log.ts";
import { andThen } from "./unbroken.ts";

/** Leads to where the log is now. */
export function whereCopied(to: string): string {
  return `Set store.url = "${to}"`;
}

/** Of a file that is not the log any more. */
export function copiedLog(path: string, { to, at }: CopiedMark): AppError {
  return new AppError(
    "CONFIG_INVALID",
    `${path} was copied to ${to} on ${isoTime(at)}: what is written to the file would be missing there`,
    {
      hint: `${whereCopied(to)}. To go on with the file all the same, without what came since: ${NEW_LOG_COMMAND}`,
    },
  );
}

/** Of a file that is to be backed up, although nobody goes on with it. */
export function copiedNotBackedUp(path: string, { to, at }: CopiedMark): AppError {
  return new AppError(
    "CONFIG_INVALID",
    `${path} was copied to ${to} on ${isoTime(at)}, and is not the log any more: what came since would be missing in a backup of it`,
    { hint: whereCopied(to) },
  );
}

/** Before what such a file holds is shown. */
export function copiedWords(path: string, { to, at }: CopiedMark): string {
  return `${path} was copied to ${to} on ${isoTime(at)}: this is what it held then. ${whereCopied(to)}`;
}

/** Of a file whose place a backup is to take, although nobody would read it there. */
export function copiedNotRestored(path: string, { to, at }: CopiedMark, backup: string): AppError {
  return new AppError(
    "CONFIG_INVALID",
    `${path} was copied to ${to} on ${isoTime(at)}, and is not the log any more: a backup in its place would not be, either`,
    {
      hint: `Go back to a backup of that database. To go on with the file all the same, without what came since, first: ${NEW_LOG_COMMAND} and then: ${restoreCommand(backup)}`,
    },
  );
}

/** Of a file that is to be copied once more, although others may go on with its rows in that database. */
export function copiedBefore(from: string, to: string): AppError {
  return new AppError("USAGE", `${from} was copied to ${to} before, and is not the log any more`, {
    hint: `Name that database. Where nobody works on it, and what came since is to be given up, first: ${NEW_LOG_COMMAND}`,
  });
}

/** Of a database that a copy was begun in. `from`: where the log's file is. */
export function halfCopied({ from, to }: { from: string; to: string }): AppError {
  return new AppError(
    "CONFIG_INVALID",
    `the log in ${to} is the half of a copy: ${from} is being copied there, or that was cut off`,
    { hint: `Finish it, where that file is and with serve stopped: ${copyCommand(to)}` },
  );
}

/** Of a database that holds what is not to be written over. */
export function otherLog(to: string, { what, events }: { what: string; events: number }): AppError {
  const held = `${to} ${what}, of ${count(events, "event")}, and nothing is written over that`;
  return new AppError("USAGE", held, {
    hint: [
      "Name another database. Or, where no service needs what is there, keep a dump of it:",
      `pg_dump --format=custom --schema=jc --file=jc.dump '${to}'`,
      "and then throw it away, for good:",
      `psql '${to}' -c 'DROP SCHEMA jc CASCADE'`,
    ].join("\n"),
  });
}

export function logInUse(who: string): AppError {
  return new AppError("STORE_UNAVAILABLE", `the log is in use by ${who}: it cannot be copied meanwhile`, {
    hint: `End the process, or stop the service, then run it again. Under systemd it is stopped by: ${STOP_SERVICE}`,
  });
}

export function databaseInUse(to: string, who: string): AppError {
  return new AppError("STORE_UNAVAILABLE", `${to} is in use by ${who}: nothing is copied there meanwhile`, {
    hint: "End it, or wait for its end, then run it again.",
  });
}

/** What a copy met, with what is typed once that is mended, unless it says so itself. `isBegun`: part of it may be there. */
export function metByCopy(to: string, error: unknown, { isBegun }: { isBegun: boolean }): unknown {
  // What was refused by a system has its cause; the rest are refusals of our own.
  if (!isAppError(error) || error.cause === undefined) return error;
  const { code, message, hint = "", cause } = error;
  if (code !== "STORE_UNAVAILABLE" && code !== "VAULT_UNAVAILABLE") return error;
  const first = hint.replace(/[;:,.]? *$/, "");
  const again = `Then run it again${isBegun ? ", and it goes on where it was" : ""}: ${copyCommand(to)}`;
  return new AppError(code, message, { hint: first === "" ? again : andThen(first, again), cause });
}

/** `what`: the tables that differ. */
export function unlikeCopy(to: string, what: readonly string[]): AppError {
  return new AppError(
    "STORE_UNAVAILABLE",
    `what is in ${to} now is not what is in the log: ${what.join(", ")}. The log is as it was, and stays in use`,
    { hint: `Find out who else writes there. To begin the copy anew: ${copyCommand(to)}` },
  );
}

/** What is typed once the copy is whole. */
export function afterCopy(to: string): string[] {
  return [
    `1. Set store.url = "${to}" and vault.backend = "sealed" in the configuration of every service; where another role than this owner is to run it, name that one, and give it its rights: ${GRANTS_COMMAND}`,
    "2. Let every machine have the vault's key that this one has (vault.key_file, or the credential vault-key).",
    `3. Start it: ${SERVE_COMMAND}`,
  ];
}
