import { connectCommand } from "../../core/advice/command-lines.ts";
import type { CommonError } from "../../core/advice/common-errors.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import { fixOf } from "./checklist.ts";

/** Faults in the words of the vendor's setup guide, where it has such words. `scopes`: none where nobody can tell which. */
export function missingScope(
  { vendor, commonErrors }: Destination,
  org: string,
  scopes: readonly string[],
): { cause: string; fix: string } {
  const fixes = commonErrors?.scope.fixes ?? ["Approve all scopes"];
  const named = scopes.map((scope) => `\`${scope}\``).join(", ");
  return {
    cause: `OAuth scopes don't include ${named || "one that is needed"}`,
    fix: fixOf(...fixes, `Run: ${connectCommand({ vendor, org, environment: "sandbox" })}`),
  };
}

/** A step's error in the guide's words, where its hint holds them; null for the error's own. */
export function explainBy({ vendor, commonErrors }: Destination, org: string) {
  const known = commonErrors ? [commonErrors.signature, commonErrors.scope] : [];
  return ({ hint = "" }: AppError): { cause: string; fix: string } | null => {
    const error = known.find(({ fixes }) => fixes.every((fix) => hint.includes(fix)));
    if (!error) return null;
    const again = `Run: ${connectCommand({ vendor, org, environment: "sandbox" })}`;
    return { cause: causeIn(hint, error), fix: fixOf(...error.fixes, again) };
  };
}

/** The hint's own first sentence, which may name another scope than the guide's. */
function causeIn(hint: string, { cause, fixes }: CommonError): string {
  const [first = ""] = fixes;
  return hint.slice(0, hint.indexOf(first)).trim().replace(/\.$/, "") || cause;
}
