import type { Clock } from "../../shared/clock.ts";
import type { ProcessIdentity } from "../../shared/running.ts";
import type { Place, Store } from "../contract/store.ts";
import { createConnections } from "./connections/connections.ts";
import { createConsents } from "./connections/consents.ts";
import { createAlerts } from "./coordination/alerts.ts";
import { createServices } from "./coordination/services.ts";
import { createTicks } from "./coordination/ticks.ts";
import { claimsOf, type ClaimsText } from "./delivery/claims-text.ts";
import { createClaims } from "./delivery/claims.ts";
import { createHolds } from "./delivery/holds.ts";
import { createMarks } from "./delivery/marks.ts";
import { createCalls } from "./delivery/rate-window.ts";
import { createSettle } from "./delivery/settle.ts";
import type { Db } from "./file/db.ts";
import type { Sliced } from "./file/slices.ts";
import { createAppend } from "./intake/append.ts";
import { createWebhooks } from "./intake/webhooks.ts";
import { createAttempts } from "./reads/attempts.ts";
import { createReads } from "./reads/reads.ts";
import { createRuns } from "./rerun/runs.ts";
import { createSelections } from "./rerun/selections.ts";
import { createSubjects } from "./rerun/subjects.ts";

/** The store's verbs as SQLite does them: at once, in whichever thread holds the file open. */
export type VerbName = Exclude<keyof Store, "watch" | "close">;
export type VerbArgs = { [Name in VerbName]: Parameters<Store[Name]> };
export type VerbResult = {
  [Name in VerbName]: Name extends keyof InText ? InText[Name] : Awaited<ReturnType<Store[Name]>>;
};
/** What crosses to another thread as text. */
interface InText {
  claim: ClaimsText;
  claimInWindow: { text: ClaimsText; place: Place | null };
}
export type Verbs = {
  [Name in VerbName]: (...args: VerbArgs[Name]) => VerbResult[Name] | Sliced<VerbResult[Name]>;
};

/** Verbs after which someone may find work to do. */
const WRITES: readonly VerbName[] = [
  "append",
  "saveConnection",
  "settle",
  "release",
  "hasten",
  "raise",
  "nameTest",
];

export const isWrite = (name: VerbName): boolean => WRITES.includes(name);

export function createVerbs(db: Db, self: ProcessIdentity, clock: Pick<Clock, "now">) {
  const calls = createCalls(db);
  return {
    append: createAppend(db),
    ...createConnections(db),
    ...createConsents(db, self),
    ...createClaims(db, self, clock.now, calls.takeCall),
    settle: createSettle(db),
    ...createHolds(db),
    ...createSubjects(db),
    ...createMarks(db),
    ...createReads(db),
    ...createTicks(db, self, clock.now),
    ...createSelections(db),
    ...createRuns(db),
    ...createAttempts(db),
    ...createAlerts(db),
    ...calls,
    ...createServices(db, self),
    ...createWebhooks(db),
  } satisfies Verbs;
}

/** A `Store` whose verbs all go through one `call`: directly, or as messages to another thread. */
export function storeOf(
  call: <Name extends VerbName>(name: Name, args: VerbArgs[Name]) => Promise<VerbResult[Name]>,
  rest: Pick<Store, "watch" | "close">,
): Store {
  return {
    append: (...args) => call("append", args),
    connections: (...args) => call("connections", args),
    saveConnection: (...args) => call("saveConnection", args),
    openConsent: (...args) => call("openConsent", args),
    takeConsent: (...args) => call("takeConsent", args),
    holdsConsent: (...args) => call("holdsConsent", args),
    endConsent: (...args) => call("endConsent", args),
    voidConsents: (...args) => call("voidConsents", args),
    claim: async (...args) => claimsOf(await call("claim", args)),
    claimInWindow: async (...args) => {
      const { text, place } = await call("claimInWindow", args);
      return { claims: claimsOf(text), place };
    },
    settle: (...args) => call("settle", args),
    letGo: (...args) => call("letGo", args),
    dueWork: (...args) => call("dueWork", args),
    hold: (...args) => call("hold", args),
    holdConnected: (...args) => call("holdConnected", args),
    release: (...args) => call("release", args),
    hasten: (...args) => call("hasten", args),
    subjects: (...args) => call("subjects", args),
    raise: (...args) => call("raise", args),
    confirm: (...args) => call("confirm", args),
    forgetAccount: (...args) => call("forgetAccount", args),
    countUnpushed: (...args) => call("countUnpushed", args),
    invites: (...args) => call("invites", args),
    invite: (...args) => call("invite", args),
    overview: (...args) => call("overview", args),
    stuck: (...args) => call("stuck", args),
    orgs: (...args) => call("orgs", args),
    openTick: (...args) => call("openTick", args),
    lastTick: (...args) => call("lastTick", args),
    beginTick: (...args) => call("beginTick", args),
    endTick: (...args) => call("endTick", args),
    countPushes: (...args) => call("countPushes", args),
    selectPushes: (...args) => call("selectPushes", args),
    selectUnpushed: (...args) => call("selectUnpushed", args),
    startRun: (...args) => call("startRun", args),
    noteRun: (...args) => call("noteRun", args),
    runs: (...args) => call("runs", args),
    standing: (...args) => call("standing", args),
    countWaiting: (...args) => call("countWaiting", args),
    adopt: (...args) => call("adopt", args),
    heldCauses: (...args) => call("heldCauses", args),
    lastAttempt: (...args) => call("lastAttempt", args),
    keepIncidents: (...args) => call("keepIncidents", args),
    dueAlerts: (...args) => call("dueAlerts", args),
    noteAlert: (...args) => call("noteAlert", args),
    attempts: (...args) => call("attempts", args),
    takeCall: (...args) => call("takeCall", args),
    limitCalls: (...args) => call("limitCalls", args),
    enterService: (...args) => call("enterService", args),
    runningServices: (...args) => call("runningServices", args),
    questions: (...args) => call("questions", args),
    nameTest: (...args) => call("nameTest", args),
    received: (...args) => call("received", args),
    noteRefusals: (...args) => call("noteRefusals", args),
    refusals: (...args) => call("refusals", args),
    startTrial: (...args) => call("startTrial", args),
    ...rest,
  };
}
