import type { Environment } from "../../core/connection.ts";
import type { NewEvent, Snapshot } from "../../core/event.ts";
import { withUnmapped } from "../../core/unmapped.ts";
import { EventRefused, type Source, type Verified } from "../../vendors/contract/source.ts";

/** The rules that hold for every source, so that none can forget them. */

/** A snapshot from the future would win over every honest one until its time comes. */
const FARTHEST_AHEAD_MS = 5 * 60_000;

/** Throws `EventRefused` with the reason in one line. */
export function readEvent(
  source: Pick<Source, "parse">,
  body: Buffer,
  known: Verified & { receivedAt: number },
): NewEvent {
  const event = source.parse(body, known);
  // A vendor's word on an assessment may come from any clock: it orders no snapshots.
  if (event.confirmation === undefined) refuseFuture("timestamp", event.at, known.receivedAt);
  if (event.snapshot) refuseFuture("timestamp", event.snapshot.at, known.receivedAt);
  return event.snapshot ? { ...event, snapshot: withUnmapped(event.snapshot) } : event;
}

/** The same for a snapshot that was looked up. */
export function readFound(
  snapshot: Snapshot,
  { org, environment, now }: { org: string; environment: Environment; now: number },
): Snapshot {
  refuseFuture("the time of what was found", snapshot.at, now);
  if (snapshot.org !== org) throw new EventRefused("what was found belongs to another org");
  if (!mayTell({ snapshot }, environment)) throw new EventRefused("a sandbox tells of no invite");
  return withUnmapped(snapshot);
}

/** Invites are real: a sandbox's secret signs none of them. */
export function mayTell({ snapshot }: Pick<NewEvent, "snapshot">, environment: Environment): boolean {
  return snapshot === null || environment === "production";
}

function refuseFuture(what: string, at: number, now: number): void {
  if (at > now + FARTHEST_AHEAD_MS)
    throw new EventRefused(`${what} is more than 5 minutes ahead of our clock`);
}
