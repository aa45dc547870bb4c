import type { ConnectionName } from "../connection.ts";
import type { CommonErrors } from "./common-errors.ts";
import { connectCommand } from "./command-lines.ts";

/** Who has a setup guide, or none. */
interface Guided {
  commonErrors?: Pick<CommonErrors, "scope">;
}

/**
 * What the vendor's guide says to do about a scope that was not granted, in sentences; null where it says nothing. Its
 * last fix, to deliver again, is nobody's task: what was held goes out by itself.
 */
export function scopeFixes({ commonErrors }: Guided): string | null {
  if (!commonErrors) return null;
  return commonErrors.scope.fixes
    .slice(0, -1)
    .map((fix) => `${fix}.`)
    .join(" ");
}

/** For the banner of a connection that was granted less than it asked for; null when nothing is missing. */
export function missingScopeWords(
  missingScopes: readonly string[],
  destination: Guided,
  connection: ConnectionName,
): string | null {
  if (missingScopes.length === 0) return null;
  const words = `these scopes were not granted: ${missingScopes.join(", ")}`;
  const fixes = scopeFixes(destination);
  return fixes === null ? words : `${words}. ${fixes} Run: ${connectCommand(connection)}`;
}
