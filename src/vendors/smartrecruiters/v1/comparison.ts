/** Does a scorecard show what was sent? Pure. */
import type { Projection } from "../../../core/push.ts";
import type { ScorecardEntry } from "../../contract/ats.ts";
import { fieldOf } from "./custom-fields.ts";

const HEADS = ["title", "summary", "resultUrl"] as const;

/** By their labels, those of the scorecard's heads by their names. Heads that it does not show are no difference. */
export function differencesOf(entry: ScorecardEntry, sent: Projection): string[] {
  const heads = HEADS.filter((head) => (entry[head] ?? "") !== (sent[head] ?? ""));
  const fields = Object.entries(sent).flatMap(([key, value]) => {
    const field = fieldOf(key);
    if (field === null) return [];
    const shown = entry.fields.find(({ fieldId }) => fieldId === field.id);
    return shown && isSame(shown.value, value) ? [] : [field.label];
  });
  return [...heads, ...fields];
}

/** A number field may write a number its own way. */
function isSame(shown: string, sent: string): boolean {
  return shown === sent || (sent !== "" && Number(shown) === Number(sent));
}
