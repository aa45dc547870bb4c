import { constants, copyFileSync } from "node:fs";
import { AppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import { type KeepContext, takeAndRotate } from "./keep.ts";
import { factsBeside } from "./list.ts";
import { backupByServe } from "./order.ts";
import { takeAs, type TakenBackup } from "./take.ts";

/** A backup at once, for a person: by `serve` where it runs, else by this process. */
export interface NowContext extends KeepContext {
  store: Pick<Store, "copyTo" | "runningServices">;
}

/** Into the directory for backups. */
export async function backUpNow(
  context: NowContext,
): Promise<{ taken: TakenBackup; removed: readonly string[] }> {
  const file = await backupByServe(context, context.signal);
  return file === null ? await takeAndRotate(context) : { taken: knownAs(file), removed: [] };
}

/** Into that file, as a copy of what `serve` wrote. Where `serve` could not, this process does all of it. */
export async function backUpNowAs(context: NowContext, file: string): Promise<TakenBackup> {
  const copyTo = async (to: string) => {
    const byServe = await backupByServe(context, context.signal).catch((error: unknown) => {
      if (error instanceof AppError) return null;
      throw error;
    });
    if (byServe === null) await context.store.copyTo(to);
    else copyFileSync(byServe, to, constants.COPYFILE_FICLONE);
  };
  return await takeAs({ ...context, store: { copyTo } }, file);
}

function knownAs(file: string): TakenBackup {
  const facts = factsBeside(file);
  if (!facts)
    throw new AppError("STORE_UNAVAILABLE", `${file} was taken away as soon as serve had written it`, {
      hint: "Try again.",
    });
  const { takenAt, log, ...rest } = facts;
  return { ...rest, file, takenAt: Date.parse(takenAt), logId: log };
}
