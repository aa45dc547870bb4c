import type { HeldCause } from "../core/push.ts";
import { isAppError } from "../shared/errors.ts";
import { plain, shortTime } from "../shared/text.ts";
import type { PushSummary, Refusal, Store } from "../store/contract.ts";
import type { Assessment, Ats, CatalogEntry, StagePlace } from "../vendors/contract.ts";
import { atsOf } from "./ats.ts";
import { lookUntil, type Outcome, runChecklist, type Step } from "./checklist.ts";
import { subscriptionFault } from "./subscription-trouble.ts";
import { checkSubscription, webhookUrl } from "./subscriptions.ts";
import {
  connectedStep,
  explainBy,
  lines,
  madeUpPerson,
  missingScope,
  notePassed,
  openTrial,
  removeMade,
  the,
  type TrialAccount,
  type TrialContext,
  type TrialReport,
  type TrialRequest,
} from "./trial.ts";

/**
 * A made-up candidate on the whole road through an applicant tracking system's sandbox: the seven steps of its setup
 * guide, with what they rest on before them. A running service does the work; this only plays the recruiter and looks.
 */
export interface AtsTrialRequest extends TrialRequest {
  jobId: string;
  /** Null: the one stage of the job that triggers a test. */
  stage: string | null;
  /** Null: the one that the stage triggers. */
  test: string | null;
  /** How long the person has to take the test. */
  waitMs: number;
  /** Shows the person where to take it. */
  onLink(link: { link: string; candidateId: string }): Promise<void>;
}

const VENDOR_LOOKS_EVERY_MS = 500;
const STORE_LOOKS_EVERY_MS = 100;
const TRIGGER_WITHIN_MS = 30_000;
const WRITTEN_WITHIN_MS = 60_000;
const WEBHOOK_WITHIN_MS = 30_000;
/** So long a webhook may be under way, or be sent again after a refusal, before anybody asks what is wrong. */
const EXPLAINED_AFTER_MS = 5_000;
const SHOWN_WITHIN_MS = 10_000;
const REACHED_WITHIN_MS = 10_000;
const REFUSALS_SHOWN = 50;

/** What the steps find and hand on. */
interface Found {
  account?: TrialAccount;
  place?: StagePlace;
  entry?: CatalogEntry | null;
  candidateId?: string;
  assessment?: Assessment;
  invitationId?: string;
  written?: Written;
}

/** What became of the result on its way to the scorecard. */
type Written = { push: PushSummary; reason: string | null } | "nothing yet";

/** Throws `USAGE` where the account is none for trials; a step that fails is told in the report. */
export async function tryAts(
  context: TrialContext,
  store: Store,
  request: AtsTrialRequest,
): Promise<TrialReport> {
  const destination = await openTrial(context, request);
  const ats = atsOf(destination);
  const { clock } = context;
  const { org, vendor, watcher, signal } = request;
  const found: Found = {};
  const startedAt = clock.now();
  const refusedBefore = await store.refusals(vendor, startedAt, REFUSALS_SHOWN);
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
      { id: "triggered", title: "3 assessment triggered", run: (note) => trigger(trial, note) },
      { id: "link", title: "4 link shown", run: () => showLink(trial) },
      { id: "completed", title: "5 completion seen", run: (note) => seeCompletion(trial, note) },
      { id: "webhook", title: "6 webhook received", run: (note) => seeWebhook(trial, note) },
      { id: "scorecard", title: "7 scorecard updated", run: (note) => seeScorecard(trial, note) },
    ] satisfies Step[],
    cleanUp: { id: "clean-up", title: "cleaned up", run: () => cleanUp(trial) },
  });
  await notePassed(store, found.account, { report, startedAt });
  return report;
}

interface AtsTrial {
  context: TrialContext;
  store: Store;
  request: AtsTrialRequest;
  ats: Ats;
  found: Found;
  startedAt: number;
  refusedBefore: readonly Refusal[];
}

async function isSubscribed(trial: AtsTrial): Promise<Outcome> {
  const targetUrl = webhookUrl(trial.context.config["serve.public_url"], trial.ats);
  const fault = await findSubscriptionFault(trial);
  if (fault === null) return { status: "passed", evidence: `to ${targetUrl}` };
  const evidence = `wanted at ${targetUrl}`;
  return { status: "failed", evidence, cause: fault.words, fix: `Run: ${fault.mend}` };
}

async function findSubscriptionFault({ context, store, ats, found }: AtsTrial) {
  const { connection, destination, access } = the(found.account);
  const targetUrl = webhookUrl(context.config["serve.public_url"], ats);
  const { clock } = context;
  const vault = await context.vault();
  const checked = await checkSubscription({ store, clock, vault, ats, access, targetUrl }, connection);
  return subscriptionFault({ ...connection, subscription: checked }, destination.label);
}

async function isReachable({ context, store, request }: AtsTrial): Promise<Outcome> {
  const fault = await receiverFault(context, request.signal);
  if (fault !== null) return fault;
  const services = await store.runningServices();
  if (services > 0) return { status: "passed", evidence: healthUrl(context) };
  return {
    status: "failed",
    evidence: `${healthUrl(context)} answers`,
    cause: "no service runs on this store: what answers there keeps its events elsewhere",
    fix: "Run: jc-integrations serve, with the same --state-dir",
  };
}

function healthUrl({ config }: TrialContext): string {
  return `${config["serve.public_url"].replace(/\/+$/, "")}/healthz`;
}

async function receiverFault(context: TrialContext, signal: AbortSignal): Promise<Outcome | null> {
  const url = healthUrl(context);
  const fix = lines(
    "Run: jc-integrations serve",
    `Let serve.public_url lead to it: a proxy with TLS that passes on to ${context.config["serve.listen"]}, unchanged`,
  );
  try {
    const http = await context.http();
    const answer = await http.request({ method: "GET", url, signal, timeoutMs: REACHED_WITHIN_MS });
    if (answer.status !== 200) return { status: "failed", cause: `${url} answered ${answer.status}`, fix };
    // As `serve` answers; many a page says 200.
    const isOurs = answer.text.includes('"ok"');
    return isOurs ? null : { status: "failed", cause: `something else answers at ${url}`, fix };
  } catch (error) {
    if (!isAppError(error, "VENDOR_UNAVAILABLE")) throw error;
    return { status: "failed", cause: `the receiver cannot be reached: ${error.message}`, fix };
  }
}

/** Heeds no Ctrl-C: nobody else would know of the candidate. */
async function create({ store, request, ats, found }: AtsTrial): Promise<Outcome> {
  const { org, vendor } = request;
  const person = madeUpPerson();
  const candidateId = await ats.createCandidate(the(found.account).lastingAccess, person);
  found.candidateId = candidateId;
  // Before anything can be told of the candidate: production never hears of it.
  await store.startTrial({ org, vendor, candidateId });
  return { status: "passed", evidence: `${plain(candidateId)}, ${person.email}` };
}

async function advance(trial: AtsTrial): Promise<Outcome> {
  const { request, ats, found } = trial;
  const { jobId } = request;
  const { access } = the(found.account);
  const catalog = request.stage === null ? await ats.catalog(access, jobId) : [];
  const [only, ...others] = catalog.filter(({ test }) => request.test === null || test === request.test);
  const stage = request.stage ?? only?.stage ?? null;
  const set = `jc-integrations catalog set --job ${jobId} --stage ${quoted(stage ?? "…")} --test disc --sandbox`;
  if (stage === null) {
    const cause = `no stage of job ${jobId} triggers ${request.test ?? "a test"}`;
    return { status: "failed", cause, fix: `Run: ${set}` };
  }
  if (request.stage === null && others.length > 0) {
    const stages = catalog.map((each) => quoted(each.stage)).join(", ");
    const cause = `several stages of job ${jobId} trigger a test: ${stages}`;
    return { status: "failed", cause, fix: "Name one of them with --stage" };
  }
  const place = { jobId, stage };
  const entry = only ?? (await ats.catalogEntry(access, place));
  if (entry === null && request.test === null) {
    const cause = `stage ${quoted(stage)} of job ${jobId} triggers no test`;
    return { status: "failed", cause, fix: `Run: ${set}\nOr name a test with --test` };
  }
  await ats.advance(access, { candidateId: the(found.candidateId), ...place });
  found.place = place;
  found.entry = entry;
  return { status: "passed", evidence: `${quoted(stage)} of job ${plain(jobId)}` };
}

/** By itself where the stage does so, else as a recruiter does by hand. */
async function trigger(trial: AtsTrial, note: (text: string) => void): Promise<Outcome> {
  const { context, request, ats, found } = trial;
  const { access } = the(found.account);
  const candidateId = the(found.candidateId);
  const { jobId, stage } = the(found.place);
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
    fix: lines(
      `Look at what it triggers: jc-integrations catalog show --job ${jobId} --stage ${quoted(stage)} --sandbox`,
      "Or trigger it by hand: set its trigger to manual",
    ),
  };
}

async function showLink({ request, found }: AtsTrial): Promise<Outcome> {
  const { link } = the(found.assessment);
  if (!/^https?:\/\//i.test(link)) {
    const cause = "the assessment came without a link for the candidate";
    return { status: "failed", cause, fix: "Ask JobCannon: a test that cannot be opened cannot be taken" };
  }
  await request.onLink({ link: plain(link), candidateId: the(found.candidateId) });
  return { status: "passed", evidence: plain(link) };
}

async function seeCompletion(
  { context, store, request, found }: AtsTrial,
  note: (text: string) => void,
): Promise<Outcome> {
  const { org, vendor, waitMs } = request;
  const { id: assessmentId } = the(found.assessment);
  const look = async () => {
    const known = await store.invites({ org, assessmentId, limit: 10 });
    const candidateId = the(found.candidateId);
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
  const again = `Run: jc-integrations sandbox-test ${vendor} --org ${org} --job ${the(found.place).jobId} --wait 30m`;
  return invite
    ? {
        status: "waiting",
        evidence: `the test is ${invite.status.replace("_", " ")}, not completed`,
        fix: lines("Open the link and finish the test while this waits", again),
      }
    : {
        status: "waiting",
        evidence: "JobCannon has told nothing of this assessment",
        fix: lines(
          "Open the link and finish the test while this waits",
          `If it was finished: do JobCannon's events reach ${context.config["serve.public_url"].replace(/\/+$/, "")}/jobcannon/events? See the log of serve`,
          again,
        ),
      };
}

/** The vendor sends it once the result is written, so what became of that is looked at first. */
async function seeWebhook(trial: AtsTrial, note: (text: string) => void): Promise<Outcome> {
  const { context, store, request, found } = trial;
  const written = await seeWritten(trial, note);
  found.written = written;
  if (written === "nothing yet" || written.push.state !== "delivered")
    return { status: "skipped", evidence: "comes after the result was written" };
  const { org, vendor } = request;
  const candidateId = the(found.candidateId);
  const begunAt = context.clock.now();
  let isExplained = false;
  const seen = await lookUntil(lookingIn(context, request), {
    withinMs: WEBHOOK_WITHIN_MS,
    everyMs: STORE_LOOKS_EVERY_MS,
    note: (left) => note(`${left} left`),
    look: async (): Promise<Outcome | null> => {
      const received = await store.received({ org, vendor, environment: "sandbox", candidateId, limit: 10 });
      const own = received.find(({ assessmentId }) => assessmentId === found.assessment?.id);
      if (own) {
        const at = shortTime(own.receivedAt);
        return { status: "passed", evidence: `${plain(own.eventId)} at ${at}, its signature is good` };
      }
      if (isExplained || context.clock.now() - begunAt < EXPLAINED_AFTER_MS) return null;
      isExplained = true;
      return await whyNoWebhook(trial);
    },
  });
  return (
    seen ??
    (await whyNoWebhook(trial)) ?? {
      status: "failed",
      cause: "no webhook came within 30 s after the result was written, though the subscription is active",
      fix: lines(
        `Look into ${the(found.account).destination.label}'s own log of deliveries`,
        "What came later: jc-integrations webhooks log --sandbox",
      ),
    }
  );
}

/** Null where nothing is known to be wrong: it may still be on its way. */
async function whyNoWebhook(trial: AtsTrial): Promise<Outcome | null> {
  const { context, request, found } = trial;
  const { org } = request;
  const { commonErrors } = the(found.account).destination;
  const [refused] = await refusedSince(trial);
  if (refused) {
    const wasChanged = refused.reason.includes("changed on its way");
    const own = wasChanged
      ? "Let whatever stands before serve pass the body on byte for byte"
      : `If the secret is another one: jc-integrations webhooks rotate-secret --org ${org} --sandbox`;
    return {
      status: "failed",
      evidence: `refused: ${plain(refused.reason)}`,
      cause: commonErrors?.signature.cause ?? "the signature does not fit",
      fix: lines(...(commonErrors?.signature.fixes ?? []), own),
    };
  }
  const fault = await findSubscriptionFault(trial);
  if (fault) return { status: "failed", cause: fault.words, fix: `Run: ${fault.mend}` };
  return await receiverFault(context, request.signal);
}

/** What was refused since the trial began, and not before it in the same minute. */
async function refusedSince({ store, request, startedAt, refusedBefore }: AtsTrial): Promise<Refusal[]> {
  const refused = await store.refusals(request.vendor, startedAt, REFUSALS_SHOWN);
  return refused.filter(
    ({ at, reason, n }) =>
      n > (refusedBefore.find((before) => before.at === at && before.reason === reason)?.n ?? 0),
  );
}

/** Waits for the service's delivery to come to an end, good or bad. */
async function seeWritten(
  { context, store, request, found }: AtsTrial,
  note: (text: string) => void,
): Promise<Written> {
  const { org, vendor } = request;
  let reason: string | null = null;
  let seen: PushSummary | undefined;
  const ended = await lookUntil(lookingIn(context, request), {
    withinMs: WRITTEN_WITHIN_MS,
    everyMs: STORE_LOOKS_EVERY_MS,
    note: (left) => note(`the result is being written, ${left} left`),
    look: async () => {
      const history = await store.invite(org, the(found.invitationId));
      seen = history?.pushes.find((push) => push.vendor === vendor && push.environment === "sandbox");
      reason = history?.attempts.filter((attempt) => attempt.vendor === vendor).at(-1)?.reason ?? null;
      return seen && seen.state !== "pending" ? seen : null;
    },
  });
  const push = ended ?? seen;
  return push ? { push, reason } : "nothing yet";
}

async function seeScorecard(trial: AtsTrial, note: (text: string) => void): Promise<Outcome> {
  const { context, request, ats, found } = trial;
  const { written = "nothing yet" } = found;
  if (written === "nothing yet" || written.push.state !== "delivered") return whyNotWritten(trial, written);
  const { access } = the(found.account);
  const { id } = the(found.assessment);
  const sent = written.push.projection ?? {};
  const shown = await lookUntil(lookingIn(context, request), {
    withinMs: SHOWN_WITHIN_MS,
    everyMs: VENDOR_LOOKS_EVERY_MS,
    note,
    look: async () => {
      const entries = await ats.scorecard(access, the(found.candidateId));
      return entries.find(({ assessmentId }) => assessmentId === id) ?? null;
    },
  });
  const fix = `Look at what was sent: jc-integrations invites show ${the(found.invitationId)}`;
  if (shown === null) {
    return { status: "failed", cause: "the result was taken, and the scorecard does not show it", fix };
  }
  const differences = ats.differences(shown, sent);
  if (differences.length > 0) {
    const cause = `the scorecard shows other values than were sent: ${differences.map(plain).join(", ")}`;
    return { status: "failed", cause, fix };
  }
  return { status: "passed", evidence: plain(shown.summary ?? shown.title) };
}

function whyNotWritten({ request, found }: AtsTrial, written: Written): Outcome {
  const { org } = request;
  const { destination } = the(found.account);
  const { vendor, label } = destination;
  const logs = `Look at each try: jc-integrations logs --vendor ${vendor} --org ${org}`;
  if (written === "nothing yet") {
    const cause = `the result is in our log, and nothing is on its way to ${label}`;
    return { status: "failed", cause, fix: logs };
  }
  const { push, reason } = written;
  const words = reason === null ? "" : `: ${plain(reason)}`;
  switch (push.state) {
    case "held":
      return push.heldCause === "scope"
        ? {
            status: "failed",
            evidence: `the result is held${words}`,
            ...missingScope(destination, org, reason === null ? [] : [reason]),
          }
        : {
            status: "failed",
            cause: `the result is held${words || ` (${push.heldCause})`}`,
            fix: `Run: ${cureOf(push.heldCause, { org, vendor })}`,
          };
    case "rejected":
      return {
        status: "failed",
        cause: `${label} refused the result: ${plain(push.rejection?.message ?? "without a reason")}`,
        fix: logs,
      };
    default:
      return {
        status: "failed",
        cause: `the result was not written within a minute${words}`,
        fix: lines(logs, "It is tried again every few minutes while serve runs"),
      };
  }
}

function cureOf(cause: HeldCause | null, { org, vendor }: { org: string; vendor: string }): string {
  switch (cause) {
    case "property":
      return `jc-integrations resync-properties --vendor ${vendor} --org ${org} --sandbox`;
    case "vault":
      return "jc-integrations vault status";
    default:
      return `jc-integrations connect ${vendor} --org ${org} --sandbox`;
  }
}

async function cleanUp({ request, ats, found }: AtsTrial): Promise<Outcome> {
  const { candidateId, account } = found;
  const what = candidateId === undefined ? null : `candidate ${plain(candidateId)}`;
  return await removeMade(what, {
    keep: request.keep,
    label: account?.destination.label ?? request.vendor,
    remove: async () => {
      await ats.removeCandidate(the(account).lastingAccess, the(candidateId));
      return true;
    },
  });
}

function lookingIn({ clock }: TrialContext, { signal }: AtsTrialRequest) {
  return { clock, signal };
}

function quoted(stage: string): string {
  return `"${plain(stage)}"`;
}
