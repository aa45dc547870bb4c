import { placesNamed, windowNamed } from "../../core/delivery/rate-window.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Access, CallLimits, CountedCall } from "../../vendors/contract/access.ts";
import { countedCall, createSlots, type Slots, type SlotStore } from "./rate-window.ts";

/** The windows of a vendor that counts its calls by kind, and most of them at once: over all processes on one store. */
export type KindSlots = Pick<Required<Access>, "heed"> & { slot(limits: CallLimits): Promise<CountedCall> };

export function createKindSlots(
  context: { store: SlotStore; clock: Pick<Clock, "monotonic" | "sleep">; signal: AbortSignal },
  account: string,
): KindSlots {
  const { signal } = context;
  const known = new Map<string, Slots>();
  const named = (key: string, make: () => Slots): Slots => {
    const slots = known.get(key) ?? make();
    known.set(key, slots);
    return slots;
  };
  const ofKind = ({ name, rateLimit }: CallLimits) => {
    const key = `${account}/${name}`;
    return named(key, () => createSlots(context, windowNamed(key, rateLimit)));
  };
  const places = (key: string, most: number) =>
    named(key, () => createSlots(context, placesNamed(key, most)));
  return {
    slot: async (limits) => {
      // The scarce places first: whoever waits for one keeps no place that others could use.
      const { name, atOnce, ofKindAtOnce } = limits;
      const wanted = [
        ...(ofKindAtOnce === undefined ? [] : [places(`${account}/${name}/at once`, ofKindAtOnce)]),
        ofKind(limits),
        places(`${account}/at once`, atOnce),
      ];
      const taken: CountedCall[] = [];
      const ended = async () => {
        for (const call of taken) await call.ended();
      };
      try {
        for (const slots of wanted) taken.push(await countedCall(slots, signal));
      } catch (error) {
        await ended();
        throw error;
      }
      return { ended };
    },
    heed: async (told, limits) => {
      if (limits) await ofKind(limits).heed(told);
    },
  };
}
