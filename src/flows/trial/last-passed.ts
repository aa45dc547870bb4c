import type { Connection } from "../../core/connection.ts";
import type { Store } from "../../store/contract/store.ts";
import type { ChecklistReport } from "./checklist.ts";
import type { TrialAccount } from "./trial-account.ts";

/** When a trial of the connection last passed, ms; null before the first. */
export async function lastPassed(
  store: Pick<Store, "lastTick">,
  { id }: Pick<Connection, "id">,
): Promise<number | null> {
  return await store.lastTick(tickOf(id));
}

export async function notePassed(
  store: Pick<Store, "openTick">,
  account: TrialAccount | undefined,
  { report, startedAt }: { report: ChecklistReport; startedAt: number },
): Promise<void> {
  if (report.passed && account) await store.openTick(tickOf(account.connection.id), startedAt);
}

function tickOf(connectionId: number): string {
  return `sandbox-test ${connectionId}`;
}
