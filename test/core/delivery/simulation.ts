/**
 * The delivery's decisions beside a simulated store and vendor, in simulated time and without I/O. Several deliveries share
 * one store and one rate window, as processes do. What must never happen is an error at once.
 */
import type { Answer } from "../../../src/core/delivery/answer.ts";
import type { DeliveryCommand, DeliveryEvent, End } from "../../../src/core/delivery/events.ts";
import { initialState, decide } from "../../../src/core/delivery/machine.ts";
import { type Obstacle, restAfter } from "../../../src/core/delivery/obstacle.ts";
import type { TakenSlot } from "../../../src/core/delivery/rate-window.ts";
import type { DeliveryState, Rules } from "../../../src/core/delivery/state.ts";
import {
  type Agenda,
  createAgenda,
  createSimulatedStore,
  MINUTE,
  SECOND,
  type SimulatedPush,
  type SimulatedStore,
  WINDOW,
} from "./simulated-store.ts";

export const TICK = 5 * MINUTE;
export const TIMEOUT = 30 * SECOND;
export const START = 12 * 60 * MINUTE + MINUTE;
export const RULES: Rules = {
  batchSize: 10,
  mostInFlight: 10,
  hasWindow: true,
  spacingMs: WINDOW.windowMs / WINDOW.calls,
  aheadMs: 100,
  retryEveryMs: TICK,
  insists: false,
};

export interface SimulatedCall {
  ids: readonly number[];
  at: number;
  endedAt: number | null;
  /** The delivery that made it. */
  holder: number;
}

/** What the vendor makes of a call and how long it takes: an answer for each push, or one for all. */
export type Vendor = (ids: readonly number[], at: number) => { tookMs: number; answers: Answer | Answer[] };

const SAID = { httpStatus: 500, correlationId: null, reason: "the vendor answered 500" };
const REJECTION = { message: "no", category: null, field: null, httpStatus: 400, correlationId: null };
export const ACCEPTED: Answer = { kind: "accepted" };
export const FAILED: Answer = { kind: "retry", isThrottle: false, notBefore: null, ...SAID };
export const REJECTED: Answer = { kind: "rejected", rejection: REJECTION };
export const HELD: Answer = { kind: "held", cause: "property", detail: "jc_disc_d" };
export const SPLIT: Extract<Answer, { kind: "split" }> = {
  kind: "split",
  rejection: REJECTION,
  suspect: true,
};
/** Two changes of one contact clashed. */
export const CLASHED: Answer = { kind: "rejected", rejection: REJECTION, mayPass: true };
export const again = (at: number): Answer => ({ kind: "again", at, ...SAID });
export const throttled = (notBefore: number): Answer => ({
  ...FAILED,
  kind: "retry",
  isThrottle: true,
  notBefore,
});

export interface Simulation extends Agenda {
  store: SimulatedStore;
  calls: SimulatedCall[];
  inFlight: Set<SimulatedCall>;
  vendor: Vendor;
  /** What the clock shows; `now` and `at` go on whatever it is set to. */
  clock(): number;
  setClock(byMs: number): void;
  /** Calls back once so many commands of that kind were begun, by whomever. */
  onCommand(kind: DeliveryCommand["kind"], nth: number, what: () => void): void;
  /** A delivery begins one. */
  begins(kind: DeliveryCommand["kind"]): void;
  /** Without it no call reaches the vendor. */
  hasAccess: boolean;
  random: () => number;
}

export interface Running {
  stop(): void;
  /** It does nothing more, and its calls come to nobody. */
  kill(): void;
  /** Null while it runs. */
  restUntil(): number | null;
}

export function simulate({
  random = () => 0,
  startAt = START,
}: {
  random?: () => number;
  startAt?: number;
} = {}): Simulation {
  const agenda = createAgenda(startAt);
  let aheadMs = 0;
  const clock = () => agenda.now() + aheadMs;
  const store = createSimulatedStore(clock, agenda.now);
  const begun = new Map<string, number>();
  const expected = new Map<string, () => void>();
  return {
    ...agenda,
    clock,
    setClock: (byMs) => {
      aheadMs += byMs;
    },
    onCommand: (kind, nth, what) => expected.set(`${kind} ${nth}`, what),
    begins: (kind) => {
      const nth = (begun.get(kind) ?? 0) + 1;
      begun.set(kind, nth);
      const what = expected.get(`${kind} ${nth}`);
      if (what) agenda.at(agenda.now() + Math.floor(random() * 5), what);
    },
    store,
    calls: [],
    inFlight: new Set(),
    random,
    hasAccess: true,
    vendor: () => ({ tookMs: 50, answers: ACCEPTED }),
  };
}

const PAUSE_MS = 50;
const LOOK_MS = 10 * SECOND;

/** Delivers when something is due and the vendor does not rest, as a service does. */
export function serve(simulation: Simulation, changes: Partial<Rules> = {}): Running {
  const { store, at, now, clock } = simulation;
  let running: Running | null = null;
  let beganAt = 0;
  let isOver = false;
  const look = () => {
    const restUntil = running ? running.restUntil() : 0;
    if (isOver || restUntil === null) return;
    // A rest from a time to come is none.
    const startAt = Math.max(beganAt <= clock() ? restUntil : 0, store.nextDueAt());
    if (startAt <= clock()) {
      beganAt = clock();
      running = deliver(simulation, changes, () => at(now() + PAUSE_MS, look));
    } else if (startAt < Number.POSITIVE_INFINITY) at(now() + Math.min(startAt - clock(), LOOK_MS), look);
  };
  store.watch(look);
  look();
  return {
    stop: () => {
      isOver = true;
      running?.stop();
    },
    kill: () => {
      isOver = true;
      running?.kill();
    },
    restUntil: () => running?.restUntil() ?? null,
  };
}

let deliveries = 0;

/** From `began` to the end of all that was begun. */
export function deliver(
  simulation: Simulation,
  changes: Partial<Rules> = {},
  onEnd: () => void = () => {},
): Running {
  deliveries += 1;
  const holder = deliveries;
  const rules = { ...RULES, ...changes };
  let state: DeliveryState = frozen(initialState(rules, simulation.store.outage));
  let restUntil: number | null = null;
  const events: DeliveryEvent[] = [];
  let isDeciding = false;
  let isStopped = false;
  const tell = (event: DeliveryEvent) => {
    if (state.phase === "over") return;
    events.push(event);
    if (isDeciding) return;
    isDeciding = true;
    for (let next = events.shift(); next && state.phase !== "over"; next = events.shift()) {
      const { clock: now, random } = simulation;
      const decision = decide(state, next, { now: now(), random });
      state = frozen(decision.state);
      for (const command of decision.commands) {
        simulation.begins(command.kind);
        if (isStopped && command.kind === "send") throw new Error("a call begins after the stop");
        perform(command);
      }
    }
    isDeciding = false;
  };
  const work = createWork({ simulation, holder, tell }, (until) => {
    restUntil = until;
    onEnd();
  });
  const perform = createPerform({ simulation, holder, rules, tell, work });
  work.at(simulation.now(), () => tell({ kind: "began" }));
  return {
    stop: () => {
      isStopped = true;
      work.stop();
      tell({ kind: "told to stop" });
    },
    kill: work.kill,
    restUntil: () => restUntil,
  };
}

interface Performing {
  simulation: Simulation;
  holder: number;
  rules: Rules;
  tell: (event: DeliveryEvent) => void;
  work: Work;
}

/** What a delivery has begun, until it is killed or all has ended. */
interface Work {
  at(time: number, what: () => void): void;
  soon(what: () => void): void;
  /** Repeated for so long while the store refuses. */
  write(what: () => void, asked: { patienceMs: number; settles?: readonly End[] }): void;
  fail(obstacle: Obstacle, event?: Omit<Extract<DeliveryEvent, { kind: "broke" }>, "kind">): void;
  finish(restUntil: number): void;
  stop(): void;
  kill(): void;
}

const STORE_AGAIN_MS = SECOND;
const STORE_PATIENCE_MS = MINUTE;
const AT_ONCE = { patienceMs: 0 };

function createWork(
  { simulation, holder, tell }: Pick<Performing, "simulation" | "holder" | "tell">,
  onEnd: (restUntil: number) => void,
): Work {
  const { store, now, random, clock } = simulation;
  let [isDead, isStopped] = [false, false];
  let obstacle: Obstacle | null = null;
  const unsettled: number[] = [];
  let writing = 0;
  let end: number | null = null;
  const at = (time: number, what: () => void) => simulation.at(time, () => isDead || what());
  const soon = (what: () => void) => at(now() + Math.floor(random() * 5), what);
  const endIfDone = () => {
    if (end === null || writing > 0) return;
    if (obstacle && store.isBroken) return at(now() + STORE_AGAIN_MS, endIfDone);
    store.forget(holder, unsettled);
    nothingIsLeft(store, holder);
    const restUntil = obstacle ? restAfter(obstacle, { now: clock(), retryEveryMs: TICK }) : end;
    end = null;
    onEnd(restUntil);
  };
  const fail: Work["fail"] = (what, event = {}) => {
    obstacle ??= what;
    tell({ kind: "broke", ...event });
  };
  return {
    at,
    soon,
    fail,
    write: (what, { patienceMs, settles = [] }) => {
      const giveUpAt = now() + patienceMs;
      writing += 1;
      const attempt = () => {
        if (store.isBroken && now() < giveUpAt && !isStopped) return at(now() + STORE_AGAIN_MS, attempt);
        writing -= 1;
        if (store.isBroken) {
          unsettled.push(...settles.map(({ pushId }) => pushId));
          fail("store");
        } else what();
        endIfDone();
      };
      soon(attempt);
    },
    finish: (restUntil) => {
      end = restUntil;
      at(now(), endIfDone);
    },
    stop: () => {
      isStopped = true;
    },
    kill: () => {
      isDead = true;
      for (const call of simulation.inFlight)
        if (call.holder === holder) {
          call.endedAt = now();
          simulation.inFlight.delete(call);
        }
      simulation.at(now() + Math.floor(random() * 2 * SECOND), () =>
        store.forget(holder, [...store.pushes.keys()]),
      );
    },
  };
}

function createPerform({
  simulation,
  holder,
  rules,
  tell,
  work,
}: Performing): (command: DeliveryCommand) => void {
  const { store, now, clock } = simulation;
  const { at, soon } = work;
  const ledger = createLedger(simulation, holder, work);
  const claims = createClaims({ simulation, holder, rules, tell, work });
  let lastWake = 0;
  const asked = (what: () => DeliveryEvent) =>
    soon(() => (store.isBroken ? work.fail("store", { isAsked: true }) : tell(what())));
  const withSlot = (go: (slot: TakenSlot | null) => void) => {
    if (!rules.hasWindow) return go(null);
    const slot = store.takeSlot(holder, 0);
    if (slot.id !== null) go({ id: slot.id, at: slot.at });
    else at(slot.at, () => withSlot(go));
  };
  const free = ({ id, at }: TakenSlot) => store.endSlot(id, at - WINDOW.windowMs);
  return (command) => {
    switch (command.kind) {
      case "claim":
        return soon(() => claims.claim(command));
      case "claim probe":
        return asked(() => ({
          ...{ kind: "claimed", pushes: store.claim(holder, "any", 1), at: clock(), slot: null },
        }));
      case "take slot":
        return soon(() => withSlot((slot) => tell({ kind: "slot taken", slot })));
      case "free slots":
        return command.slots.forEach(free);
      case "open tick":
        return asked(() => ({ kind: "tick opened", isOurs: store.openTick(command.dueAt) }));
      case "read outage":
        return asked(() => ({ kind: "outage read", outage: store.outage }));
      case "save outage":
        return work.write(() => {
          store.outage = command.outage;
        }, AT_ONCE);
      case "hasten":
        return work.write(() => {
          for (const push of store.pushes.values()) push.dueAt = Math.min(push.dueAt, clock());
        }, AT_ONCE);
      case "prepare": {
        const empty = command.pushIds.filter((id) => store.pushes.get(id)?.isEmpty);
        return at(now(), () => tell({ kind: "prepared", batch: command.batch, empty }));
      }
      case "send": {
        const { batch, pushIds, goesAtOnce, slot } = command;
        if (goesAtOnce && rules.hasWindow && !slot) throw new Error("a call goes without a slot");
        const go = (used: TakenSlot | null) => {
          if (!simulation.hasAccess) {
            if (used) free(used);
            return soon(() => work.fail("login of before", { batch }));
          }
          return ledger.call(pushIds, (answers) => {
            if (used) store.endSlot(used.id, now());
            tell({ kind: "answered", batch, answers });
          });
        };
        if (goesAtOnce) return slot && slot.at > now() ? at(slot.at, () => go(slot)) : go(slot);
        return withSlot((taken) => {
          tell({ kind: "went", batch });
          go(taken);
        });
      }
      case "settle":
        return work.write(() => command.ends.forEach(ledger.settle), {
          patienceMs: STORE_PATIENCE_MS,
          settles: command.ends,
        });
      case "wake": {
        lastWake += 1;
        const wake = lastWake;
        const inMs = Math.max(0, command.at - clock());
        return at(now() + inMs, () => wake === lastWake && tell({ kind: "time came" }));
      }
      case "stop claiming":
        return claims.stop();
      case "finish":
        return work.finish(command.restUntil);
    }
  };
}

/** Claims wait for a slot, and give up when they are told to. */
function createClaims({ simulation, holder, rules, tell, work }: Performing) {
  const { store, clock, now } = simulation;
  let waiting = { isOver: false };
  const waiters = new Set<() => void>();
  const claim = (command: Extract<DeliveryCommand, { kind: "claim" }>, patience = waiting) => {
    if (store.isBroken) return work.fail("store", { isAsked: true });
    const kind = command.kinds.find((each) => store.due(each).length > 0);
    if (!rules.hasWindow && !(command.isLook && kind === undefined))
      return tell({
        kind: "claimed",
        pushes: store.claim(holder, "any", command.limit),
        at: clock(),
        slot: null,
      });
    if (kind === undefined || patience.isOver) return tell({ kind: "nothing due" });
    const { id, at: goAt } = store.takeSlot(holder, rules.aheadMs);
    if (id !== null) {
      const pushes = store.claim(holder, kind, command.limit);
      const at = clock() + Math.max(0, goAt - now());
      return tell({ kind: "claimed", pushes, at, slot: { id, at: goAt } });
    }
    const again = () => {
      if (waiters.delete(again)) claim(command, patience);
    };
    waiters.add(again);
    work.at(Math.max(goAt - rules.aheadMs, now() + 1), again);
  };
  return {
    claim,
    stop: () => {
      waiting.isOver = true;
      waiting = { isOver: false };
      for (const again of waiters) work.at(now(), again);
    },
  };
}

/** Calls and what they were answered, until their pushes end. */
function createLedger(simulation: Simulation, holder: number, { at }: Work) {
  const { store, calls, inFlight, now, clock } = simulation;
  const answered = new Map<number, Answer>();
  const end = (push: SimulatedPush, state: SimulatedPush["state"]) => {
    const isDueAgain = push.hasMoved && state !== "held";
    Object.assign(push, { state: isDueAgain ? "pending" : state, dueAt: clock(), endedAt: now(), tries: 0 });
    Object.assign(push, { isQuarantined: false, hasMoved: false });
  };
  return {
    call: (ids: readonly number[], answer: (answers: Answer[]) => void) => {
      for (const other of inFlight)
        if (other.ids.some((id) => ids.includes(id))) throw new Error("one contact is in two calls at once");
      if (ids.some((id) => store.pushes.get(id)?.holder !== holder))
        throw new Error("a call tells what is not claimed");
      const { tookMs, answers } = simulation.vendor(ids, now());
      const all = Array.isArray(answers) ? answers : ids.map(() => answers);
      const call: SimulatedCall = { ids, at: now(), endedAt: null, holder };
      calls.push(call);
      inFlight.add(call);
      at(now() + tookMs, () => {
        call.endedAt = now();
        inFlight.delete(call);
        for (const [index, id] of ids.entries())
          if (answered.get(id)?.kind !== "accepted") answered.set(id, all[index] ?? FAILED);
        answer(all);
      });
    },
    settle: ({ pushId, ending }: End) => {
      const push = store.pushes.get(pushId);
      if (push?.holder !== holder) throw new Error("a push is settled that is not claimed");
      push.holder = null;
      const kind = answered.get(pushId)?.kind;
      answered.delete(pushId);
      if (ending === "empty") return end(push, "delivered");
      if (ending === "as answered") {
        if (kind === "retry" || kind === "again" || kind === undefined)
          throw new Error("a push ends by an answer it did not get");
        return end(push, kind === "accepted" ? "delivered" : kind === "held" ? "held" : "rejected");
      }
      if (ending.counted && kind !== "retry" && kind !== "again")
        throw new Error("a try is counted for what the vendor did not decide");
      push.dueAt = ending.dueAt;
      push.tries += ending.counted ? 1 : 0;
      push.isQuarantined ||= ending.quarantine && !push.hasMoved;
      push.hasMoved = false;
    },
  };
}

function nothingIsLeft({ pushes, openSlots }: SimulatedStore, holder: number): void {
  if (openSlots(holder) > 0) throw new Error("a delivery ended and left a slot taken");
  for (const push of pushes.values())
    if (push.holder === holder) throw new Error("a delivery ended and left a push claimed");
}

/** A decision that changes the state it is made on throws. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const each of Object.values(value)) frozen(each);
  return Object.freeze(value);
}
