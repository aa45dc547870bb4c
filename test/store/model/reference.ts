/** The store as it would be without files, leases of others, or haste: a few maps, for one org with one connection. */
import { emailKey, type NewEvent } from "../../../src/core/event.ts";
import { fold } from "../../../src/core/fold.ts";
import type { Invite } from "../../../src/core/invite.ts";
import type { HeldCause, PushState } from "../../../src/core/push.ts";
import { contactHeads, raisesPush } from "../../../src/core/subject.ts";
import type { SettleOutcome } from "../../../src/store/contract/store.ts";
import { MINUTE } from "../events.ts";

interface Push {
  state: PushState | "forgotten";
  heldCause: HeldCause | null;
  version: number;
  delivered: number;
  pendingSince: number | null;
  dueAt: number;
  movedAt: number | null;
  inFlight: Flight | null;
}

/** One claim, as the reference remembers it. */
export interface Flight {
  subject: string;
  version: number;
  carries: number;
}

export function createReference() {
  const events = new Map<string, Set<string>>();
  const invites = new Map<string, { invite: Invite; version: number }>();
  const pushes = new Map<string, Push>();
  let lastVersion = 0;
  let holdCause: HeldCause | null = null;
  const nextVersion = () => {
    lastVersion += 1;
    return lastVersion;
  };

  const invitesOf = (subject: string) =>
    [...invites.values()].filter(({ invite }) => emailKey(invite.candidate.email) === subject);
  const headsOf = (subject: string) => {
    const { latest, latestCompleted } = contactHeads(invitesOf(subject).map(({ invite }) => invite));
    return `${latest?.invitationId} ${latestCompleted?.invitationId}`;
  };

  const raise = (subject: string, now: number, { version = nextVersion(), urgent = false } = {}) => {
    const before = pushes.get(subject);
    const isOpen = before?.state === "pending" || before?.state === "held";
    const isWaiting = before?.state === "pending";
    const isHeld = before?.state === "held" || holdCause !== null;
    pushes.set(subject, {
      version,
      state: isHeld ? "held" : "pending",
      heldCause: before?.state === "held" ? before.heldCause : holdCause,
      delivered: before?.delivered ?? 0,
      pendingSince: isOpen ? before.pendingSince : now,
      dueAt: isWaiting ? (urgent ? Math.min(before.dueAt, now) : before.dueAt) : now,
      movedAt: before?.inFlight ? (before.movedAt ?? now) : null,
      inFlight: before?.inFlight ?? null,
    });
  };

  return {
    pushes,
    invites,
    append({ eventId, bodyHash, snapshot, receivedAt }: NewEvent) {
      const bodies = events.get(eventId) ?? new Set();
      events.set(eventId, bodies);
      if (bodies.has(bodyHash) || !snapshot) return;
      bodies.add(bodyHash);
      const before = invites.get(snapshot.invitationId);
      const { invite, newest, earliestMoved } = fold(before?.invite ?? null, snapshot, bodyHash);
      const subject = emailKey(invite.candidate.email);
      const headsBefore = headsOf(subject);
      const version = newest ? nextVersion() : (before?.version ?? 0);
      invites.set(invite.invitationId, { invite, version });
      const push = pushes.get(subject);
      const pushedBefore = push !== undefined && (push.delivered > 0 || push.inFlight !== null);
      if (!raisesPush("contact", invite, { pushedBefore })) return;
      if (newest) raise(subject, receivedAt, { version });
      else if (earliestMoved && headsOf(subject) !== headsBefore) raise(subject, receivedAt);
    },
    /** When each push that may be claimed is due, the first first. */
    dueTimes: () =>
      holdCause !== null
        ? []
        : [...pushes.values()]
            .filter(({ state, inFlight }) => state === "pending" && !inFlight)
            .map(({ dueAt }) => dueAt)
            .toSorted((a, b) => a - b),
    claim(subject: string): Flight {
      const push = known(pushes, subject);
      const newest = Math.max(push.version, ...invitesOf(subject).map(({ version }) => version));
      push.inFlight = { subject, version: push.version, carries: newest };
      push.movedAt = null;
      return push.inFlight;
    },
    settle(flight: Flight, outcome: SettleOutcome, now: number) {
      const push = known(pushes, flight.subject);
      if (push.inFlight !== flight) return;
      push.dueAt = outcome.kind === "pending" ? outcome.dueAt : now;
      if (outcome.kind === "held") {
        // What its older version said is no reason to hold the newer one.
        if (push.version === flight.version) {
          push.state = "held";
          push.heldCause = outcome.cause;
        }
      } else if (outcome.kind !== "pending") {
        if (outcome.kind !== "rejected") push.delivered = Math.max(push.delivered, flight.carries);
        if (push.version === flight.version) {
          push.state = outcome.kind === "rejected" ? "rejected" : "delivered";
          push.heldCause = null;
        }
        push.pendingSince = push.movedAt;
      }
      push.inFlight = null;
      push.movedAt = null;
    },
    hold(cause: HeldCause) {
      holdCause = cause;
      for (const push of pushes.values()) {
        if (push.state !== "pending") continue;
        push.state = "held";
        push.heldCause = cause;
      }
    },
    release(causes: readonly HeldCause[], now: number) {
      if (holdCause !== null && causes.includes(holdCause)) holdCause = null;
      for (const push of pushes.values()) {
        if (push.state !== "held" || push.heldCause === null || !causes.includes(push.heldCause)) continue;
        push.state = holdCause === null ? "pending" : "held";
        push.heldCause = holdCause;
        push.dueAt = now;
      }
    },
    raise,
    markAllCurrent() {
      for (const [subject, push] of pushes) {
        const carries = Math.max(0, ...invitesOf(subject).map(({ version }) => version));
        if (push.state === "delivered" && push.version <= carries)
          push.delivered = Math.max(push.delivered, carries);
      }
    },
    forgetAccount() {
      for (const push of pushes.values()) {
        push.delivered = 0;
        push.inFlight = null;
        if (push.state === "delivered" || push.state === "rejected") push.state = "forgotten";
      }
    },
    counts(now: number) {
      const all = [...pushes.values()];
      const inState = (state: Push["state"]) => all.filter((push) => push.state === state);
      const bodies = [...events.values()].map(({ size }) => size);
      return {
        events: {
          total: bodies.reduce((sum, n) => sum + n, 0),
          conflicts: bodies.reduce((sum, n) => sum + Math.max(0, n - 1), 0),
        },
        invites: invites.size,
        pushes: {
          pending: inState("pending").length,
          delivered: inState("delivered").length,
          rejected: inState("rejected").length,
          held: inState("held").length,
        },
        stuck: [
          ...inState("pending"),
          ...inState("held").filter(({ heldCause }) =>
            ["property", "scope", "candidate"].includes(heldCause ?? ""),
          ),
        ].filter((push) => now - (push.pendingSince ?? now) > 30 * MINUTE).length,
      };
    },
    unpushed: () =>
      new Set(
        [...invites.values()]
          .filter(({ invite }) => raisesPush("contact", invite, { pushedBefore: false }))
          .map(({ invite }) => emailKey(invite.candidate.email))
          .filter((subject) => (pushes.get(subject)?.state ?? "forgotten") === "forgotten"),
      ).size,
  };
}

export type Reference = ReturnType<typeof createReference>;

function known(pushes: Map<string, Push>, subject: string): Push {
  const push = pushes.get(subject);
  if (!push) throw new Error(`the reference knows no push for ${subject}`);
  return push;
}
