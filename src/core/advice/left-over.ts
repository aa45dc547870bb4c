import {
  assignCommand,
  connectCommand,
  logsCommand,
  replayCommand,
  resyncCommand,
  statusCommand,
} from "./command-lines.ts";
import { AppError, type ErrorCode } from "../../shared/errors.ts";
import { count } from "../../shared/text.ts";
import type { Connection } from "../connection.ts";
import type { HeldCauses } from "../push.ts";

/** What became of the results that some work was about and that were not delivered. */
export interface LeftOver {
  rejected: number;
  held: readonly { connection: Connection; causes: HeldCauses }[];
  /** Whose vendor fails, or wants to be left in peace: what is pending there stays so. */
  resting?: readonly Connection[];
}

interface Part {
  code: ErrorCode;
  words: string;
  fix: string;
}

/**
 * Says what was not delivered and what to type; null when all was. What a person must mend weighs more than a vendor
 * that comes back by itself, and that more than a part that was not done.
 */
export function leftOverError({ rejected, held, resting = [] }: LeftOver): AppError | null {
  const parts = held.flatMap(({ connection, causes }) => heldParts(connection, causes));
  if (resting.length > 0) {
    const vendors = resting.map(({ vendor }) => vendor).join(", ");
    parts.push({
      code: "VENDOR_UNAVAILABLE",
      words: `${vendors} does not take everything at the moment; what is queued stays queued`,
      fix: `Start serve, which goes on by itself, or run this again later; ${logsCommand({})} says why`,
    });
  }
  if (rejected > 0) {
    const words = `${count(rejected, "result")} rejected by the vendor`;
    parts.push({ code: "PARTIAL", words, fix: `${logsCommand({}, "rejected")} shows its words` });
  }
  const worst = parts.find(({ code }) => code !== "PARTIAL") ?? parts[0];
  if (!worst) return null;
  return new AppError(worst.code, parts.map(({ words }) => words).join("; "), {
    hint: [...new Set(parts.map(({ fix }) => fix))].join("\n"),
  });
}

/** Of who watched a service for long, and nothing went through. */
export function stillWaitingError({
  pending,
  reason,
  org,
}: {
  pending: number;
  /** Why; null where nothing is known to stand in the way. */
  reason: string | null;
  org: string;
}): AppError {
  const waits = `${count(pending, "result")} still ${pending === 1 ? "waits" : "wait"} and ${pending === 1 ? "stays" : "stay"} queued`;
  return new AppError("VENDOR_UNAVAILABLE", reason === null ? waits : `${waits}: ${reason}`, {
    hint: `serve goes on by itself, and the same command watches on; how it stands: ${statusCommand({ org })}`,
  });
}

function heldParts(connection: Connection, causes: HeldCauses): Part[] {
  const { vendor } = connection;
  const part = (n: number, code: ErrorCode, until: string, fix: string): Part[] =>
    n === 0 ? [] : [{ code, words: `${count(n, "result")} held until ${until}`, fix }];
  const {
    reconnect = 0,
    disconnected = 0,
    vault = 0,
    property = 0,
    scope = 0,
    confirm = 0,
    gone = 0,
    candidate = 0,
  } = causes;
  const connect = connectCommand(connection);
  return [
    ...part(reconnect + disconnected, "RECONNECT_NEEDED", `${vendor} is connected again`, connect),
    ...part(vault, "VAULT_UNAVAILABLE", "the tokens can be read", `${statusCommand()} says why they cannot`),
    ...part(confirm, "PARTIAL", "somebody confirms its account", connectCommand(connection, "--confirm")),
    ...part(property, "PARTIAL", `${vendor} has the property they fill`, resyncCommand(connection)),
    ...part(gone, "PARTIAL", `their contacts are back in ${vendor}`, replayCommand(connection, "gone")),
    ...part(candidate, "PARTIAL", "somebody says whose they are", assignCommand(connection)),
    ...part(
      scope,
      "PARTIAL",
      `${vendor} grants the missing scope`,
      `Grant every scope it asks for: ${connect}`,
    ),
  ];
}
