/** Events and connections for tests of the store, also for those that run as processes of their own. */
import { createHash } from "node:crypto";
import type { Connection } from "../../src/core/connection.ts";
import type { Confirmation, InviteStatus, NewEvent, Snapshot, Test } from "../../src/core/event.ts";
import type { ConnectionKey, Store } from "../../src/store/contract/store.ts";
import { aSnapshot, aTest, NOON } from "../core/example.ts";

export const MINUTE = 60_000;

export const HUBSPOT: ConnectionKey = {
  org: "acme",
  vendor: "hubspot",
  environment: "production",
  subject: "contact",
};
export const SMARTRECRUITERS: ConnectionKey = {
  ...HUBSPOT,
  vendor: "smartrecruiters",
  subject: "assessment",
};

/** The connection, connected to an account, which is its org's alone; `changes` to its key. */
export function connect(store: Store, key: Partial<ConnectionKey> = {}): Promise<Connection> {
  const { org = HUBSPOT.org } = key;
  const account = {
    id: org === HUBSPOT.org ? "4711" : `4711 of ${org}`,
    name: "Acme",
    kind: null,
    region: null,
  };
  return store.saveConnection({ ...HUBSPOT, ...key }, { state: "connected", account });
}

/** The connection is to another account from now on. */
export async function anotherAccount(store: Store): Promise<Connection> {
  const before = await store.connection(HUBSPOT);
  const id = String(Number(before?.account?.id ?? 0) + 1);
  return store.saveConnection(HUBSPOT, { account: { id, name: "Another", kind: null, region: null } });
}

export interface EventChanges extends Partial<Snapshot> {
  source?: string;
  eventId?: string;
  receivedAt?: number;
  /** Makes another body of the same snapshot. */
  note?: string;
}

/** An event that tells of an invite in this status; received at the moment it tells of, unless said otherwise. */
export function anEvent(status: InviteStatus, changes: EventChanges = {}): NewEvent {
  const { source = "jobcannon", eventId, receivedAt, note, ...rest } = changes;
  const snapshot = aSnapshot({ status, tests: testsOf(status), ...rest });
  const payload = JSON.stringify({ note, snapshot });
  return {
    source,
    eventId: eventId ?? `${snapshot.invitationId}-${status}-${snapshot.at}`,
    type: `invite.${status}`,
    at: snapshot.at,
    receivedAt: receivedAt ?? snapshot.at,
    payload,
    bodyHash: createHash("sha256").update(payload).digest("hex"),
    snapshot,
  };
}

/** An event that only names an application, which the vendor is to be asked about. */
export function aThinEvent(eventId: string, changes: Partial<NewEvent["asks"]> = {}): NewEvent {
  const asks = {
    vendor: "greenhouse",
    org: "acme",
    environment: "production",
    about: { application: eventId },
    ...changes,
  } as const;
  return { ...anUnknownEvent(eventId), source: asks.vendor, type: "stage_change", asks };
}

/** An event of a type that nobody knows. */
export function anUnknownEvent(eventId: string, at = NOON): NewEvent {
  return { ...anEvent("invited", { eventId, at }), type: "invite.renamed", snapshot: null };
}

export const ORIGIN = { vendor: "smartrecruiters", candidateId: "c1", jobId: "j1", assessmentId: "a1" };

/** A vendor's webhook about the assessment of `ORIGIN`. */
export function aConfirmation(eventId: string, changes: Partial<Confirmation> = {}): NewEvent {
  const confirmation: Confirmation = {
    org: "acme",
    environment: "production",
    ...ORIGIN,
    invitationId: null,
    status: "completed",
    at: NOON,
    result: null,
    ...changes,
  };
  const payload = JSON.stringify({ eventId, confirmation });
  return {
    source: confirmation.vendor,
    eventId,
    type: "candidate.assessment.completed",
    at: confirmation.at,
    receivedAt: confirmation.at,
    payload,
    bodyHash: createHash("sha256").update(payload).digest("hex"),
    snapshot: null,
    confirmation,
  };
}

/** One that no store can hold: its moment is none. */
export function anUnstorableEvent(eventId: string): NewEvent {
  return { ...anEvent("completed", { eventId, invitationId: `inv_${eventId}` }), at: Number.NaN };
}

function testsOf(status: InviteStatus): Test[] {
  if (status === "completed") return [aTest()];
  return [aTest({ status: status === "in_progress" ? "started" : "assigned" })];
}

export function candidate(email: string): Snapshot["candidate"] {
  return { email, firstName: null, lastName: null };
}

/** A completed invite of its own for each name: `ann` has `inv_ann` and `ann@example.com`. */
export function completedFor(...names: string[]): NewEvent[] {
  return names.map((name, index) =>
    anEvent("completed", {
      invitationId: `inv_${name}`,
      candidate: candidate(`${name}@example.com`),
      at: NOON + index,
    }),
  );
}
