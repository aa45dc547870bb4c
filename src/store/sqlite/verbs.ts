import type { Clock } from "../../shared/clock.ts";
import type { ProcessIdentity } from "../../shared/process-identity.ts";
import { createConsents } from "./connections/consents.ts";
import { createAdmin } from "./coordination/admin.ts";
import { createAlerts } from "./coordination/alerts.ts";
import { createTicks } from "./coordination/ticks.ts";
import { createClaims } from "./delivery/claims.ts";
import { createHolds } from "./delivery/holds.ts";
import { createRaising } from "./delivery/raising.ts";
import { createCalls } from "./delivery/rate-window.ts";
import { createSettle } from "./delivery/settle.ts";
import type { Db } from "./file/db.ts";
import { createErasureVerbs } from "./erasure/erasures.ts";
import { createAppend } from "./intake/append.ts";
import { createAssign } from "./intake/assign.ts";
import { createQuestions } from "./intake/questions.ts";
import { createAttempts } from "./reads/attempts.ts";
import { createDeliveryLog } from "./reads/delivery-log.ts";
import { createWebhookLog } from "./reads/webhook-log.ts";
import { createPurge } from "./retention/purge.ts";
import { createRuns } from "./rerun/runs.ts";
import { createSelections } from "./rerun/selections.ts";
import { createSubjects } from "./rerun/subjects.ts";
import type { Verbs } from "./forward.ts";
import { createStandingVerbs } from "./standing-verbs.ts";

/** The store's verbs as SQLite does them: at once, in whichever thread holds the file open. */
export function createVerbs(db: Db, self: ProcessIdentity, clock: Pick<Clock, "now">) {
  const calls = createCalls(db, self);
  return {
    ...createStandingVerbs(db, self, clock),
    append: createAppend(db),
    ...createAssign(db),
    ...createConsents(db, self),
    ...createClaims(db, self, clock.now, calls.takeCall),
    settle: createSettle(db),
    ...createHolds(db),
    ...createSubjects(db),
    ...createRaising(db),
    ...createTicks(db, self),
    ...createSelections(db),
    ...createRuns(db),
    ...createAttempts(db),
    deliveryLog: createDeliveryLog(db),
    webhookLog: createWebhookLog(db),
    ...createAlerts(db),
    ...calls,
    ...createQuestions(db),
    ...createPurge(db),
    ...createAdmin(db),
    ...createErasureVerbs(db),
  } satisfies Verbs;
}
