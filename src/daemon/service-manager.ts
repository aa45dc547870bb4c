/**
 * What the service manager hears of the service: when it is ready, in words how it does, and that it still works, for a
 * systemd that ends and restarts it when it hears nothing.
 */
import type { AppError } from "../shared/errors.ts";
import type { Log } from "../shared/log.ts";
import type { Notify } from "../systemd/notify.ts";
import type { OwnProcess } from "./context.ts";
import { every, type Look } from "./rounds.ts";
import type { Verdict, Watchdog } from "./watchdog.ts";
import type { Watches } from "./watches.ts";

export const OPENING = "Opens the log; where an upgrade changes a large one, this takes minutes";
export const LOOKING = "Listens; asks the log and the vault";

const EXTENDED_EVERY_MS = 10_000;
/** As long as systemd would wait for a start without a word of ours. */
const EXTENDED_BY_MS = 90_000;

/** What may take longer than systemd's patience with a start: it is told to wait on. */
export async function waitedFor<Done>(notify: Notify, status: string, work: Promise<Done>): Promise<Done> {
  notify({ STATUS: status });
  const extend = () => notify({ EXTEND_TIMEOUT_USEC: String(EXTENDED_BY_MS * 1_000) });
  const timer = setInterval(extend, EXTENDED_EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

/** How the service does. */
export interface Standing {
  address: string;
  verdict: Verdict;
  /** Why webhooks are refused. */
  refusals: readonly string[];
  vaultProblem: Pick<AppError, "message"> | null;
  isAnyConnected: boolean;
}

export function standingWords({
  address,
  verdict,
  refusals,
  vaultProblem,
  isAnyConnected,
}: Standing): string {
  const troubles = [
    ...(verdict === "waits for the disk" ? ["the log's disk does not answer"] : []),
    ...(verdict === "hangs" ? ["its work does not go on"] : []),
    ...refusals.map((message) => `webhooks are refused: ${message}`),
    ...(vaultProblem ? [`delivers nothing: ${vaultProblem.message}`] : []),
  ];
  if (troubles.length === 0 && !isAnyConnected) troubles.push("no account is connected yet");
  return `Listens on ${address}; ${troubles.length === 0 ? "all is well" : troubles.join("; ")}`;
}

interface Reported {
  log: Pick<Log, "error">;
  watches: Watches;
  watchdog: Watchdog;
  address: string;
  /** Has `look` called soon. */
  soon(): void;
}

/** `look` tells of each change; `signs` gives signs of life until the signal aborts, where they are waited for. */
export function reportTo(
  { notify, watchdogMs }: Pick<OwnProcess, "notify" | "watchdogMs">,
  { log, watches, watchdog, address, soon }: Reported,
): { look: Look; signs(signal: AbortSignal): Promise<void>[] } {
  const { faults, vaultWatch, secretWatch } = watches;
  let verdict: Verdict = "works";
  let said = "";
  const look = () => {
    const words = standingWords({
      address,
      verdict,
      refusals: faults.all().flatMap(({ refuses, message }) => (refuses ? [message] : [])),
      vaultProblem: vaultWatch.problem(),
      isAnyConnected: secretWatch.isAnyConnected(),
    });
    if (words !== said) notify({ STATUS: words });
    said = words;
  };
  const onVerdict = (found: Verdict) => {
    if (found === "hangs" && verdict !== found)
      log.error("the scheduler does not go on: systemd restarts the service unless it does");
    if (found !== verdict) soon();
    verdict = found;
  };
  const signs = (signal: AbortSignal) =>
    watchdogMs === null ? [] : [giveSignsOfLife({ notify, watchdogMs }, { watchdog, onVerdict }, signal)];
  return { look, signs };
}

/** As many in the time after which systemd gives us up. */
const SIGNS_IN_TIME = 3;

/** A service that hangs gives none. */
async function giveSignsOfLife(
  { notify, watchdogMs }: { notify: Notify; watchdogMs: number },
  { watchdog, onVerdict }: { watchdog: Watchdog; onVerdict(verdict: Verdict): void },
  signal: AbortSignal,
): Promise<void> {
  const look = async () => {
    const verdict = watchdog.look();
    onVerdict(verdict);
    if (verdict !== "hangs") notify({ WATCHDOG: "1" });
  };
  await every(watchdogMs / SIGNS_IN_TIME, look, signal);
}
