import type { SourceSecret } from "../../core/source-secret.ts";
import type { Clock } from "../../shared/clock.ts";
import type { AppendResult, Store } from "../../store/contract/store.ts";
import type { WebhookSignature, Pieces, Source } from "../../vendors/contract/source.ts";
import { createFindSigner } from "./find-signer.ts";
import { mayTell, readEvent } from "./read-event.ts";
import { createTurns } from "./turns.ts";

export interface Delivered {
  claim: WebhookSignature;
  body: Pieces;
  secrets: readonly SourceSecret[];
  /** The very same ones unless somebody changed them since. */
  newest(): Promise<readonly SourceSecret[]>;
}

/** `leavesQuestion`: its vendor is to be asked what happened. `untried`: too many secrets might have signed so long a body; the sender may try again. */
export type Ingested = (AppendResult & { leavesQuestion: boolean }) | { outcome: "untried" };

/** Anyone can send what fits no secret: to find out why is work for strangers. */
const EXPLAINED_EVERY_MS = 60_000;

/**
 * One webhook, from bytes to a committed row. Whoever acknowledges it does so only after this returned. Throws
 * `SIGNATURE_INVALID`, before which nothing of the body is parsed, and `EventRefused`.
 */
export function createIngest({ store, clock }: { store: Pick<Store, "append">; clock: Pick<Clock, "now"> }) {
  const findSigner = createFindSigner(createTurns());
  const explainedAt = new Map<string, number>();

  const refusalOf = (source: Source, { claim, secrets, body }: Delivered) => {
    const isDue =
      Math.abs(clock.now() - (explainedAt.get(source.id) ?? Number.NEGATIVE_INFINITY)) >= EXPLAINED_EVERY_MS;
    if (claim.explain === undefined || !isDue) return claim.refusal();
    explainedAt.set(source.id, clock.now());
    return claim.explain(secrets, body) ?? claim.refusal();
  };

  return async function ingest(source: Source, delivered: Delivered): Promise<Ingested> {
    const { claim, body, secrets } = delivered;
    const signer = await findSigner(claim, body, secrets);
    if (signer === "untried") return { outcome: signer };
    if (signer === null) {
      const newest = await delivered.newest();
      if (newest !== secrets) return await ingest(source, { ...delivered, secrets: newest });
      throw refusalOf(source, delivered);
    }
    const { org, environment } = signer;
    const event = readEvent(source, whole(body), {
      eventId: claim.eventId,
      ...(claim.headers ? { headers: claim.headers } : {}),
      org,
      environment,
      receivedAt: clock.now(),
    });
    // An org's own secret speaks for that org alone, whatever it says, and a sandbox's for no invite.
    const about = event.snapshot?.org ?? event.org ?? org;
    if ((org !== null && about !== org) || !mayTell(event, environment)) {
      const theirs = secrets.filter(
        (each) => (each.org === null || each.org === about) && mayTell(event, each.environment),
      );
      const another = await findSigner(claim, body, theirs);
      if (another === "untried") return { outcome: another };
      if (another === null) throw claim.refusal();
    }
    const [result] = await store.append([event]);
    if (!result) throw new Error("the store answered for no event");
    return { ...result, leavesQuestion: result.outcome === "stored" && event.asks !== undefined };
  };
}

/** Most bodies came in one piece. */
function whole(body: Pieces): Buffer {
  const [first, ...others] = body;
  return first && others.length === 0 ? first : Buffer.concat(body);
}
