import type { Connection } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import { markMustReconnect } from "./must-reconnect.ts";

/**
 * What keeps us from the vendor before anything is sent, and neither time nor a new consent need mend: a wrong client
 * secret, another client id, an app that was changed. It stands on the connection until a token can be had again.
 */
export function isRefusal(error: unknown): error is AppError {
  return isAppError(error, "CONFIG_INVALID") || isAppError(error, "VENDOR_REJECTED");
}

type NotingStore = Pick<Store, "saveConnection" | "hold">;

/** Notes what a token step met: a login that is dead, or a refusal. */
export async function noteTokenProblem(
  { store, clock }: { store: NotingStore; clock: Pick<Clock, "now"> },
  connection: Connection,
  problem: unknown,
): Promise<void> {
  if (isAppError(problem, "RECONNECT_NEEDED")) await markMustReconnect(store, connection, problem);
  if (!isRefusal(problem) || connection.state !== "connected") return;
  const { code, message, hint } = problem;
  const since = connection.refusal?.since ?? clock.now();
  const isOurs = code === "CONFIG_INVALID";
  const refusal = { since, isOurs, reason: message, fix: hint ?? null };
  await store.saveConnection(connection, { refusal });
}

/**
 * Watches one connection's token steps: each finding is noted once. A refusal that stands goes with the first step that did
 * what was refused: a token at hand that still serves proves nothing.
 */
export function createTokenNotes(
  context: { store: NotingStore; clock: Pick<Clock, "now"> },
  connection: Connection,
) {
  let noted = connection.refusal?.reason ?? null;
  let isRefused = noted !== null;
  return {
    /** Then the next step has to try anew what was refused. */
    isRefused: () => isRefused,
    /** A step began while `wasRefused`, and met nothing. */
    passed: async (wasRefused: boolean): Promise<void> => {
      if (isRefused && !wasRefused) return;
      noted = null;
      if (!isRefused) return;
      isRefused = false;
      await context.store.saveConnection(connection, { refusal: null });
    },
    met: async (problem: unknown): Promise<void> => {
      if (!isAppError(problem) || noted === problem.message) return;
      noted = problem.message;
      isRefused ||= isRefusal(problem);
      await noteTokenProblem(context, connection, problem);
    },
  };
}
