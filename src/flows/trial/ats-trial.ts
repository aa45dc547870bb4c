import {
  patientTrialCommand,
  setCatalogCommand,
  showCatalogCommand,
} from "../../core/advice/command-lines.ts";
import { isAppError } from "../../shared/errors.ts";
import { safeUrl } from "../../shared/url.ts";
import { plain } from "../../shared/text.ts";
import type { Store } from "../../store/contract/store.ts";
import { atsOf } from "../ats/ats.ts";
import { catalogOf } from "../ats/catalog.ts";
import {
  type AtsTrial,
  type AtsTrialRequest,
  type Found,
  lookingIn,
  STORE_LOOKS_EVERY_MS,
  VENDOR_LOOKS_EVERY_MS,
} from "./ats-trial-state.ts";
import { isReachable, isSubscribed } from "./ats-receiver.ts";
import { REFUSALS_SHOWN, seeScorecard, seeWebhook } from "./ats-result.ts";
import { sayWhoInvites, seeMoveTold, seeRequest, seeValues } from "./kept-trial.ts";
import { connectedStep, openTrial } from "./connected-step.ts";
import { explainBy } from "./guide-words.ts";
import {
  type ChecklistReport,
  fixOf,
  foundBefore,
  lookUntil,
  type Outcome,
  runChecklist,
} from "./checklist.ts";
import { madeUpPerson } from "./made-up.ts";
import { notePassed } from "./note-passed.ts";
import { removeMade } from "./clean-up.ts";
import type { TrialAccount, TrialContext } from "./trial-account.ts";

/**
 * A made-up candidate on the whole road through an applicant tracking system's sandbox: the seven steps of its setup
 * guide, with what they rest on before them. A running service does the work; this only plays the recruiter and looks.
 */
const TRIGGER_WITHIN_MS = 30_000;

/** Throws `USAGE` where the account is none for trials; a step that fails is told in the report. */
export async function tryAts(
  context: TrialContext,
  store: Store,
  request: AtsTrialRequest,
): Promise<ChecklistReport> {
  const destination = await openTrial(context, request);
  const ats = atsOf(destination);
  const { clock } = context;
  const { org, vendor, watcher, signal } = request;
  const found: Found = {};
  const startedAt = clock.now();
  const refusedBefore = await store.refusals(vendor, startedAt, REFUSALS_SHOWN);
  const isKept = ats.catalog.kept === "here";
  const trial: AtsTrial = { context, store, request, ats, found, startedAt, refusedBefore };
  const then = (account: TrialAccount) => {
    found.account = account;
  };
  const report = await runChecklist(context, {
    watcher,
    signal,
    explain: explainBy(destination, org),
    steps: [
      connectedStep(context, store, request, { destination, then }),
      { id: "subscribed", title: "subscribed", run: () => isSubscribed(trial) },
      { id: "receiver", title: "receiver reachable", run: () => isReachable(trial) },
      { id: "candidate", title: "1 candidate created", run: () => create(trial) },
      { id: "stage", title: "2 advanced to the stage", run: () => advance(trial) },
      {
        ...{ id: "triggered", title: "3 assessment triggered" },
        run: (note) => (isKept ? seeRequest : trigger)(trial, note),
      },
      {
        ...{ id: "link", title: isKept ? "4 candidate invited" : "4 link shown" },
        run: () => (isKept ? sayWhoInvites : showLink)(trial),
      },
      { id: "completed", title: "5 completion seen", run: (note) => seeCompletion(trial, note) },
      {
        ...{ id: "webhook", title: "6 webhook received" },
        run: (note) => (isKept ? seeMoveTold : seeWebhook)(trial, note),
      },
      {
        ...{ id: "scorecard", title: isKept ? "7 result shown" : "7 scorecard updated" },
        run: (note) => (isKept ? seeValues(trial) : seeScorecard(trial, note)),
      },
    ],
    cleanUp: { id: "clean-up", title: "cleaned up", run: () => cleanUp(trial) },
  });
  await notePassed(store, found.account, { report, startedAt });
  return report;
}

/** Heeds no Ctrl-C: nobody else would know of the candidate. */
async function create({ store, request, ats, found }: AtsTrial): Promise<Outcome> {
  const { org, vendor } = request;
  const person = madeUpPerson();
  const { lastingAccess, destination } = foundBefore(found.account);
  let candidateId: string;
  try {
    candidateId = await ats.createCandidate(lastingAccess, { ...person, jobId: request.jobId });
  } catch (error) {
    if (!isAppError(error, "VENDOR_UNAVAILABLE") && !isAppError(error, "VENDOR_UNEXPECTED")) throw error;
    const evidence = `${person.email} may have been created all the same`;
    const look = `If ${destination.label} has ${person.email}, remove it there by hand`;
    return { status: "failed", evidence, cause: error.message, fix: fixOf(look, error.hint ?? "Try again") };
  }
  Object.assign(found, { candidateId, email: person.email });
  // Before anything can be told of the candidate: production never hears of it.
  await store.startTrial({ org, vendor, candidateId });
  return { status: "passed", evidence: `${plain(candidateId)}, ${person.email}` };
}

async function advance(trial: AtsTrial): Promise<Outcome> {
  const { request, ats, found } = trial;
  const { jobId } = request;
  const { connection, access, destination } = foundBefore(found.account);
  const catalog = catalogOf({ ats, access, connection, destination }, trial.store);
  const entries = request.stage === null ? await catalog.list(jobId) : [];
  const [only, ...others] = entries.filter(({ test }) => request.test === null || test === request.test);
  const stage = request.stage ?? only?.stage ?? null;
  const set = setCatalogCommand({ ...connection, jobId, stage: stage ?? "<stage>", test: "disc" });
  if (stage === null) {
    const cause = `no stage of job ${jobId} triggers ${request.test ?? "a test"}`;
    return { status: "failed", cause, fix: `Run: ${set}` };
  }
  if (request.stage === null && others.length > 0) {
    const stages = entries.map((each) => quoted(each.stage)).join(", ");
    const cause = `several stages of job ${jobId} trigger a test: ${stages}`;
    return { status: "failed", cause, fix: "Name one of them with --stage" };
  }
  const place = { jobId, stage };
  const entry = only ?? (await catalog.entry(place));
  const isAsked = entry !== null || (request.test !== null && ats.catalog.kept === "there");
  if (!isAsked) {
    const cause = `stage ${quoted(stage)} of job ${jobId} triggers no test`;
    const byHand = ats.catalog.kept === "there" ? ["Or name a test with --test"] : [];
    return { status: "failed", cause, fix: [`Run: ${set}`, ...byHand].join("\n") };
  }
  await ats.advance(access, { candidateId: foundBefore(found.candidateId), ...place });
  found.place = place;
  found.entry = entry;
  return { status: "passed", evidence: `${quoted(stage)} of job ${plain(jobId)}` };
}

/** By itself where the stage does so, else as a recruiter does by hand. */
async function trigger(trial: AtsTrial, note: (text: string) => void): Promise<Outcome> {
  const { context, request, ats, found } = trial;
  const { connection, access } = foundBefore(found.account);
  const candidateId = foundBefore(found.candidateId);
  const { jobId, stage } = foundBefore(found.place);
  const { entry = null } = found;
  const test = request.test ?? entry?.test ?? "";
  if (entry?.trigger !== "auto" || entry.test !== test) {
    found.assessment = await ats.triggerAssessment(access, { candidateId, jobId, test });
    return { status: "passed", evidence: `${plain(test)} by hand: ${plain(found.assessment.id)}` };
  }
  const assessment = await lookUntil(lookingIn(context, request), {
    withinMs: TRIGGER_WITHIN_MS,
    everyMs: VENDOR_LOOKS_EVERY_MS,
    note,
    look: async () => (await ats.assessments(access, candidateId)).find((each) => each.test === test) ?? null,
  });
  if (assessment) {
    found.assessment = assessment;
    return { status: "passed", evidence: `${plain(test)} by the stage: ${plain(assessment.id)}` };
  }
  return {
    status: "failed",
    cause: `stage ${quoted(stage)} triggers ${test} by itself, and nothing came of it within 30 s`,
    fix: fixOf(
      `Look at what it triggers: ${showCatalogCommand({ ...connection, jobId, stage })}`,
      "Or trigger it by hand: set its trigger to manual",
    ),
  };
}

async function showLink({ request, found }: AtsTrial): Promise<Outcome> {
  const { link } = foundBefore(found.assessment);
  if (!safeUrl(link)) {
    const cause = "the assessment came without a link for the candidate";
    return { status: "failed", cause, fix: "Ask JobCannon: a test that cannot be opened cannot be taken" };
  }
  await request.onLink({ link: plain(link), candidateId: foundBefore(found.candidateId) });
  return { status: "passed", evidence: plain(link) };
}

async function seeCompletion(
  { context, store, request, found }: AtsTrial,
  note: (text: string) => void,
): Promise<Outcome> {
  const { org, vendor, waitMs } = request;
  const { id: assessmentId } = foundBefore(found.assessment);
  const look = async () => {
    const known = await store.invites({ org, assessmentId, limit: 10 });
    const candidateId = foundBefore(found.candidateId);
    return (
      known.map(({ invite }) => invite).find(({ origin }) => origin?.candidateId === candidateId) ?? null
    );
  };
  const completed = await lookUntil(lookingIn(context, request), {
    withinMs: waitMs,
    everyMs: STORE_LOOKS_EVERY_MS,
    note: (left) => note(`open the link and finish the test, ${left} left`),
    look: async () => {
      const invite = await look();
      return invite?.status === "completed" ? invite : null;
    },
  });
  if (completed) {
    found.invitationId = completed.invitationId;
    return { status: "passed", evidence: `${plain(completed.invitationId)} is completed` };
  }
  const invite = await look();
  const { jobId, stage } = foundBefore(found.place);
  const again = `Run: ${patientTrialCommand({ vendor, org, jobId, stage })}`;
  return invite
    ? {
        status: "waiting",
        evidence: `the test is ${invite.status.replace("_", " ")}, not completed`,
        fix: fixOf("Open the link and finish the test while this waits", again),
      }
    : {
        status: "waiting",
        evidence: "JobCannon has told nothing of this assessment",
        fix: fixOf(
          "Open the link and finish the test while this waits",
          `If it was finished: do JobCannon's events reach ${context.config["serve.public_url"].replace(/\/+$/, "")}/jobcannon/events? See the log of serve`,
          again,
        ),
      };
}

async function cleanUp({ request, ats, found }: AtsTrial): Promise<Outcome> {
  const { candidateId, account } = found;
  const what = candidateId === undefined ? null : `candidate ${plain(candidateId)}`;
  return await removeMade(what, {
    keep: request.keep,
    label: account?.destination.label ?? request.vendor,
    remove: async () => {
      await ats.removeCandidate(foundBefore(account).lastingAccess, foundBefore(candidateId));
      return true;
    },
  });
}

function quoted(stage: string): string {
  return `"${plain(stage)}"`;
}
