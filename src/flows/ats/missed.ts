/** What a vendor sent and we did not take, and what changed while it sent nothing: taken now, by asking. */
import type { Connection, SubscriptionHealth } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { Ats, MissedEvent } from "../../vendors/contract/ats.ts";

export interface MissedContext {
  clock: Pick<Clock, "now">;
  ats: Ats;
  access: Access;
  /** Takes them as the receiver would; known ones change nothing. Returns how many were new. Absent for who only looks. */
  take?(missed: readonly MissedEvent[], of: Connection): Promise<number>;
}

const DAY_MS = 24 * 3_600_000;
/** So far back a subscription that nobody noted is read. */
const LONGEST_MS = 30 * DAY_MS;
/** The two clocks may differ, and a call may have been under way at the last look. */
const OVERLAP_MS = 10 * 60_000;
const PAGE = 100;

/** Those of one subscription since it was read last. Returns how many were new; known ones change nothing. */
export async function takeMissed(
  context: MissedContext,
  connection: Connection,
  { id, readUntil }: { id: string; readUntil: number | undefined },
): Promise<number> {
  const { ats, access, clock, take } = context;
  if (!ats.missed || !take) return 0;
  const since = readUntil === undefined ? clock.now() - LONGEST_MS : readUntil - OVERLAP_MS;
  return await takeAll(take, connection, ats.missed(access, { id, since }));
}

/** What may have changed while no subscription of ours served; nobody missed anything who never had one. */
export async function fillGap(
  context: MissedContext,
  connection: Connection,
  health: SubscriptionHealth | null,
): Promise<number> {
  const { ats, access, take } = context;
  if (!ats.changedSince || !take || health?.activeAt === undefined) return 0;
  return await takeAll(take, connection, ats.changedSince(access, health.activeAt - OVERLAP_MS));
}

async function takeAll(
  take: NonNullable<MissedContext["take"]>,
  connection: Connection,
  missed: AsyncIterable<MissedEvent>,
): Promise<number> {
  let [taken, page] = [0, [] as MissedEvent[]];
  for await (const each of missed) {
    page.push(each);
    if (page.length < PAGE) continue;
    taken += await take(page, connection);
    page = [];
  }
  return taken + (await take(page, connection));
}
