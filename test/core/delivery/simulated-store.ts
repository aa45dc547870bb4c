/** A store of maps in simulated time: pushes that one delivery at a time may hold, and a rate window that all share. */
import type { Outage } from "../../../src/core/connection.ts";
import type { ClaimedPush, ClaimKind } from "../../../src/core/delivery/events.ts";
import { type CountedSlot, takeSlot } from "../../../src/core/delivery/rate-window.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const WINDOW = { calls: 10, windowMs: 10 * SECOND };

export interface SimulatedPush {
  id: number;
  state: "pending" | "delivered" | "rejected" | "held";
  raisedAt: number;
  dueAt: number;
  tries: number;
  isQuarantined: boolean;
  isEmpty: boolean;
  /** It has news since it was claimed. */
  hasMoved: boolean;
  /** The delivery that claimed it. */
  holder: number | null;
  endedAt: number | null;
}

const MOST_IN_A_MOMENT = 10_000;

export interface Agenda {
  now(): number;
  at(time: number, what: () => void): void;
  pass(ms: number): void;
}

/** What is to happen when; things of one moment happen in the order in which they were put down. */
export function createAgenda(startAt: number): Agenda {
  let now = startAt;
  const things: { at: number; what: () => void }[] = [];
  return {
    now: () => now,
    at: (time, what) => {
      const at = Math.max(time, now);
      const later = things.findLastIndex((each) => each.at <= at);
      things.splice(later + 1, 0, { at, what });
    },
    pass: (ms) => {
      const until = now + ms;
      let inThisMoment = 0;
      for (let next = things[0]; next && next.at <= until; next = things[0]) {
        things.shift();
        inThisMoment = next.at === now ? inThisMoment + 1 : 0;
        if (inThisMoment > MOST_IN_A_MOMENT) throw new Error("time stands still: it goes round in a circle");
        now = next.at;
        next.what();
      }
      now = until;
    },
  };
}

export interface SimulatedStore {
  pushes: Map<number, SimulatedPush>;
  outage: Outage | null;
  /** Refuses all that is asked of it. */
  isBroken: boolean;
  raise(n: number, push?: Partial<SimulatedPush>): number[];
  /** News of a contact: due at once, or when its claim ends. */
  renew(id: number): void;
  /** Calls back when something is raised. */
  watch(onChange: () => void): void;
  nextDueAt(): number;
  due(kind: ClaimKind): SimulatedPush[];
  claim(holder: number, kind: ClaimKind, limit: number): ClaimedPush[];
  /** What it has claimed of these is free, and due as before. */
  forget(holder: number, ids: readonly number[]): void;
  /** When a call may go; the slot is taken where that is soon, and is the holder's until it is ended. */
  takeSlot(holder: number, aheadMs: number): { at: number; id: number | null };
  endSlot(id: number, answeredAt: number): void;
  /** Slots that a delivery has taken and not ended. */
  openSlots(holder: number): number;
  openTick(dueAt: number): boolean;
  counts(): Record<SimulatedPush["state"], number>;
}

/** `now` is what the clock shows, which may be set; the rate window counts by `monotonic`. */
export function createSimulatedStore(now: () => number, monotonic: () => number): SimulatedStore {
  const pushes = new Map<number, SimulatedPush>();
  const watchers: (() => void)[] = [];
  const ring = () => {
    for (const onChange of watchers) onChange();
  };
  const ticks = new Set<number>();
  let slots: (CountedSlot & { id: number; holder: number })[] = [];
  let lastSlot = 0;
  const due = (kind: ClaimKind) =>
    [...pushes.values()]
      .filter(({ state, holder, dueAt }) => state === "pending" && holder === null && dueAt <= now())
      .filter((push) => isOfKind(push, kind))
      .toSorted((a, b) => a.dueAt - b.dueAt || a.id - b.id);
  return {
    pushes,
    outage: null,
    isBroken: false,
    due,
    watch: (onChange) => watchers.push(onChange),
    nextDueAt: () => {
      let next = Number.POSITIVE_INFINITY;
      for (const { state, holder, dueAt } of pushes.values())
        if (state === "pending" && holder === null) next = Math.min(next, dueAt);
      return next;
    },
    raise: (n, push = {}) => {
      const ids = Array.from({ length: n }, () => {
        const id = pushes.size + 1;
        const times = { raisedAt: now(), dueAt: now(), endedAt: null, holder: null, tries: 0 };
        pushes.set(id, {
          id,
          state: "pending",
          isQuarantined: false,
          isEmpty: false,
          hasMoved: false,
          ...times,
          ...push,
        });
        return id;
      });
      ring();
      return ids;
    },
    renew: (id) => {
      const push = pushes.get(id);
      if (!push || push.state === "held") return;
      push.isQuarantined = false;
      if (push.holder !== null) push.hasMoved = true;
      else if (push.state !== "pending") Object.assign(push, { state: "pending", dueAt: now(), tries: 0 });
      ring();
    },
    claim: (holder, kind, limit) => {
      const rows = due(kind).slice(0, limit);
      const together = rows.filter(({ isQuarantined }) => !isQuarantined);
      const claimed = rows[0]?.isQuarantined ? rows.slice(0, 1) : together;
      for (const push of claimed) Object.assign(push, { holder, hasMoved: false });
      return claimed.map(({ id, tries, isQuarantined }) => ({ pushId: id, tries, isQuarantined }));
    },
    forget: (holder, ids) => {
      for (const id of ids) {
        const push = pushes.get(id);
        if (push?.holder === holder) push.holder = null;
      }
      ring();
    },
    takeSlot: (holder, aheadMs) => {
      const { at, isTaken, kept } = takeSlot(slots, { ...WINDOW, aheadMs }, monotonic());
      slots = kept;
      if (!isTaken) return { at, id: null };
      lastSlot += 1;
      slots.push({ id: lastSlot, holder, since: at, isOpen: true });
      return { at, id: lastSlot };
    },
    endSlot: (id, answeredAt) => {
      const slot = slots.find((each) => each.id === id);
      if (!slot?.isOpen) throw new Error("a slot is ended that is not open");
      slot.isOpen = false;
      slot.since = answeredAt;
    },
    openSlots: (holder) => slots.filter((slot) => slot.isOpen && slot.holder === holder).length,
    openTick: (dueAt) => {
      const isFirst = !ticks.has(dueAt);
      ticks.add(dueAt);
      return isFirst;
    },
    counts: () => {
      const counts = { pending: 0, delivered: 0, rejected: 0, held: 0 };
      for (const { state } of pushes.values()) counts[state] += 1;
      return counts;
    },
  };
}

function isOfKind({ tries, isQuarantined }: SimulatedPush, kind: ClaimKind): boolean {
  if (kind === "any") return true;
  if (kind === "fresh") return tries === 0;
  return tries > 0 && (kind === "failed" || !isQuarantined);
}
