import type { Clock } from "../../shared/clock.ts";
import type { ProcessIdentity } from "../../shared/process-identity.ts";
import { createConnections } from "./connections/connections.ts";
import { createServices } from "./coordination/services.ts";
import type { Db } from "./file/db.ts";
import type { Verbs } from "./forward.ts";
import { createRequests } from "./intake/requests.ts";
import { createSources } from "./intake/sources.ts";
import { createWebhooks } from "./intake/webhooks.ts";
import { createReads } from "./reads/reads.ts";

/** How all stands: what `status` asks, apart from the other verbs, whose code takes longer to load than it takes to answer. */
export function createStandingVerbs(db: Db, self: ProcessIdentity, clock: Pick<Clock, "now">) {
  return {
    ...createConnections(db, clock.now),
    ...createReads(db),
    ...createServices(db, self),
    ...createRequests(db),
    ...createWebhooks(db),
    ...createSources(db),
  } satisfies Partial<Verbs>;
}
