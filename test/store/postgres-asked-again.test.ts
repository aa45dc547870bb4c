/** Each verb of the store that writes: a commit of it whose answer is lost, and asked again, leaves what one does that all heard. */
import { expect, onTestFinished, test } from "vitest";
import { windowNamed } from "../../src/core/delivery/rate-window.ts";
import type { ThreadedStore } from "../../src/store/contract/threaded.ts";
import type { VerbName } from "../../src/store/contract/verbs.ts";
import { openPostgresStore } from "../../src/store/postgres/postgres.ts";
import { NOON } from "../core/example.ts";
import {
  aConfirmation,
  anEvent,
  aThinEvent,
  completedFor,
  connect,
  HUBSPOT,
  MINUTE,
  SMARTRECRUITERS,
} from "./events.ts";
import { claimsOf } from "./looks.ts";
import { aConsent } from "./contract/consents.ts";
import { throughProxy } from "./postgres-proxy.ts";
import { asked, describeWithPostgres, postgresServer } from "./postgres-server.ts";

const NOW = NOON + 10 * MINUTE;
const CALL = { ...windowNamed("hubspot/4711", { calls: 10, windowMs: 1_000 }), now: 1_000_000 };
const CONSENT = aConsent("one");
const LINK = { hash: "l", org: "acme", who: "ops", createdAt: NOON, expiresAt: NOW + MINUTE };
const ERASURE = { org: "acme", person: "aa", at: NOW, marks: ["aa", "bb"] };
const FACTS = {
  startedAt: NOON,
  version: "1.2.3",
  build: "b",
  directory: "/opt/program",
  config: null,
  lostLines: 0,
};
const RUN = { command: "replay", org: "acme", who: "ops", filter: {}, now: NOW } as const;
const INCIDENT = { key: "k", org: "acme", text: "trouble" };

const ENTRY = {
  test: "disc",
  required: true,
  trigger: "auto",
  dueDays: 3,
  emailTemplate: "branded",
} as const;

/** What is done before it, and heard; then the verb. */
type Story = (store: ThreadedStore) => Promise<() => Promise<unknown>>;
const READS = "it only reads";

/** Why there is none. */
type Reason =
  | typeof READS
  | "it writes nothing"
  | "who asks again brings a new secret"
  | "it is a try of its own each time"
  | "it waits for a minute, as a test of its own shows"
  | "it only mends what it finds"
  | "nobody asks again, as it stands there";

/** A connection with two results that wait. */
async function waiting(store: ThreadedStore): Promise<number> {
  const { id } = await connect(store);
  await store.append(completedFor("ann", "bob"));
  return id;
}

const STORIES: Readonly<Record<VerbName, Story | Reason>> = {
  append: async (store) => {
    await connect(store);
    return () => store.append([...completedFor("ann", "bob"), aThinEvent("t"), aConfirmation("c")]);
  },
  assign: async (store) => {
    await waiting(store);
    const assigned = { vendor: "smartrecruiters", candidateId: "c1", jobId: "j1" };
    return () => store.assign({ org: "acme", invitationId: "inv_ann" }, assigned, NOW);
  },
  saveConnection: async (store) => {
    await waiting(store);
    const account = { id: "4712", name: "Other", kind: null, region: null };
    return () => store.saveConnection(HUBSPOT, { account, isConfirmed: false });
  },
  takeConsent: async (store) => {
    await store.openConsent(CONSENT);
    return () => store.takeConsent({ hash: "one", vendor: "hubspot", now: NOW });
  },
  endConsents: async (store) => {
    await store.openConsent(CONSENT);
    await store.takeConsent({ hash: "one", vendor: "hubspot", now: NOW });
    return () => store.endConsents({ outcome: "open", hash: "one", refusal: "no" }, NOW);
  },
  mark: async (store) => {
    const { id } = await connect(store);
    return () => store.mark(id, "probe", NOW);
  },
  settle: async (store) => {
    const connectionId = await waiting(store);
    const claims = await claimsOf(store, { connectionId, limit: 2, now: NOW });
    const answer = { httpStatus: 200, correlationId: "c", durationMs: 1, reason: null };
    const outcome = { kind: "delivered", projection: { a: "b" } } as const;
    const settlements = claims.map((claim) => ({
      claim,
      now: NOW,
      outcome,
      record: { id: `r${claim.pushId}`, isNew: true } as const,
      attempt: { outcome: "delivered", ...answer } as const,
    }));
    return () => store.settle(settlements);
  },
  hold: async (store) => {
    const id = await waiting(store);
    return () =>
      store.hold(id, {
        cause: "reconnect",
        connectedAt: null,
        changes: { state: "must_reconnect", banner: "b" },
      });
  },
  release: async (store) => {
    const id = await waiting(store);
    await store.hold(id, { cause: "vault" });
    return () => store.release(id, { held: ["vault"], putOff: true }, NOW);
  },
  raise: async (store) => {
    const id = await waiting(store);
    return () => store.raise(id, { subjects: ["ann@example.com", "new@example.com"] }, NOW);
  },
  takeCall: async (store) => () => store.takeCall(CALL),
  endCall: async (store) => {
    const { id } = await store.takeCall(CALL);
    return () => store.endCall(id ?? 0, CALL.now);
  },
  limitCalls: async (store) => () => store.limitCalls({ key: "k", calls: 2 }),
  settleQuestion: async (store) => {
    await connect(store);
    await store.append([aThinEvent("t")]);
    const [question] = await store.questions({ after: 0, limit: 1 });
    const { snapshot } = anEvent("completed");
    if (!question || !snapshot) throw new Error("nothing is asked");
    return () => store.settleQuestion(question.seq, { kind: "snapshot", snapshot }, NOW);
  },
  noteSources: async (store) => () => store.noteSources([{ source: "jobcannon", takenAt: NOW }]),
  tryWriting: async (store) => () => store.tryWriting(),
  startTrial: async (store) => () =>
    store.startTrial({ org: "acme", vendor: "smartrecruiters", candidateId: "c" }),
  beginTick: async (store) => () => store.beginTick({ job: "sweep", dueAt: NOON, now: NOW, once: true }),
  endTick: async (store) => {
    await store.beginTick({ job: "sweep", dueAt: NOON, now: NOW, once: true });
    return () => store.endTick("sweep", NOON, true);
  },
  keepIncidents: async (store) => () => store.keepIncidents([INCIDENT], NOW),
  noteAlert: async (store) => {
    const [alert] = await store.keepIncidents([INCIDENT], NOW);
    return () => store.noteAlert(alert?.id ?? 0, { sentAt: NOW });
  },
  purge: async (store) => {
    await store.append(completedFor("ann", "bob"));
    const now = NOON + 400 * 24 * 60 * MINUTE;
    return () => store.purge({ now, keepDays: 30, keepDaysOf: {}, isDry: false, after: null });
  },
  redeemAdminLink: async (store) => {
    await store.openAdminLink(LINK);
    return () =>
      store.redeemAdminLink({ hash: "l", now: NOW, session: { hash: "s", expiresAt: NOW + MINUTE } });
  },
  endAdminSession: async (store) => {
    await store.openAdminLink(LINK);
    await store.redeemAdminLink({ hash: "l", now: NOW, session: { hash: "s", expiresAt: NOW + MINUTE } });
    return () => store.endAdminSession("s");
  },
  keepErasures: async (store) => () => store.keepErasures([ERASURE]),
  saveCatalogEntry: async (store) => () =>
    store.saveCatalogEntry(SMARTRECRUITERS, { jobId: "j1", stage: "INTERVIEW" }, ENTRY),
  runningServices: async (store) => () => store.runningServices({ enter: FACTS }),
  allowAgain: async (store) => {
    await store.keepErasures([ERASURE]);
    return () => store.allowAgain({ mark: "aa", org: "acme", who: "ops", now: NOW });
  },
  saveRun: async (store) => {
    const { id } = await store.saveRun(RUN);
    const counts = { matched: 1, queued: 1, skipped: 0, pending: 0, delivered: 1, rejected: 0, held: 0 };
    return () => store.saveRun({ id, counts, endedAt: NOW });
  },
  takeAlert: async (store) => {
    const [alert] = await store.keepIncidents([INCIDENT], NOW);
    return () => store.takeAlert({ id: alert?.id ?? 0, dueAt: alert?.dueAt ?? 0 }, NOW + MINUTE);
  },
  erase: "it is a try of its own each time",
  noteRequest: "nobody asks again, as it stands there",
  openConsent: "who asks again brings a new secret",
  openAdminLink: "who asks again brings a new secret",
  audit: "it is a try of its own each time",
  noteRefusals: "it is a try of its own each time",
  claim: "it waits for a minute, as a test of its own shows",
  dueWork: "it only mends what it finds",
  letGo: "it writes nothing",
  connections: READS,
  connection: READS,
  subjects: READS,
  countPushes: READS,
  selectSubjects: READS,
  runs: READS,
  questions: READS,
  catalogEntries: READS,
  inviteRequests: READS,
  requestAttempts: READS,
  received: READS,
  refusals: READS,
  sources: READS,
  taken: READS,
  invites: READS,
  countInvites: READS,
  invite: READS,
  overview: READS,
  figures: READS,
  attempts: READS,
  countAttempts: READS,
  attemptSums: READS,
  orgs: READS,
  deliveryLog: READS,
  webhookLog: READS,
  lookAtAdminLink: READS,
  adminSession: READS,
  audited: READS,
  person: READS,
  personRows: READS,
  erasedAt: READS,
  bytesDue: READS,
  leasesOpen: READS,
  people: READS,
  erasures: READS,
};

/** Numbers and moments that tell nothing: what is raised once more before it went out goes out once. */
const MASKED = "'{id,holder,claimed_at,version,state_version}'::text[]";
/** Who is alive, and what the database is. */
const ASIDE = ["holders", "clock_offset", "schema_version", "log_file"];

/** All rows, by table. */
async function heldIn(url: string): Promise<Record<string, unknown[]>> {
  const tables = await asked(
    url,
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'jc' AND tablename <> ALL ('{${ASIDE}}') ORDER BY 1`,
  );
  const held: Record<string, unknown[]> = {};
  for (const { name } of tables.map(Object)) {
    const rows = await asked(
      url,
      `SELECT to_jsonb(t) - ${MASKED} AS row FROM jc.${name} t ORDER BY to_jsonb(t)::text`,
    );
    held[name] = rows.map((row) => Object(row).row);
  }
  return held;
}

/** What it leaves, and how many commits it took; where `lost` is one of them it is asked again. */
async function told(story: Story, lost: number | null) {
  const url = await (await postgresServer()).database();
  const proxied = await throughProxy(url);
  const store = await openPostgresStore({ url: proxied.url, directUrl: url });
  onTestFinished(() => store.close());
  const ask = await story(store);
  proxied.loseCommit(lost ?? 0);
  const answer = await ask().catch((error: unknown) => ({ error }));
  const commits = proxied.commits();
  if (lost !== null) {
    expect(answer).toMatchObject({ error: { code: "STORE_UNAVAILABLE" } });
    await ask();
  }
  return { commits, held: await heldIn(url) };
}

describeWithPostgres("a lost answer to a commit", () => {
  for (const [verb, story] of Object.entries(STORIES).filter(([, each]) => typeof each === "function"))
    test(`of ${verb} changes nothing for who asks again`, async () => {
      if (typeof story === "string") return;
      const { commits, held } = await told(story, null);
      expect(commits).toBeGreaterThan(0);
      for (let lost = 1; lost <= commits; lost += 1)
        expect((await told(story, lost)).held, `its commit ${lost} was lost`).toEqual(held);
    });
});
