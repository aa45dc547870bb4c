export const SECOND_MS = 1_000;
/** While all is calm: what nobody told is seen by then. */
const CALM_MS = 10_000;

/** What is looked at again and again. The next look begins when the one before is over. `lateMs`: how late its round begins. */
export type Look = (lateMs: number) => Promise<void> | void;

/**
 * Makes each look again and again, all of them on one timer: each time that the process wakes costs more than a look. About
 * once a second, and rarely while all is calm; whoever hears that something changed has the next round made soon.
 */
export interface Rounds {
  /** The next round begins within a second. */
  soon(): void;
  /** Until the signal aborts. By the machine's own seconds, since whoever waits outside does so too. Throws what a look throws. */
  run(looks: Looks, signal: AbortSignal): Promise<void>;
}

export interface Looks {
  all: readonly Look[];
  /** Would what they can see be told by `soon`, and does none of them wait for the next round? */
  isCalm(): boolean;
}

export function createRounds(): Rounds {
  let hasten = () => {};
  return {
    soon: () => hasten(),
    run: async ({ all, isCalm }, signal) => {
      const underWay = new Map<Look, Promise<void>>();
      const rounds = new Promise<void>((resolve, reject) => {
        const fail = (error: unknown) => {
          planner.end();
          reject(error);
        };
        const make = (look: Look, lateMs: number) => {
          const looking = look(lateMs);
          if (!looking) return;
          underWay.set(look, looking);
          looking.then(() => {
            underWay.delete(look);
            if (!isCalm()) planner.hasten();
          }, fail);
        };
        const planner = createPlanner((lateMs) => {
          try {
            for (const look of all) if (!underWay.has(look)) make(look, lateMs);
            return isCalm();
          } catch (error) {
            fail(error);
            return true;
          }
        });
        const end = () => {
          planner.end();
          resolve();
        };
        if (signal.aborted) return resolve();
        signal.addEventListener("abort", end, { once: true });
        hasten = planner.hasten;
        planner.begin();
      });
      try {
        await rounds;
        await Promise.all(underWay.values());
      } finally {
        await Promise.allSettled(underWay.values());
      }
    },
  };
}

/** `round` says whether the next one has time. Whoever hastens it while it lasts is heard. */
function createPlanner(round: (lateMs: number) => boolean) {
  let timer: NodeJS.Timeout | undefined;
  let dueMs = performance.now();
  let isOver = false;
  let isHastened = false;
  const plan = (waitMs: number) => {
    if (isOver) return;
    clearTimeout(timer);
    dueMs = performance.now() + waitMs;
    timer = setTimeout(go, waitMs);
  };
  const go = () => {
    const lateMs = Math.max(0, performance.now() - dueMs);
    plan(untilSecond());
    isHastened = false;
    if (round(lateMs) && !isHastened) plan(untilSecond(CALM_MS));
  };
  return {
    begin: go,
    hasten: () => {
      isHastened = true;
      const waitMs = SECOND_MS - (performance.now() % SECOND_MS);
      if (dueMs - performance.now() > SECOND_MS + waitMs) plan(waitMs);
    },
    end: () => {
      isOver = true;
      clearTimeout(timer);
    },
  };
}

/** The same at a pace of its own. */
export async function every(ms: number, look: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await look();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(end, ms % SECOND_MS === 0 ? untilSecond(ms) : ms);
      signal.addEventListener("abort", end);
      function end() {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      }
    });
  }
}

/** A timer may fire a little early, and would have two rounds made of one. */
function untilSecond(ms = SECOND_MS): number {
  return ms + (Math.round(performance.now() / SECOND_MS) * SECOND_MS - performance.now());
}
