import { isToldOfLog } from "../core/advice/database.ts";
import type { Reason } from "./admin/context.ts";
import type { Stopping } from "./stopping.ts";
import type { Watches } from "./watches.ts";

type Known = Pick<Watches, "faults" | "vaultWatch">;

/** In one word for strangers; null when the service is ready. */
export function whyNotReady({ faults, vaultWatch }: Known, { stop }: Pick<Stopping, "stop">): string | null {
  if (stop.aborted) return "stopping";
  const word = faults.word();
  if (word === "storage") return word;
  return vaultWatch.problem() === null ? word : "vault";
}

/** All that stands in the way, or soon may, for who has to mend it. */
export function reasonsFor(
  {
    faults,
    vaultWatch,
  }: { faults: Pick<Known["faults"], "all">; vaultWatch: Pick<Known["vaultWatch"], "problem"> },
  { stop }: Pick<Stopping, "stop">,
): Reason[] {
  const problem = vaultWatch.problem();
  const told = faults.all().flatMap(({ kind, message }) => (kind === "secrets" ? [] : [message]));
  const all = [
    ...(stop.aborted ? [{ message: "the service is stopping", hint: "" }] : []),
    ...faults.all().map(({ message, hint }) => ({ message, hint })),
    ...(problem && !isToldOfLog(problem.message, told)
      ? [{ message: problem.message, hint: problem.hint ?? "" }]
      : []),
  ];
  // Several may be kept by one cause.
  return all.filter(({ message }, at) => all.findIndex((each) => each.message === message) === at);
}
