import { Worker } from "node:worker_threads";
import type { NewEvent } from "../../core/event.ts";
import { AppError } from "../../shared/errors.ts";
import { cpuMsOf } from "../../shared/thread-time.ts";
import type { StoreFault } from "../contract/store.ts";
import type { ThreadedStore } from "../contract/threaded.ts";
import { LockedOut, repeatWhileLockedOut } from "./file/locked-out.ts";
import type { FromThread, ThreadFailure, ThreadOptions, ToThread } from "./messages.ts";
import { type VerbName, VERBS } from "../contract/verbs.ts";
import { storeOf, type VerbArgs, type VerbResult } from "./forward.ts";

/** Its thread looks for the lock for a moment only, and serves others in between. */
const PAUSE_MS = 250;
/** What waits for a commit is bounded; beyond it `append` refuses at once and the sender tries again. */
const MOST_WAITING_EVENTS = 20_000;

/** The store in a thread of its own, so that the disk's waiting never holds up who asks. */
export async function openThreadedStore(options: ThreadOptions & { threadUrl: URL }): Promise<ThreadedStore> {
  const worker = new Worker(options.threadUrl, {
    workerData: {
      stateDir: options.stateDir,
      isExpected: options.isExpected ?? false,
      staysUp: options.staysUp ?? false,
    } satisfies ThreadOptions,
  });
  const exited = new Promise((resolve) => worker.once("exit", resolve));
  const calls = createCalls();
  const watchers = new Set<() => void>();
  const faultWatchers = new Set<() => void>();
  const besideWatchers = new Set<(isWorking: boolean) => void>();
  let faults: readonly StoreFault[] = [];
  let ended: Error | null = null;

  const changed = () => {
    for (const onChange of watchers) onChange();
  };
  const end = (error: Error) => {
    ended ??= error;
    for (const { reject } of calls.takeAll()) reject(ended);
  };

  const thread = await new Promise<string | null>((resolve, reject) => {
    worker.on("message", (message: FromThread<never>) => {
      switch (message.kind) {
        case "open":
          return resolve(message.thread);
        case "broken":
          return reject(errorOf(message.failure));
        case "changed":
          return changed();
        case "beside":
          for (const heard of besideWatchers) heard(message.isWorking);
          return;
        case "faults":
          faults = message.faults;
          for (const onChange of faultWatchers) onChange();
          // What waited for the store may be done now.
          return changed();
      }
      const call = calls.take(message.id);
      if (message.kind === "result") call?.resolve(message.result);
      else call?.reject(errorOf(message.failure));
    });
    worker.on("error", (error) => {
      end(error instanceof Error ? error : new Error(String(error)));
      reject(error);
    });
    worker.on("exit", () => {
      end(new Error("the store is closed"));
      reject(ended);
    });
  });

  const send = <Result>(message: (id: number) => ToThread): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      worker.postMessage(message(calls.add({ resolve, reject })));
    });
  let waitingEvents = 0;
  /** From memory: a thread that is at work on what is wrong answers nobody. */
  const refuseBroken = () => {
    const fault = faults.find(({ refuses }) => refuses);
    if (fault) throw new AppError("STORE_UNAVAILABLE", fault.message, { hint: fault.hint });
  };
  const append = async (events: readonly NewEvent[]): Promise<VerbResult["append"]> => {
    refuseBroken();
    if (waitingEvents + events.length > MOST_WAITING_EVENTS) {
      throw new AppError("STORE_UNAVAILABLE", "too many events wait to be stored", {
        hint: "Send it again in a second.",
      });
    }
    waitingEvents += events.length;
    try {
      const results = await send<VerbResult["append"]>((id) => ({ kind: "append", id, events }));
      changed();
      return results;
    } finally {
      waitingEvents -= events.length;
    }
  };
  const call = async <Name extends VerbName>(name: Name, args: VerbArgs[Name]): Promise<VerbResult[Name]> => {
    const result = await repeatWhileLockedOut(
      () => send<VerbResult[Name]>((id) => ({ kind: "verb", id, name, args })),
      { pauseMs: PAUSE_MS },
    );
    if (VERBS[name].wakes) changed();
    return result;
  };
  const store = storeOf(call, {
    watch: (onChange) => {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
    copyTo: (file) => send<void>((id) => ({ kind: "copy", id, file })),
    isHolding: () => true,
    faults: () => faults,
    watchFaults: (onChange) => {
      faultWatchers.add(onChange);
      return () => faultWatchers.delete(onChange);
    },
    close: async () => {
      if (!ended) worker.postMessage({ kind: "close" } satisfies ToThread);
      await exited;
    },
  });
  return {
    ...store,
    append,
    thread: {
      ask: () => send<void>((id) => ({ kind: "ask", id })),
      cpuMs: () => (thread === null ? null : cpuMsOf(thread)),
      watchBeside: (heard) => {
        besideWatchers.add(heard);
        return () => besideWatchers.delete(heard);
      },
    },
  };
}

/** What answers a call under way. Only its caller knows the type of the result, hence `never`. */
interface Call {
  resolve: (result: never) => void;
  reject: (error: Error) => void;
}

/**
 * By places that are used again: a Map that calls pass through leaves tables behind as it grows, and what they held stays
 * until the whole heap is collected.
 */
function createCalls() {
  const places: (Call | null)[] = [];
  const free: number[] = [];
  const take = (id: number): Call | null => {
    const call = places[id] ?? null;
    if (call) free.push(id);
    places[id] = null;
    return call;
  };
  return {
    add: (call: Call): number => {
      const id = free.pop() ?? places.length;
      places[id] = call;
      return id;
    },
    take,
    takeAll: (): Call[] => [...places.keys()].flatMap((id) => take(id) ?? []),
  };
}

function errorOf({ code, message, hint, isLockedOut }: ThreadFailure): Error {
  if (code === null) return new Error(message);
  const cause = isLockedOut ? new LockedOut() : undefined;
  return new AppError(code, message, { cause, ...(hint === undefined ? {} : { hint }) });
}
