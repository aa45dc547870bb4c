/**
 * The delivery's decisions beside a simulated store and vendor, in simulated time and without I/O. Several deliveries share
 * one store and one rate window, as processes do. What must never happen is an error at once.
 */
import type { Answer } from "../../../src/core/delivery/answer.ts";
import type { DeliveryCommand, DeliveryEvent, End } from "../../../src/core/delivery/events.ts";
import { initialState, decide } from "../../../src/core/delivery/machine.ts";
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
export const throttled = (notBefore: number): Answer => ({
  ...FAILED,
  kind: "retry",
  isThrottle: true,
  notBefore,
});

export interface Simulation extends Agenda {
  store: SimulatedStore;
  calls: SimulatedCall[];
  vendor: Vendor;
  /** Without it no call reaches the vendor. */
  hasAccess: boolean;
  random: () => number;
}

export interface Running {
  stop(): void;
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
  const store = createSimulatedStore(agenda.now);
  return {
    ...agenda,
    store,
    calls: [],
    random,
    hasAccess: true,
    vendor: () => ({ tookMs: 50, answers: ACCEPTED }),
  };
}

const PAUSE_MS = 50;

/** Delivers when something is due and the vendor does not rest, as a service does. */
export function serve(simulation: Simulation, changes: Partial<Rules> = {}): Running {
  const { store, at, now } = simulation;
  let running: Running | null = null;
  let isStopped = false;
  const look = () => {
    const restUntil = running ? running.restUntil() : 0;
    if (isStopped || restUntil === null) return;
    const startAt = Math.max(restUntil, store.nextDueAt());
    if (startAt <= now()) running = deliver(simulation, changes, () => at(now() + PAUSE_MS, look));
    else if (startAt < Number.POSITIVE_INFINITY) at(startAt, look);
  };
  store.watch(look);
  look();
  return {
    stop: () => {
      isStopped = true;
      running?.stop();
    },
    restUntil: () => running?.restUntil() ?? null,
  };
}

let deliveries = 0;

/** From `began` to `finish`. */
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
  const tell = (event: DeliveryEvent) => {
    if (restUntil !== null) return;
    events.push(event);
    if (isDeciding) return;
    isDeciding = true;
    for (let next = events.shift(); next && restUntil === null; next = events.shift()) {
      const decision = decide(state, next, { now: simulation.now(), random: simulation.random });
      state = frozen(decision.state);
      for (const command of decision.commands) {
        perform(command);
        if (command.kind === "finish") restUntil = command.restUntil;
      }
    }
    isDeciding = false;
    if (restUntil === null) return;
    nothingIsLeft(simulation.store, holder);
    onEnd();
  };
  const perform = createPerform({ simulation, holder, rules, tell });
  simulation.at(simulation.now(), () => tell({ kind: "began" }));
  return { stop: () => tell({ kind: "told to stop" }), restUntil: () => restUntil };
}

interface Performing {
  simulation: Simulation;
  holder: number;
  rules: Rules;
  tell: (event: DeliveryEvent) => void;
}

function createPerform({ simulation, holder, rules, tell }: Performing): (command: DeliveryCommand) => void {
  const { store, at, now, random } = simulation;
  const ledger = createLedger(simulation, holder);
  const claims = createClaims({ simulation, holder, rules, tell });
  let lastWake = 0;
  const soon = (what: () => void) => at(now() + Math.floor(random() * 5), what);
  const asked = (what: () => DeliveryEvent) =>
    soon(() => tell(store.isBroken ? { kind: "broke", isAsked: true } : what()));
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
          ...{ kind: "claimed", pushes: store.claim(holder, "any", 1), at: now(), slot: null },
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
        store.outage = command.outage;
        return;
      case "hasten":
        for (const push of store.pushes.values()) push.dueAt = Math.min(push.dueAt, now());
        return;
      case "prepare": {
        const empty = command.pushIds.filter((id) => store.pushes.get(id)?.isEmpty);
        return tell({ kind: "prepared", batch: command.batch, empty });
      }
      case "send": {
        const { batch, pushIds, goesAtOnce, slot } = command;
        if (goesAtOnce && rules.hasWindow && !slot) throw new Error("a call goes without a slot");
        if (slot && slot.at > now()) throw new Error("a call goes before its slot's time");
        const go = (used: TakenSlot | null) => {
          if (!simulation.hasAccess) {
            if (used) free(used);
            return soon(() => tell({ kind: "broke", batch }));
          }
          return ledger.call(pushIds, (answers) => {
            if (used) store.endSlot(used.id, now());
            tell({ kind: "answered", batch, answers });
          });
        };
        if (goesAtOnce) return go(slot);
        return withSlot((taken) => {
          tell({ kind: "went", batch });
          go(taken);
        });
      }
      case "settle":
        return command.ends.forEach(ledger.settle);
      case "wake": {
        lastWake += 1;
        const wake = lastWake;
        return at(command.at, () => wake === lastWake && tell({ kind: "time came" }));
      }
      case "stop claiming":
        return claims.stop();
    }
  };
}

/** Claims wait for a slot, and give up when they are told to. */
function createClaims({ simulation, holder, rules, tell }: Performing) {
  const { store, at } = simulation;
  let waiting = { isOver: false };
  const waiters = new Set<() => void>();
  const claim = (command: Extract<DeliveryCommand, { kind: "claim" }>, patience = waiting) => {
    if (store.isBroken) return tell({ kind: "broke", isAsked: true });
    const kind = command.kinds.find((each) => store.due(each).length > 0);
    if (!rules.hasWindow && !(command.isLook && kind === undefined))
      return tell({
        kind: "claimed",
        pushes: store.claim(holder, "any", command.limit),
        at: simulation.now(),
        slot: null,
      });
    if (kind === undefined || patience.isOver) return tell({ kind: "nothing due" });
    const { id, at: goAt } = store.takeSlot(holder, rules.aheadMs);
    if (id !== null) {
      const pushes = store.claim(holder, kind, command.limit);
      return tell({ kind: "claimed", pushes, at: goAt, slot: { id, at: goAt } });
    }
    const again = () => {
      if (waiters.delete(again)) claim(command, patience);
    };
    waiters.add(again);
    at(Math.max(goAt - rules.aheadMs, simulation.now() + 1), again);
  };
  return {
    claim,
    stop: () => {
      waiting.isOver = true;
      waiting = { isOver: false };
      for (const again of waiters) simulation.at(simulation.now(), again);
    },
  };
}

/** Calls and what they were answered, until their pushes end. */
function createLedger(simulation: Simulation, holder: number) {
  const { store, calls, at, now } = simulation;
  const answered = new Map<number, Answer>();
  const end = (push: SimulatedPush, state: SimulatedPush["state"]) => {
    const isDueAgain = push.hasMoved && state !== "held";
    Object.assign(push, { state: isDueAgain ? "pending" : state, dueAt: now(), endedAt: now(), tries: 0 });
    Object.assign(push, { isQuarantined: false, hasMoved: false });
  };
  return {
    call: (ids: readonly number[], answer: (answers: Answer[]) => void) => {
      const isInFlight = ({ endedAt, ids: others }: SimulatedCall) =>
        endedAt === null && others.some((id) => ids.includes(id));
      if (calls.some(isInFlight)) throw new Error("one contact is in two calls at once");
      const { tookMs, answers } = simulation.vendor(ids, now());
      const all = Array.isArray(answers) ? answers : ids.map(() => answers);
      const call: SimulatedCall = { ids, at: now(), endedAt: null };
      calls.push(call);
      at(now() + tookMs, () => {
        call.endedAt = now();
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
        if (kind === "retry" || kind === undefined)
          throw new Error("a push ends by an answer it did not get");
        return end(push, kind === "accepted" ? "delivered" : kind === "held" ? "held" : "rejected");
      }
      push.dueAt = ending.dueAt;
      push.tries += ending.counted ? 1 : 0;
      push.isQuarantined ||= ending.quarantine;
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
