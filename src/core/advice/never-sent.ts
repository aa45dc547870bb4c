import { count } from "../../shared/text.ts";
import type { Connection } from "../connection.ts";
import { backfillCommand } from "./command-lines.ts";

/** An account and how much of what is known was never told there. */
export interface NeverSent {
  connection: Pick<Connection, "vendor" | "org">;
  label: string;
  n: number;
}

/** For who sends again what was sent, and finds nothing: one line each. */
export function neverSentLines(found: readonly NeverSent[]): string[] {
  return found
    .filter(({ n }) => n > 0)
    .map(({ connection, label, n }) => {
      const were = n === 1 ? "was" : "were";
      return `${count(n, "result")} ${were} never sent to ${label}: ${backfillCommand(connection, "--yes")}`;
    });
}
