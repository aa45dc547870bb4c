import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { AppError, type ErrorCode } from "../../shared/errors.ts";
import type { BackupFiles, CheckedLog } from "../contract/backups.ts";

export interface BackupTask {
  id: number;
  task: "finish" | "check" | "vacuum";
  path: string;
  /** Where SQLite keeps a copy on the way. */
  temporaryDir: string;
}

export interface BackupThreadOptions {
  /** Not 0: whatever it is at ends with its next statement. */
  isUnwanted: Int32Array;
}

export type BackupAnswer =
  | { ready: true }
  | { id: number; checked: CheckedLog | null }
  | { id: number; failure: { code: ErrorCode | null; message: string; hint: string | undefined } };

export interface LogPlaces {
  log: string;
  temporaryDir: string;
}

/** Once the thread has all its code. It ends with whoever opened it. */
export async function openBackupFiles(
  threadUrl: URL,
  { log, temporaryDir }: LogPlaces,
): Promise<BackupFiles> {
  const isUnwanted = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(threadUrl, { workerData: { isUnwanted } satisfies BackupThreadOptions });
  const exited = new Promise((resolve) => worker.once("exit", resolve));
  await once(worker, "message");
  worker.unref();
  const calls = new Map<number, { resolve(checked: CheckedLog | null): void; reject(error: Error): void }>();
  let lastId = 0;
  let ended: Error | null = null;
  let isClosing = false;
  /** Nobody waits for it, unless for its end. */
  const rest = () => {
    if (calls.size === 0 && !isClosing) worker.unref();
  };
  const end = (error: Error) => {
    ended ??= error;
    for (const { reject } of calls.values()) reject(ended);
    calls.clear();
    rest();
  };
  worker.on("message", (answer: BackupAnswer) => {
    if ("ready" in answer) return;
    const call = calls.get(answer.id);
    calls.delete(answer.id);
    rest();
    if ("checked" in answer) return call?.resolve(answer.checked);
    const { code, message, hint } = answer.failure;
    call?.reject(
      code === null ? new Error(message) : new AppError(code, message, hint === undefined ? {} : { hint }),
    );
  });
  worker.on("error", (error) => end(error instanceof Error ? error : new Error(String(error))));
  worker.on("exit", () => end(new Error("the backups' thread has ended")));
  const ask = (task: BackupTask["task"], path: string): Promise<CheckedLog | null> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      lastId += 1;
      calls.set(lastId, { resolve, reject });
      worker.ref();
      worker.postMessage({ id: lastId, task, path, temporaryDir } satisfies BackupTask);
    });
  return {
    finish: async (path) => checkedIn(await ask("finish", path)),
    check: async (path) => checkedIn(await ask("check", path)),
    vacuum: async () => void (await ask("vacuum", log)),
    close: async () => {
      // It ends once the statement that it is at has ended: until then the process stays.
      isClosing = true;
      worker.ref();
      Atomics.store(isUnwanted, 0, 1);
      if (!ended) worker.postMessage("close");
      await exited;
    },
  };
}

function checkedIn(checked: CheckedLog | null): CheckedLog {
  if (checked === null) throw new Error("the backups' thread looked through nothing");
  return checked;
}
