import { describe } from "vitest";
import { describeAdmin } from "./contract/admin.ts";
import { describeAlerts } from "./contract/alerts.ts";
import { describeAppend } from "./contract/append.ts";
import { describeClaims } from "./contract/claims.ts";
import { describeConsents } from "./contract/consents.ts";
import { describeCoordination } from "./contract/coordination.ts";
import { describeErasure } from "./contract/erasure.ts";
import { describeHolds } from "./contract/holds.ts";
import { describeMarks } from "./contract/marks.ts";
import { describeRaising } from "./contract/raising.ts";
import { describeReads } from "./contract/reads.ts";
import { describeReruns } from "./contract/reruns.ts";
import { describeRequests } from "./contract/requests.ts";
import { describeResults } from "./contract/results.ts";
import { describeRetention } from "./contract/retention.ts";
import { describeSettle } from "./contract/settle.ts";
import { describeSharedRecords } from "./contract/shared-records.ts";
import { describeWebhooks } from "./contract/webhooks.ts";
import { describeModel } from "./model/model.ts";
import type { OpenStore } from "./world.ts";

/** Every promise of the store's contract, for whichever store is given. */
export function describeStore(name: string, open: OpenStore): void {
  describe(name, () => {
    describeAppend(open);
    describeRaising(open);
    describeClaims(open);
    describeSettle(open);
    describeSharedRecords(open);
    describeHolds(open);
    describeMarks(open);
    describeReads(open);
    describeReruns(open);
    describeAlerts(open);
    describeWebhooks(open);
    describeConsents(open);
    describeCoordination(open);
    describeResults(open);
    describeRequests(open);
    describeRetention(open);
    describeErasure(open);
    describeAdmin(open);
    describeModel(open);
  });
}
