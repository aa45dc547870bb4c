import { Worker } from "node:worker_threads";
import type { NewEvent } from "../../core/event.ts";
import { AppError, type ErrorCode } from "../../shared/errors.ts";
import type { Store } from "../contract.ts";
import { isWrite, storeOf, type VerbArgs, type VerbName, type VerbResult } from "./verbs.ts";

/** What waits for a commit is bounded; beyond it `append` refuses at once and the sender tries again. */
const MOST_WAITING_EVENTS = 20_000;

export interface ThreadOptions {
  stateDir: string;
}
export type ToThread =
  | { kind: "append"; id: number; events: readonly NewEvent[] }
  | { kind: "verb"; id: number; name: VerbName; args: unknown[] }
  | { kind: "close" };
export type FromThread =
  | { kind: "open" }
  | { kind: "broken"; failure: ThreadFailure }
  | { kind: "result"; id: number; result: unknown }
  | { kind: "failure"; id: number; failure: ThreadFailure }
  | { kind: "changed" }
  | { kind: "closed" };
export interface ThreadFailure {
  /** null: a bug; `message` is then its stack. */
  code: ErrorCode | null;
  message: string;
  hint: string | undefined;
}

/** The store in a thread of its own, so that the disk's waiting never holds up who asks. */
export async function openThreadedStore(options: ThreadOptions & { threadUrl: URL }): Promise<Store> {
  const worker = new Worker(options.threadUrl, {
    workerData: { stateDir: options.stateDir } satisfies ThreadOptions,
  });
  const calls = new Map<number, { resolve: (result: never) => void; reject: (error: unknown) => void }>();
  const watchers = new Set<() => void>();
  let lastId = 0;
  let ended: Error | null = null;

  const changed = () => {
    for (const onChange of watchers) onChange();
  };
  const fail = (error: Error) => {
    ended ??= error;
    for (const { reject } of calls.values()) reject(ended);
    calls.clear();
  };
  const send = <Result>(message: (id: number) => ToThread): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      lastId += 1;
      calls.set(lastId, { resolve, reject });
      worker.postMessage(message(lastId));
    });

  await new Promise<void>((resolve, reject) => {
    worker.on("message", (message: FromThread) => {
      if (message.kind === "open") resolve();
      else if (message.kind === "broken") reject(errorOf(message.failure));
      else if (message.kind === "changed") changed();
      else if (message.kind === "closed") fail(new Error("the store is closed"));
      else {
        const call = calls.get(message.id);
        calls.delete(message.id);
        if (message.kind === "failure") call?.reject(errorOf(message.failure));
        else call?.resolve(message.result as never);
      }
    });
    worker.on("error", (error) => fail(error instanceof Error ? error : new Error(String(error))));
    worker.on("exit", () => fail(new Error("the store's thread has ended")));
  });

  let waitingEvents = 0;
  const append = async (events: readonly NewEvent[]): Promise<VerbResult["append"]> => {
    if (waitingEvents + events.length > MOST_WAITING_EVENTS) {
      throw new AppError("STORE_UNAVAILABLE", "too many events wait to be stored", {
        hint: "Send it again in a second.",
      });
    }
    waitingEvents += events.length;
    try {
      return await send((id) => ({ kind: "append", id, events }));
    } finally {
      waitingEvents -= events.length;
    }
  };
  const verb = <Name extends VerbName>(name: Name, args: VerbArgs[Name]): Promise<VerbResult[Name]> =>
    send((id) => ({ kind: "verb", id, name, args }));

  const call = async <Name extends VerbName>(name: Name, args: VerbArgs[Name]): Promise<VerbResult[Name]> => {
    const result = await verb(name, args);
    if (isWrite(name)) changed();
    return result;
  };
  const store = storeOf(call, {
    watch: (onChange) => {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
    close: async () => {
      if (ended) return;
      const gone = new Promise((resolve) => worker.once("exit", resolve));
      worker.postMessage({ kind: "close" } satisfies ToThread);
      await gone;
    },
  });
  return {
    ...store,
    append: async (events) => {
      const results = await append(events);
      changed();
      return results;
    },
  };
}

function errorOf(failure: ThreadFailure): Error {
  if (failure.code === null) return new Error(failure.message);
  return new AppError(
    failure.code,
    failure.message,
    failure.hint === undefined ? {} : { hint: failure.hint },
  );
}
