import type { Store } from "../contract/store.ts";
import type { VerbName } from "../contract/verbs.ts";
import { createConnections } from "./connections/connections.ts";
import { createConsents } from "./connections/consents.ts";
import { createClaims } from "./delivery/claims.ts";
import { createHolds } from "./delivery/holds.ts";
import { createRaising } from "./delivery/raising.ts";
import { createCalls } from "./delivery/rate-window.ts";
import { createSettle } from "./delivery/settle.ts";
import { createUnheardSlots } from "./delivery/unheard-slots.ts";
import { createAdmin } from "./coordination/admin.ts";
import { createAlerts } from "./coordination/alerts.ts";
import { createServices } from "./coordination/services.ts";
import { createTicks } from "./coordination/ticks.ts";
import { createAppend } from "./intake/append.ts";
import { createAssign } from "./intake/assign.ts";
import { createQuestions } from "./intake/questions.ts";
import { createRequests } from "./intake/requests.ts";
import { createSources } from "./intake/sources.ts";
import { createWebhooks } from "./intake/webhooks.ts";
import { createErasureVerbs } from "./erasure/erasures.ts";
import { createAttempts } from "./reads/attempts.ts";
import { createDeliveryLog } from "./reads/delivery-log.ts";
import { createReads } from "./reads/reads.ts";
import { createWebhookLog } from "./reads/webhook-log.ts";
import { createRuns } from "./rerun/runs.ts";
import { createSelections } from "./rerun/selections.ts";
import { createSubjects } from "./rerun/subjects.ts";
import { createPurge } from "./retention/purge.ts";
import type { Db, Self, SharedTime } from "../../postgres/sql.ts";

export type PostgresVerbs = Pick<Store, VerbName>;

/** The store's verbs as PostgreSQL does them. */
export function createVerbs(db: Db, self: Self, time: SharedTime): PostgresVerbs {
  const slots = { time, unheard: createUnheardSlots() };
  return {
    append: createAppend(db),
    ...createAssign(db),
    ...createQuestions(db),
    ...createRequests(db),
    ...createSources(db),
    ...createWebhooks(db),
    ...createConnections(db),
    ...createConsents(db, self),
    ...createClaims(db, self, slots),
    settle: createSettle(db),
    ...createHolds(db),
    ...createRaising(db),
    ...createCalls(db, self, slots),
    ...createTicks(db, self),
    ...createServices(db, self),
    ...createAlerts(db),
    ...createAdmin(db),
    ...createReads(db),
    ...createAttempts(db),
    ...createDeliveryLog(db),
    ...createWebhookLog(db),
    ...createSubjects(db),
    ...createSelections(db),
    ...createRuns(db),
    ...createPurge(db),
    ...createErasureVerbs(db),
  };
}
