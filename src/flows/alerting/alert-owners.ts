/**
 * One alert per incident. Incidents are read off the rows, so whoever looks finds the same ones; an alert is kept
 * until it was sent, by the one process that took it, and nothing waits for it.
 */
import { testAlertCommand } from "../../core/advice/command-lines.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import { AppError } from "../../shared/errors.ts";
import { count } from "../../shared/text.ts";
import type { Store } from "../../store/contract/store.ts";
import { chatOf, NO_CHAT_HINT } from "../watch/alert-chat.ts";
import { type ChatContext, trySending } from "./chat.ts";
import { type IncidentContext, lookForIncidents } from "./incidents.ts";

interface AlertContext extends ChatContext {
  clock: Clock;
  store: IncidentContext["store"] & Pick<Store, "keepIncidents" | "takeAlert" | "noteAlert">;
}

/** Whoever took an alert has told how that went by then, or is gone: Telegram has 10 s to answer. */
const TAKEN_FOR_MS = 60_000;
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 3_600_000;

export interface AlertsOutcome {
  sent: number;
  /** Why those of this run could not be sent. */
  failed: string[];
  /** The org of each that is still to be sent. */
  waiting: string[];
  /** Does anything wait, of which time alone makes an incident? Or an alert that is to be sent. */
  isAnyOpen: boolean;
}

/** Looks for new incidents, closes those that are over, and sends what is due. */
export async function alertOwners(context: AlertContext, signal: AbortSignal): Promise<AlertsOutcome> {
  const { store, clock } = context;
  const { incidents, isAnyOpen } = await lookForIncidents(context);
  const unsent = await store.keepIncidents(incidents, clock.now());
  const outcome: AlertsOutcome = {
    sent: 0,
    failed: [],
    waiting: [],
    isAnyOpen: isAnyOpen || unsent.length > 0,
  };
  for (const alert of unsent) {
    if (alert.dueAt > clock.now()) {
      // What was never tried and has to wait is just being sent by another process.
      if (alert.tries > 0) outcome.waiting.push(alert.org);
      continue;
    }
    signal.throwIfAborted();
    if (!(await store.takeAlert(alert, clock.now() + TAKEN_FOR_MS))) continue;
    const failure = await trySending(context, { org: alert.org, text: alert.text, signal });
    if (failure === null) {
      await store.noteAlert(alert.id, { sentAt: clock.now() });
      outcome.sent += 1;
    } else {
      const { problem, waitMs } = failure;
      // The bot token's own return is waited for by nobody but us.
      const isLocked = problem.code === "VAULT_UNAVAILABLE";
      const ownWaitMs = isLocked ? 0 : Math.min(FIRST_WAIT_MS * 2 ** alert.tries, LONGEST_WAIT_MS);
      await store.noteAlert(alert.id, { dueAt: clock.now() + Math.max(ownWaitMs, waitMs) });
      outcome.failed.push(problem.message);
      outcome.waiting.push(alert.org);
    }
  }
  return outcome;
}

/** What a run ends with while alerts wait, those that were put off included; null when all were sent. */
export function unsentAlerts(
  { sent, failed, waiting }: AlertsOutcome,
  { config }: { config: Config },
): AppError | null {
  if (waiting.length === 0) return null;
  // Nobody will ever hear of them: that is no trouble of Telegram's.
  const isChatless = waiting.every((org) => !chatOf(config, org).id);
  if (isChatless && sent === 0) {
    const whose = [...new Set(waiting)].join(", ");
    const words = `${count(waiting.length, "alert")} not sent: no Telegram chat is configured for ${whose}`;
    return new AppError("CONFIG_INVALID", words, { hint: NO_CHAT_HINT });
  }
  const why = failed[0] === undefined ? "" : `: ${failed[0]}`;
  const trials = [...new Set(waiting)].map((org) => testAlertCommand({ org }));
  return new AppError(
    sent > 0 ? "PARTIAL" : "VENDOR_UNAVAILABLE",
    `${count(waiting.length, "alert")} not sent${why}`,
    { hint: `Each is kept for a day and tried again by serve. Try the chat:\n${trials.join("\n")}` },
  );
}
