import type { Access } from "../../vendors/contract/access.ts";
import type { DeliverContext } from "./context.ts";
import { createPace, type Departure } from "./pace.ts";

/** What one sending calls with. */
export interface Trip {
  access: Access;
  ended(): void;
}

/** Batches that are sent apart have hundreds of calls to make: so few wait for a place at once, beside those for what is new. */
const MOST_IN_TURN = 2;

/**
 * `prepaid`: the place for the first call was taken before its batch was claimed. `inTurn`: those of a batch that is sent
 * apart wait for each other before they wait for a place.
 */
export function createTrips({ clock, destination, access }: DeliverContext): {
  unpaid(): Trip;
  prepaid(): Trip;
  inTurn(): Trip;
} {
  const pace = createPace(clock, destination.rateLimit);
  const takeTurn = createTurns(MOST_IN_TURN);
  const trip = (options: { isPaid: boolean; place: () => Promise<void> }): Trip => {
    let { isPaid } = options;
    const departures: Departure[] = [];
    const slot = async () => {
      if (!isPaid) await options.place();
      isPaid = false;
      departures.push(await pace(access.signal));
    };
    return {
      access: { ...access, slot },
      ended: () => {
        for (const departure of departures) departure.arrived();
      },
    };
  };
  const { slot: place } = access;
  return {
    unpaid: () => trip({ isPaid: false, place }),
    prepaid: () => trip({ isPaid: true, place }),
    inTurn: () => trip({ isPaid: false, place: () => takeTurn(place) }),
  };
}

/** So many at once, the others in the order in which they came. */
function createTurns(most: number): (work: () => Promise<void>) => Promise<void> {
  const waiting: (() => void)[] = [];
  let atWork = 0;
  return async (work) => {
    if (atWork < most) atWork += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else atWork -= 1;
    }
  };
}
