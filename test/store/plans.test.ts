import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, onTestFinished, test } from "vitest";
import { thisProcess } from "../../src/shared/process-identity.ts";
import { openLog } from "../../src/store/sqlite/file/open.ts";
import { claimedOf } from "../../src/store/sqlite/delivery/claims-text.ts";
import { finished } from "../../src/store/sqlite/file/slices.ts";
import { createStuck } from "../../src/store/sqlite/reads/stuck.ts";
import { createVerbs } from "../../src/store/sqlite/verbs.ts";
import { NOON } from "../core/example.ts";
import { DELIVERED } from "./contract/delivering.ts";
import { anEvent, completedFor, HUBSPOT, SMARTRECRUITERS } from "./events.ts";
import { temporaryDirectory } from "../directory.ts";

const account = { id: "4711", name: "Acme", kind: null, region: null };

/** The verbs, and every statement that they run, with its values. */
function recorded() {
  const stateDir = temporaryDirectory();
  openLog(stateDir, { now: NOON }).close();
  const statements: string[] = [];
  const db = new Database(join(stateDir, "log.db"), { verbose: (sql) => statements.push(String(sql)) });
  onTestFinished(() => void db.close());
  const verbs = createVerbs(db, thisProcess(), { now: () => NOON });
  const { id } = finished(verbs.saveConnection(HUBSPOT, { account }));
  const { id: assessments } = finished(verbs.saveConnection(SMARTRECRUITERS, { account }));
  verbs.append([...completedFor("ann", "bob"), anEvent("in_progress"), anEvent("expired")]);
  /** What `work` runs, and how SQLite goes about it. */
  const plansOf = (work: () => unknown) => {
    statements.length = 0;
    work();
    const ran = statements.filter((sql) => /^\s*(SELECT|INSERT|UPDATE|DELETE)/.test(sql));
    return ran.flatMap((sql) =>
      db
        .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail),
    );
  };
  return { db, verbs, id, assessments, statements, plansOf };
}

describe("the queries", () => {
  test("read no table whole that grows with the log", () => {
    const { verbs, id, assessments, plansOf } = recorded();
    const page = { after: null, limit: 10 };
    const plans = plansOf(() => {
      verbs.append([...completedFor("cat"), anEvent("cancelled"), anEvent("invited", { at: 1 })]);
      verbs.dueWork(NOON);
      finished(verbs.figures({ now: NOON, windows: [{ key: "hubspot/4711", windowMs: 10_000 }] }));
      const claims = claimedOf(verbs.claim({ connectionId: id, limit: 10, now: NOON + 10 })).claims;
      verbs.settle(claims.map((claim) => ({ claim, now: NOON, outcome: DELIVERED })));
      for (const connectionId of [id, assessments]) {
        verbs.subjects({ connectionId, limit: 10 });
        verbs.subjects({ connectionId, limit: 10, status: "in_progress" });
        verbs.subjects({ connectionId, limit: 10, status: "completed" });
        verbs.countPushes({ unpushed: { connectionId, includeInProgress: true } });
        verbs.selectSubjects({ unpushed: { connectionId, includeInProgress: false } }, page);
        verbs.countPushes({ pushes: { connectionId } }, { causes: true });
        verbs.countPushes({ pushes: { connectionId, state: "rejected" } }, { causes: true });
        verbs.selectSubjects({ pushes: { connectionId, state: "rejected" } }, page);
        const current = [{ subject: "ann@example.com", carries: 1 }];
        finished(verbs.raise(connectionId, { subjects: ["ann@example.com"], current }, NOON));
        finished(verbs.hold(connectionId, { cause: "reconnect" }));
        finished(verbs.release(connectionId, { held: ["reconnect", "property"], putOff: true }, NOON));
      }
      for (const key of [HUBSPOT, SMARTRECRUITERS])
        finished(verbs.saveConnection(key, { account: { ...account, id: "4712" } }));
      verbs.invites({ org: "acme", limit: 10 });
      verbs.invites({ org: "acme", limit: 10, status: "completed" });
      verbs.invites({ org: "acme", limit: 10, email: "ann@example.com" });
      verbs.invite("acme", "inv_ann");
      finished(verbs.overview("acme", NOON));
      finished(verbs.overview(null, NOON));
    });
    expect(plans.some((plan) => plan.startsWith("SEARCH"))).toBe(true);
    expect(plans.filter((plan) => /^SCAN (invites|pushes|events|attempts|[ipea])\b/.test(plan))).toEqual([]);
  });

  test("forget what is old in the order of indexes", () => {
    const { verbs, id, plansOf } = recorded();
    const { claims } = claimedOf(verbs.claim({ connectionId: id, limit: 10, now: NOON + 10 }));
    const settled = { now: NOON, outcome: DELIVERED };
    verbs.settle(claims.map((claim) => ({ ...settled, claim, record: { id: claim.subject } })));
    const request = { now: NOON + 100 * 24 * 3_600_000, keepDays: 90, keepDaysOf: { acme: 30 } };
    const plans = [true, false].flatMap((isDry) =>
      plansOf(() => {
        for (let after: string | null = null, isLeft = true; isLeft; isLeft = after !== null)
          after = verbs.purge({ ...request, isDry, after }).next;
      }),
    );
    expect(plans).toContainEqual(expect.stringContaining("INDEX invites_by_time"));
    expect(plans).toContainEqual(expect.stringContaining("INDEX events_alone"));
    expect(plans).toContainEqual(expect.stringMatching(/^SEARCH a USING INTEGER PRIMARY KEY/));
    // Of who is the same record, the invites of those, and not of the whole org.
    expect(plans).toContainEqual(expect.stringMatching(/^SEARCH m USING .*INDEX pushes_of_record/));
    expect(plans.filter((plan) => /^SEARCH i USING .*\(org=\?\)/.test(plan))).toEqual([]);
    expect(plans.filter((plan) => /^SCAN (invites|pushes|events|attempts|[ipea])\b/.test(plan))).toEqual([]);
    expect(plans.filter((plan) => plan.includes("TEMP B-TREE FOR ORDER"))).toEqual([]);
  });

  test("take the work due, and list what is newest, in the order of an index", () => {
    const { db, verbs, id, plansOf } = recorded();
    const plans = plansOf(() => {
      verbs.claim({ connectionId: id, limit: 10, now: NOON });
      verbs.dueWork(NOON);
      // As after a clock that was set back.
      verbs.dueWork(NOON - 3_600_000);
      verbs.subjects({ connectionId: id, limit: 10 });
      verbs.subjects({ connectionId: id, limit: 10, status: "in_progress" });
      verbs.invites({ org: "acme", limit: 10 });
      finished(createStuck(db).stuckOf(id, NOON));
      finished(createStuck(db).heldFor(id, "gone"));
    });
    expect(plans).toContainEqual(expect.stringContaining("INDEX pushes_due"));
    expect(plans).toContainEqual(expect.stringContaining("INDEX pushes_waiting"));
    // Who else is the same record, without a look at all that is in flight.
    expect(plans).toContainEqual(
      expect.stringMatching(/^SEARCH q USING INDEX pushes_of_record .*record=\?\)/),
    );
    expect(plans.filter((plan) => /^SCAN pushes\b/.test(plan))).toEqual([]);
    expect(plans).toContainEqual(expect.stringContaining("INDEX invites_in_progress"));
    expect(plans).toContainEqual(expect.stringContaining("INDEX invites_by_time"));
    expect(plans.filter((plan) => plan.includes("TEMP B-TREE"))).toEqual([]);
  });

  test("take up what waits already in the order of an index, by the invites of each", () => {
    const { verbs, id, assessments, plansOf } = recorded();
    const run = { command: "backfill", org: "acme", who: "ann", filter: {}, now: NOON } as const;
    const { id: runId } = finished(verbs.saveRun(run));
    const [since, until] = [NOON - 1, NOON + 1];
    const plans = plansOf(() => {
      for (const connectionId of [id, assessments]) {
        for (const covered of [
          { unpushed: { connectionId, includeInProgress: true, since, until } },
          { pushes: { connectionId, state: "rejected", since, until } },
        ] as const) {
          verbs.countPushes({ ...covered, waiting: true });
          const adopts = { selections: [covered], limit: Number.POSITIVE_INFINITY };
          finished(verbs.saveRun({ ...run, adopts }));
        }
        verbs.countPushes({ pushes: { connectionId } }, { causes: true });
        verbs.countPushes({ run: { id: runId, connectionId } }, { causes: true });
      }
    });
    expect(plans).toContainEqual(expect.stringContaining("INDEX pushes_waiting"));
    expect(plans).toContainEqual(expect.stringContaining("INDEX invites_of_contact"));
    expect(plans).toContainEqual(expect.stringContaining("INDEX invites_of_assessment"));
    expect(plans.filter((plan) => /^SCAN|invites_by_time|TEMP B-TREE FOR ORDER/.test(plan))).toEqual([]);
  });

  test("find attempts through the pushes of a small org and of a candidate, and those to follow by their ids", () => {
    const { verbs, plansOf } = recorded();
    const log = () => verbs.attempts({ org: "acme", limit: 10 });
    const attempt = {
      outcome: "delivered",
      httpStatus: 200,
      correlationId: null,
      durationMs: 1,
      reason: null,
    } as const;
    expect(plansOf(log)).toContainEqual(expect.stringMatching(/^SEARCH a USING INTEGER PRIMARY KEY/));
    // Attempts of another org, a hundred times as many as this one has.
    const { id: other } = finished(
      verbs.saveConnection({ ...HUBSPOT, org: "other" }, { account: { ...account, id: "4713" } }),
    );
    for (let n = 0; n < 200; n += 1) {
      finished(verbs.raise(other, { subjects: ["ann@example.com"] }, NOON));
      const claims = claimedOf(verbs.claim({ connectionId: other, limit: 10, now: NOON })).claims;
      verbs.settle(claims.map((claim) => ({ claim, now: NOON, outcome: DELIVERED, attempt })));
    }
    for (const look of [log, () => verbs.attempts({ org: "acme", limit: 10, email: "ann@example.com" })])
      expect(plansOf(look)).toContainEqual(expect.stringMatching(/^SEARCH a USING INDEX attempts_of_push/));
    for (const column of ["contact", "assessment"])
      expect(plansOf(log)).toContainEqual(
        `SEARCH invites USING INDEX invites_of_${column} (org=? AND ${column}=?)`,
      );
    // Only for what is shown, once it is chosen.
    expect(plansOf(log)).toContainEqual(expect.stringMatching(/^CO-ROUTINE/));
    expect(plansOf(() => verbs.attempts({ org: "acme", limit: 10, after: 7 }))).toContainEqual(
      expect.stringMatching(/^SEARCH a USING INTEGER PRIMARY KEY \(rowid>/),
    );
  });

  test("show a page of a log in the order of an index, whatever fits, and look at no more than a window of it", () => {
    const { verbs, id, db, plansOf } = recorded();
    const pages = () => {
      for (const query of [{}, { outcome: "rejected" }, { since: NOON }, { before: 7 }] as const)
        verbs.deliveryLog({ connectionId: id, limit: 10, ...query });
      verbs.deliveryLog({ connectionId: id, limit: 10, invitationId: "inv_ann" });
      verbs.webhookLog({ org: "acme", vendor: "smartrecruiters", environment: "production", limit: 10 });
      verbs.adminSession("hash", NOON);
      verbs.audited("acme", 10);
      verbs.audited(null, 10);
    };
    const few = plansOf(pages);
    // As of an org with many results.
    db.prepare("UPDATE push_counts SET n = 1000000 WHERE connection_id = ?").run(id);
    const many = plansOf(pages);
    expect(few).toContainEqual(expect.stringMatching(/^SEARCH a USING INDEX attempts_of_push/));
    expect(many).toContainEqual(expect.stringMatching(/^SEARCH attempts USING INTEGER PRIMARY KEY \(rowid</));
    expect(many).toContainEqual(
      expect.stringMatching(/^SEARCH confirmations USING INDEX confirmations_of_org/),
    );
    const whole = /^SCAN (invites|pushes|events|attempts|confirmations|[ipe])\b/;
    expect([...few, ...many].filter((plan) => whole.test(plan))).toEqual([]);
  });

  test("tell the overview from counts that are kept, without a look at events or invites", () => {
    const { verbs, statements } = recorded();
    statements.length = 0;
    finished(verbs.overview("acme", NOON));
    expect(statements.length).toBeGreaterThan(2);
    expect(statements.filter((sql) => /\b(FROM|JOIN) (events|invites|attempts)\b/.test(sql))).toEqual([]);
  });
});

describe("the intake", () => {
  test("stores many events a second on one thread", () => {
    const db = openLog(temporaryDirectory(), { now: NOON });
    onTestFinished(() => void db.close());
    const verbs = createVerbs(db, thisProcess(), { now: () => NOON });
    finished(verbs.saveConnection(HUBSPOT, { account }));
    const people = Array.from({ length: 80 * 256 }, (_, n) => `person-${n}`);
    const events = completedFor(...people);
    const startedAt = performance.now();
    for (let from = 0; from < events.length; from += 256) {
      const results = verbs.append(events.slice(from, from + 256));
      expect(results.every(({ outcome }) => outcome === "stored")).toBe(true);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    console.log(`append: ${Math.round(events.length / seconds)} events/s in batches of 256`);
  });
});
