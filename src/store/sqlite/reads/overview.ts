import type { PushState } from "../../../core/push.ts";
import type { ConnectionCounts, Overview, PushCounts, QuestionCounts } from "../../contract/store.ts";
import { DAY_MS, REMOVED_SHOWN_MS, type RemovedRow, removedIn } from "../../rows/overview.ts";
import { createOpenConsents } from "../connections/consents.ts";
import type { Db } from "../file/db.ts";
import type { Sliced } from "../file/slices.ts";
import { CONNECTION_COLUMNS } from "../rows/columns.ts";
import { connectionOf, type ConnectionRow } from "../../rows/rows.ts";
import { createStuck } from "./stuck.ts";

/** One org, or all, in numbers that triggers keep: nothing is counted here but what is stuck. */
export function createOverview(db: Db) {
  const orgs = createOrgs(db);
  const invitesOf = db.prepare<[string], number>("SELECT n FROM invite_counts WHERE org = ?").pluck();
  const allInvites = db.prepare<[], number | null>("SELECT sum(n) FROM invite_counts").pluck();
  const counters = db.prepare<[], { name: string; value: number }>("SELECT name, value FROM counters");
  const connectionsOf = db.prepare<[string], ConnectionRow>(
    `${CONNECTION_COLUMNS} WHERE org = ? ORDER BY vendor, environment`,
  );
  const allConnections = db.prepare<[], ConnectionRow>(
    `${CONNECTION_COLUMNS} ORDER BY org, vendor, environment`,
  );
  const countsOf = db.prepare<[number], { state: PushState; n: number }>(
    "SELECT state, n FROM push_counts WHERE connection_id = ?",
  );
  const goneOf = db
    .prepare<[number], number>("SELECT delivered FROM gone_counts WHERE connection_id = ?")
    .pluck();
  const removedSince = (where: string) => `
    SELECT coalesce(sum(iif(what = 'invites', n, 0)), 0) AS invites, coalesce(sum(iif(what = 'rejected', n, 0)), 0) AS rejected,
      coalesce(sum(iif(what = 'refused', n, 0)), 0) AS refused, max(iif(what = 'refused', NULL, day)) * ${DAY_MS} AS lastAt
    FROM purges WHERE day > ? / ${DAY_MS} ${where}`;
  const removedOf = db.prepare<[number, string], RemovedRow>(removedSince("AND org = ?"));
  const erasedIn = "SELECT count(DISTINCT person) FROM erasures";
  const erasedOf = db.prepare<[string], number>(`${erasedIn} WHERE org = ?`).pluck();
  const allErased = db.prepare<[], number>(erasedIn).pluck();
  const allRemoved = db.prepare<[number], RemovedRow>(removedSince(""));
  const consentsOf = createOpenConsents(db);
  // A bare column is that of the row with the least.
  const questionsIn = (where: string) => `
    SELECT org, vendor, environment, count(*) AS n, min(asked_at) AS since, reason
    FROM questions ${where} GROUP BY org, vendor, environment ORDER BY org, vendor, environment`;
  const questionsOf = db.prepare<[string], QuestionCounts>(questionsIn("WHERE org = ?"));
  const allQuestions = db.prepare<[], QuestionCounts>(questionsIn(""));
  const { stuckOf, heldFor } = createStuck(db);

  const pushesOf = (connectionId: number): PushCounts => {
    const counts = Object.fromEntries(countsOf.all(connectionId).map(({ state, n }) => [state, n]));
    const { pending = 0, delivered = 0, rejected = 0, held = 0 } = counts;
    return { pending, delivered: delivered + (goneOf.get(connectionId) ?? 0), rejected, held };
  };

  return function* (org: string | null, now: number): Sliced<Overview> {
    const {
      events = 0,
      unmatched = 0,
      ignored = 0,
      conflicts = 0,
    } = Object.fromEntries(counters.all().map(({ name, value }) => [name, value]));
    const connections: ConnectionCounts[] = [];
    for (const row of org === null ? allConnections.all() : connectionsOf.all(org)) {
      const stuck = yield* stuckOf(row.id, now);
      const pushes = pushesOf(row.id);
      const gone = pushes.held > 0 ? yield* heldFor(row.id, "gone") : 0;
      connections.push({ connection: connectionOf(row), pushes, stuck, gone });
    }
    const removed =
      org === null ? allRemoved.get(now - REMOVED_SHOWN_MS) : removedOf.get(now - REMOVED_SHOWN_MS, org);
    return {
      events: { total: events, unmatched, ignored, conflicts },
      orgs: orgs(),
      invites: (org === null ? allInvites.get() : invitesOf.get(org)) ?? 0,
      connections,
      questions: org === null ? allQuestions.all() : questionsOf.all(org),
      consents: consentsOf(org, now),
      removed: removedIn(removed),
      erased: {
        people: (org === null ? allErased.get() : erasedOf.get(org)) ?? 0,
        refused: removed?.refused ?? 0,
      },
    };
  };
}

/** Of which org anything is known; whatever the log's size, as many as there are names. */
export function createOrgs(db: Db): () => string[] {
  const all = db
    .prepare<[], string>(
      "SELECT org FROM connections UNION SELECT org FROM invite_counts WHERE n > 0 UNION SELECT org FROM consents UNION SELECT org FROM questions UNION SELECT org FROM erasures",
    )
    .pluck();
  return () => all.all();
}
