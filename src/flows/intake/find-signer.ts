import type { SourceSecret } from "../../core/source-secret.ts";
import { type WebhookSignature, type Pieces, sizeOf } from "../../vendors/contract/source.ts";
import type { Turns } from "./turns.ts";

/** Whose secret signed a body; null where none did, `untried` where not all could be tried at once. */
export type FindSigner = (
  claim: Pick<WebhookSignature, "isBy">,
  body: Pieces,
  secrets: readonly SourceSecret[],
) => Promise<SourceSecret | null | "untried">;

/** A body up to this long is tried with every secret there is. */
const SHORT_BYTES = 64 * 1024;
/** Of a longer one so much is hashed for one call, some 2 ms of work: with many secrets not all of them get their turn. */
const MOST_HASHED_BYTES = 2 * 1024 * 1024;

interface Order {
  /** Who signed last stands first. */
  secrets: SourceSecret[];
  /** Where the others' turn begins at the next long body. */
  turn: number;
}

export function createFindSigner(turns: Turns): FindSigner {
  const orders = new WeakMap<readonly SourceSecret[], Order>();
  const orderOf = (secrets: readonly SourceSecret[]) => {
    const order = orders.get(secrets) ?? { secrets: [...secrets], turn: 0 };
    orders.set(secrets, order);
    return order;
  };
  return async (claim, body, secrets) => {
    const order = orderOf(secrets);
    const size = sizeOf(body);
    const most = size <= SHORT_BYTES ? secrets.length : Math.floor(MOST_HASHED_BYTES / size);
    const tried = most >= secrets.length ? order.secrets : someOf(order, most);
    let signer: SourceSecret | null = null;
    let index = 0;
    const later = turns.run(tried.length * size, () => {
      const each = tried[index];
      index += 1;
      if (each !== undefined && claim.isBy(each, body)) signer = each;
      return signer !== null || index >= tried.length;
    });
    if (later) await later;
    if (signer === null) return tried.length < secrets.length ? "untried" : null;
    if (order.secrets[0] !== signer)
      order.secrets = [signer, ...order.secrets.filter((each) => each !== signer)];
    return signer;
  };
}

/** Half of them who signed last, half of them the others by turns. */
function someOf(order: Order, most: number): SourceSecret[] {
  const likely = order.secrets.slice(0, Math.ceil(most / 2));
  const others = order.secrets.slice(likely.length);
  const turn = Array.from(
    { length: most - likely.length },
    (_, n) => others[(order.turn + n) % others.length],
  );
  order.turn = (order.turn + turn.length) % others.length;
  return [...likely, ...turn.filter((each) => each !== undefined)];
}
