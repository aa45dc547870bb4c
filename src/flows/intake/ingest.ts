import type { Clock } from "../../shared/clock.ts";
import type { AppendResult, Store } from "../../store/contract/store.ts";
import type { Delivery, Source } from "../../vendors/contract/source.ts";
import type { SourceSecret } from "../../core/source-secret.ts";

/** One webhook, from bytes to a committed row. Whoever acknowledges it does so only after this returned. */
export async function ingest(
  { store, clock }: { store: Pick<Store, "append">; clock: Pick<Clock, "now"> },
  source: Source,
  { delivery, secrets }: { delivery: Delivery; secrets: readonly SourceSecret[] },
): Promise<AppendResult> {
  const receivedAt = clock.now();
  const verified = source.verify(delivery, secrets, receivedAt);
  const { org } = verified;
  const event = source.parse(delivery.body, { ...verified, receivedAt });
  const about = event.snapshot?.org;
  // An org's own secret speaks for that org alone.
  if (org !== null && about !== undefined && about !== org)
    source.verify(
      delivery,
      secrets.filter((each) => each.org === null || each.org === about),
      receivedAt,
    );
  const [result] = await store.append([event]);
  if (!result) throw new Error("the store answered for no event");
  return result;
}
