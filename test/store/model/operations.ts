/** What a run of the model test does: one verb at a time, each with all that it needs. */
import fc from "fast-check";
import { INVITE_STATUSES, type InviteStatus } from "../../../src/core/event.ts";
import { HELD_CAUSES, type HeldCause } from "../../../src/core/push.ts";

export const PEOPLE = ["ann@example.com", "bob@example.com"];

export type Operation =
  | { verb: "append"; news: readonly News[] }
  | { verb: "claim"; limit: number }
  | { verb: "settle"; which: number; outcome: "delivered" | "empty" | "rejected" | "retry" | "held" }
  | { verb: "hold"; cause: HeldCause }
  | { verb: "release"; causes: readonly HeldCause[] }
  | { verb: "raise"; person: number }
  | { verb: "compare" }
  | { verb: "connectAnother" };

/** Few of each kind, so that invites, contacts, moments and ids meet again. */
export interface News {
  invite: number;
  person: number;
  status: InviteStatus;
  minute: number;
}

const news = fc.record({
  invite: fc.nat(2),
  person: fc.nat(PEOPLE.length - 1),
  status: fc.constantFrom(...INVITE_STATUSES),
  minute: fc.nat(3),
});
const outcome = fc.constantFrom("delivered", "delivered", "empty", "rejected", "retry", "held");

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      verb: fc.constant("append"),
      news: fc.array(news, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ verb: fc.constant("claim"), limit: fc.integer({ min: 1, max: 2 }) }) },
  { weight: 5, arbitrary: fc.record({ verb: fc.constant("settle"), which: fc.nat(3), outcome }) },
  { weight: 2, arbitrary: fc.record({ verb: fc.constant("hold"), cause: fc.constantFrom(...HELD_CAUSES) }) },
  {
    weight: 2,
    arbitrary: fc.record({ verb: fc.constant("release"), causes: fc.subarray([...HELD_CAUSES]) }),
  },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("raise"), person: fc.nat(PEOPLE.length - 1) }) },
  { weight: 1, arbitrary: fc.constant({ verb: "compare" }) },
  { weight: 1, arbitrary: fc.constant({ verb: "connectAnother" }) },
);
