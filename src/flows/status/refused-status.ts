/** What was refused of each source since it was last taken from, in words, with what to type. */
import { rotateCommand, setSecretCommand, webhooksLogCommand } from "../../core/advice/command-lines.ts";
import { type RefusedSource, refusedSources, refusedWords } from "../../core/advice/refused-sources.ts";
import { isoTime } from "../../shared/clock.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import type { FoundInLog } from "./found-in-log.ts";

interface Whose {
  declared: readonly VendorDeclaration[];
  org: string;
}

export function refusedStatus({ refusals, sources }: Pick<FoundInLog, "refusals" | "sources">, whose: Whose) {
  return refusedSources(refusals, sources).map((each) => ({
    source: each.source,
    n: each.n,
    reason: each.reasons[0]?.reason ?? "",
    reasons: each.reasons.map((reason) => ({ ...reason, lastAt: isoTime(reason.lastAt) })),
    lastAt: isoTime(each.lastAt),
    /** What of it is worth telling, by what it tells of the sender. */
    told: each.told,
    banner: each.told.length > 0 ? refusedWords(each, adviceFor(each, whose)) : null,
  }));
}

/** What is no HTTP has no vendor that anybody could name. */
function adviceFor(
  { source, told }: Pick<RefusedSource, "source" | "told">,
  { declared, org }: Whose,
): { label: string; command: string } {
  const vendor = declared.find((each) => each.vendor === source);
  if (!vendor) return { label: "nobody we know", command: `See: ${webhooksLogCommand({ vendor: source })}` };
  const secret = vendor.secrets.find(({ rotates }) => rotates);
  const isAts = vendor.destination?.isAts ?? false;
  const cure = isAts ? rotateCommand({ vendor: source, org }) : secret && setSecretCommand(secret.name, {});
  const isSigned = told.includes("signature");
  const changed = cure === undefined || !isSigned ? "" : `or, where its secret was changed: ${cure}`;
  return {
    label: vendor.label,
    command: `See: ${webhooksLogCommand({ vendor: source, org })} ${changed}`.trimEnd(),
  };
}
