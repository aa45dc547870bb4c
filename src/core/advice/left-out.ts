import { resyncCommand } from "./command-lines.ts";
import type { Connection, ConnectionName, LeftOutField } from "../connection.ts";

/** What of every result the account cannot take, and what becomes of it; null where it takes all. */
export function leftOutWords(connection: ConnectionName & Pick<Connection, "leftOut">): string | null {
  const { leftOut = [] } = connection;
  if (leftOut.length === 0) return null;
  return `left out of every result, and the rest goes: ${namesOf(leftOut)}. Mended there, it follows by itself within the hour; at once by: ${resyncCommand(connection)}`;
}

/** Each with what is the matter with it. */
export function namesOf(leftOut: readonly LeftOutField[]): string {
  return leftOut.map(({ name, reason }) => `${name} (${reason})`).join(", ");
}
