import { isAppError } from "../../shared/errors.ts";
import type { Outcome } from "./checklist.ts";

/** The last step of every trial; `what` is null where nothing was made. What our own log holds stays: it is the proof. */
export async function removeMade(
  what: string | null,
  { keep, label, remove }: { keep: boolean; label: string; remove(): Promise<boolean> },
): Promise<Outcome> {
  if (what === null) return { status: "skipped", evidence: "nothing was made" };
  if (keep) return { status: "skipped", evidence: `${what} stays, as asked` };
  try {
    const wasThere = await remove();
    return { status: "passed", evidence: wasThere ? `${what} removed` : `${what} was not there` };
  } catch (error) {
    const cause = isAppError(error) ? error.message : "the program was told to stop";
    const fix = `Remove ${what} in ${label} by hand`;
    return { status: "failed", evidence: `${what} could not be removed`, cause, fix };
  }
}
