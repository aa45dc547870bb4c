import { isAppError } from "../../../shared/errors.ts";
import type { Db } from "../../../postgres/sql.ts";
import type { DeliveryVerbs } from "../../contract/store.ts";
import { type Call, settleIn, type Unheard } from "./settle-in-one.ts";

/** In one transaction; what is asked for meanwhile goes together in the next. */
const MOST_SETTLEMENTS = 400;
/** Each holds a connection to the database, and they wait for each other at their end. */
const MOST_UNDER_WAY = 2;

interface Waiting {
  settlements: Call;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Ends claims and appends their attempts. Only the holder of the lease may settle, and a version that moved meanwhile makes
 * the push due again at once, whatever became of the old one. Callers that wait share a transaction; where it fails each goes alone.
 */
export function createSettle(db: Db): DeliveryVerbs["settle"] {
  const waiting: Waiting[] = [];
  const unheard: Unheard = new WeakSet();
  let underWay = 0;

  const settleNext = async (): Promise<void> => {
    underWay += 1;
    const together = firstOf(waiting);
    try {
      await settleIn(
        { db, unheard },
        together.map(({ settlements }) => settlements),
      ).then(
        () => {
          for (const { resolve } of together) resolve();
        },
        async (error: unknown) => {
          if (together.length === 1 || isAppError(error)) for (const { reject } of together) reject(error);
          else
            for (const { settlements, resolve, reject } of together)
              await settleIn({ db, unheard }, [settlements]).then(resolve, reject);
        },
      );
    } finally {
      underWay -= 1;
      goOn();
    }
  };
  const goOn = () => {
    while (waiting.length > 0 && underWay < MOST_UNDER_WAY) void settleNext();
  };

  return (settlements) => {
    if (settlements.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      waiting.push({ settlements, resolve, reject });
      goOn();
    });
  };
}

/** Takes those out that fit into one transaction: the first, whatever its size. */
function firstOf(waiting: Waiting[]): Waiting[] {
  let n = 0;
  const firstTooMany = waiting.findIndex(({ settlements }) => {
    n += settlements.length;
    return n > MOST_SETTLEMENTS;
  });
  return waiting.splice(0, firstTooMany === -1 ? waiting.length : Math.max(1, firstTooMany));
}
