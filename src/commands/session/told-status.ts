import { tellsCompletion } from "../../core/confirmation.ts";
import { plain } from "../../shared/text.ts";

/** Why a vendor's webhook completes nothing; blank where it tells of a completion. */
export function withoutEffectWords(status: string): string {
  if (tellsCompletion(status)) return "";
  return `${status === "" ? "no status" : plain(status)}: completes nothing`;
}
