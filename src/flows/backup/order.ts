import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { systemClock } from "../../shared/clock.ts";
import { AppError, ERROR_CODES, type ErrorCode, isAppError } from "../../shared/errors.ts";
import { isRunning, thisProcess } from "../../shared/process-identity.ts";
import type { Store } from "../../store/contract/store.ts";
import type { TakenBackup } from "./take.ts";

/**
 * Whoever wants a backup beside a running `serve` has `serve` take it: on the connection that writes, a copy holds up no
 * checkpoint. The order is a small file beside the log, and the answer stands in it, too.
 */
const Identity = v.object({ pid: v.number(), startedAt: v.string(), bootId: v.string() });
const Order = v.object({
  by: Identity,
  /** Whoever carries it out. */
  begunBy: v.optional(Identity),
  file: v.optional(v.string()),
  problem: v.optional(v.object({ code: v.string(), message: v.string(), hint: v.optional(v.string()) })),
});
type Order = v.InferOutput<typeof Order>;

const LOOK_EVERY_MS = 100;
/** A service looks each second; one of an older version never does. */
const TAKEN_UP_WITHIN_MS = 5_000;

const orderFile = (stateDir: string) => join(stateDir, "serve-backup.json");

/** Does anybody who still waits want one, that nobody has begun? */
export function isBackupWanted(stateDir: string): boolean {
  // A service asks each second, and to open what is not there costs an error each time.
  return existsSync(orderFile(stateDir)) && openOrder(stateDir) !== null;
}

/** Carries out the order that is open, or what is to be done anyway, and answers. */
export async function answering(
  stateDir: string,
  work: () => Promise<{ taken: TakenBackup; removed: readonly string[] }>,
) {
  const order = openOrder(stateDir);
  const answer = (rest: Partial<Order>) => {
    if (order) write(stateDir, { ...order, begunBy: thisProcess(), ...rest });
  };
  answer({});
  try {
    const outcome = await work();
    answer({ file: outcome.taken.file });
    return outcome;
  } catch (error) {
    if (isAppError(error)) {
      const { code, message, hint } = error;
      answer({ problem: { code, message, ...(hint === undefined ? {} : { hint }) } });
    }
    throw error;
  }
}

/** The file that `serve` wrote; null where none runs that takes orders. Throws what it met. */
export async function backupByServe(
  { store, stateDir }: { store: Pick<Store, "runningServices">; stateDir: string },
  signal: AbortSignal,
): Promise<string | null> {
  if ((await store.runningServices()).length === 0) return null;
  if (!write(stateDir, { by: thisProcess() })) return null;
  try {
    return await answerOf(stateDir, signal);
  } finally {
    rmSync(orderFile(stateDir), { force: true });
  }
}

/** By the machine's own time, as the service looks. */
async function answerOf(stateDir: string, signal: AbortSignal): Promise<string | null> {
  const giveUpAt = performance.now() + TAKEN_UP_WITHIN_MS;
  for (;;) {
    const order = read(stateDir);
    if (order?.file !== undefined) return order.file;
    if (order?.problem) throw problemOf(order.problem);
    const isUnderWay = order?.begunBy !== undefined && isRunning(order.begunBy);
    if (!isUnderWay && (order?.begunBy !== undefined || performance.now() > giveUpAt)) return null;
    await systemClock.sleep(LOOK_EVERY_MS, signal);
  }
}

function problemOf({ code, message, hint }: NonNullable<Order["problem"]>): AppError {
  const isKnown = (name: string): name is ErrorCode => Object.hasOwn(ERROR_CODES, name);
  return new AppError(isKnown(code) ? code : "CONFIG_INVALID", message, hint === undefined ? {} : { hint });
}

function openOrder(stateDir: string): Order | null {
  const order = read(stateDir);
  const isOpen = order && !order.begunBy && isRunning(order.by);
  return isOpen ? order : null;
}

/** Null where there is none, or it cannot be read. */
function read(stateDir: string): Order | null {
  try {
    return v.parse(Order, JSON.parse(readFileSync(orderFile(stateDir), "utf8")));
  } catch {
    return null;
  }
}

/** False where it cannot be written: then everybody does for himself. */
function write(stateDir: string, order: Order): boolean {
  const [file, next] = [orderFile(stateDir), `${orderFile(stateDir)}.${thisProcess().pid}`];
  try {
    writeFileSync(next, JSON.stringify(order), { mode: 0o600 });
    renameSync(next, file);
    return true;
  } catch {
    return false;
  }
}
