import type { Access } from "../vendors/contract.ts";
import type { DeliverContext } from "./deliver.ts";
import { createPace, type Departure } from "./slots.ts";

/** What one sending calls with. */
export interface Trip {
  access: Access;
  ended(): void;
}

/** `prepaid`: the place for the first call was taken before its batch was claimed. */
export function createTrips({ clock, destination, access }: DeliverContext): {
  unpaid(): Trip;
  prepaid(): Trip;
} {
  const pace = createPace(clock, destination.rateLimit);
  const trip = (options: { isPaid: boolean }): Trip => {
    let { isPaid } = options;
    const departures: Departure[] = [];
    const slot = async () => {
      if (!isPaid) await access.slot();
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
  return { unpaid: () => trip({ isPaid: false }), prepaid: () => trip({ isPaid: true }) };
}
