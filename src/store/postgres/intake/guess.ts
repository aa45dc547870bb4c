import type { NewEvent } from "../../../core/event.ts";
import type { Tx } from "../../../postgres/sql.ts";
import { type About, type Destination, orgOf, type Standing } from "./standing.ts";

/**
 * Most news is of invites that nobody knows yet. So what would be read first is guessed, and looked at where it is written, which
 * spares the way to the database and back. After a guess that did not hold, everything is read again until there was nothing known.
 */
export interface Guesses {
  /** Null where these must be read about. */
  standing(events: readonly NewEvent[]): (Standing & { about: About }) | null;
  /** Hears what was read about events. */
  read(about: About, standing: Standing): void;
  /** Hears that a guess did not hold. */
  missed(): void;
}

const MOST_ORGS = 10_000;

export function createGuesses(aboutOf: (events: readonly NewEvent[]) => About): Guesses {
  const destinations = new Map<string, readonly Destination[]>();
  let isLikely = false;
  return {
    standing: (events) => {
      const orgs = new Set(events.map(orgOf));
      if (!isLikely || !events.every(isPlain) || ![...orgs].every((org) => destinations.has(org)))
        return null;
      const numbers = (n: number) => Array.from({ length: n }, (_, index) => index + 1);
      const about = aboutOf(events);
      return {
        about,
        hasErasures: false,
        hasUnmatched: false,
        bodies: [],
        invites: [],
        destinations: [...orgs].flatMap((org) => destinations.get(org) ?? []).toSorted((a, b) => a.id - b.id),
        tombstone: () => null,
        isOfTrial: () => false,
        seqs: numbers(events.length),
        ids: numbers(events.length),
        versions: numbers(events.length),
      };
    },
    read: (about, standing) => {
      if (destinations.size > MOST_ORGS) destinations.clear();
      for (const org of about.orgs)
        destinations.set(
          org,
          standing.destinations.filter((each) => each.org === org),
        );
      isLikely =
        !standing.hasErasures &&
        !standing.hasUnmatched &&
        standing.bodies.length === 0 &&
        standing.invites.length === 0;
    },
    missed: () => {
      isLikely = false;
    },
  };
}

/** A result of JobCannon's, which asks nobody anything and confirms nothing. */
function isPlain({ snapshot, confirmation, asks }: NewEvent): boolean {
  return snapshot !== null && !confirmation && !asks;
}

/** For what is folded on a guess: whatever has to be read after all throws `problem`. */
export function blind(problem: Error): Tx {
  const refuse = () => Promise.reject(problem);
  return { all: refuse, get: refuse, run: refuse, last: refuse };
}
