/**
 * The memory that the bodies under way share, so that whoever begins many and ends none takes it from nobody else. Each
 * of as many as there may be connections has a small place of its own; what they hold beyond that comes out of one pool.
 */
export interface Room {
  /** A body begins. `onDropped` is called once if it has to go, since it was the largest that was not whole. */
  enter(onDropped: () => void): Place;
}

export interface Place {
  /** The body holds so much now, in bytes. */
  holds(bytes: number): void;
  /** It is whole: it is dropped no more. */
  whole(): void;
  leave(): void;
}

/** A body up to this long always has a place. */
export const OWN_BYTES = 16 * 1024;

const NOTHING_LEFT = () => {};

interface Held {
  bytes: number;
  own: number;
  isWhole: boolean;
  onDropped: () => void;
}

export function createRoom({ totalBytes, places }: { totalBytes: number; places: number }): Room {
  const pool = totalBytes - places * OWN_BYTES;
  const all = new Set<Held>();
  let taken = 0;
  let freePlaces = places;

  const takenBy = ({ bytes, own }: Held) => Math.max(0, bytes - own);
  const leave = (held: Held) => {
    if (!all.delete(held)) return;
    // V8 drops a Set's outgrown tables late, and they would keep every request alive that they ever held.
    held.onDropped = NOTHING_LEFT;
    taken -= takenBy(held);
    if (held.own > 0) freePlaces += 1;
  };
  const largest = (): Held | null => {
    let found: Held | null = null;
    for (const held of all)
      if (!held.isWhole && takenBy(held) > 0 && (found === null || held.bytes > found.bytes)) found = held;
    return found;
  };
  const makeRoom = () => {
    while (taken > pool) {
      const victim = largest();
      if (victim === null) return;
      const { onDropped } = victim;
      leave(victim);
      onDropped();
    }
  };

  return {
    enter: (onDropped) => {
      // Requests that wait for one another on one connection may be more than there are places.
      const held: Held = { bytes: 0, own: freePlaces > 0 ? OWN_BYTES : 0, isWhole: false, onDropped };
      if (held.own > 0) freePlaces -= 1;
      all.add(held);
      return {
        holds: (bytes) => {
          if (!all.has(held)) return;
          taken -= takenBy(held);
          held.bytes = bytes;
          taken += takenBy(held);
          makeRoom();
        },
        whole: () => {
          held.isWhole = true;
        },
        leave: () => leave(held),
      };
    },
  };
}
