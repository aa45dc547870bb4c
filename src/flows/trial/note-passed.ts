import type { Store } from "../../store/contract/store.ts";
import type { ChecklistReport } from "./checklist.ts";
import type { TrialAccount } from "./trial-account.ts";

/** Keeps when the newest trial that passed began. */
export async function notePassed(
  store: Pick<Store, "mark">,
  account: TrialAccount | undefined,
  { report, startedAt }: { report: ChecklistReport; startedAt: number },
): Promise<void> {
  if (report.passed && account) await store.mark(account.connection.id, "trial passed", startedAt);
}
