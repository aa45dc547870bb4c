/**
 * The part of a trial where the vendor has no catalogue of its own: we hear of the move, ask JobCannon for the invite, and
 * bring the result to the application.
 */
import { wantedCommand, logsCommand, setCatalogCommand } from "../../core/advice/command-lines.ts";
import type { InviteRequest } from "../../core/invite-request.ts";
import { REQUEST_STATES } from "../../core/invite-request.ts";
import { plain, shortTime } from "../../shared/text.ts";
import { type AtsTrial, lookingIn, STORE_LOOKS_EVERY_MS } from "./ats-trial-state.ts";
import { seeWritten, whyNoWebhook, whyNotWritten } from "./ats-result.ts";
import { fixOf, foundBefore, lookUntil, type Outcome } from "./checklist.ts";

const ASKED_WITHIN_MS = 60_000;
const SENT_WITHIN_MS = 30_000;
const REQUESTS_SHOWN = 1_000;

/** The vendor's webhook tells of the move, and the stage wants an invite: JobCannon is asked, or a person has to. */
export async function seeRequest(trial: AtsTrial, note: (text: string) => void): Promise<Outcome> {
  const { context, request, found } = trial;
  const { jobId, stage } = foundBefore(found.place);
  const { connection } = foundBefore(found.account);
  const asked = await lookUntil(lookingIn(context, request), {
    withinMs: ASKED_WITHIN_MS,
    everyMs: STORE_LOOKS_EVERY_MS,
    note: (left) => note(`the webhook of the move is on its way, ${left} left`),
    look: async () => await requestOf(trial),
  });
  if (!asked)
    return (
      (await whyNoWebhook(trial)) ?? {
        status: "failed",
        cause: `the move to "${plain(stage)}" asked for nothing within a minute`,
        fix: `Run: ${setCatalogCommand({ ...connection, jobId, stage, test: found.entry?.test ?? "disc" })}`,
      }
    );
  const { assessmentId: id, entry } = asked;
  found.assessment = { id, jobId, test: entry.test, status: asked.state, link: "" };
  const sent = asked.state === "open" ? await seeSent(trial, note) : asked;
  found.request = sent;
  switch (sent.state) {
    case "refused":
      return {
        status: "failed",
        cause: `JobCannon was asked for the invite and said no: ${plain(sent.reason ?? "without a reason")}`,
        fix: `Look at each try: ${logsCommand(connection)}`,
      };
    case "sent":
      return { status: "passed", evidence: `${plain(entry.test)}: JobCannon was asked, as ${plain(id)}` };
    default:
      return { status: "passed", evidence: `${plain(entry.test)} is wanted, as ${plain(id)}` };
  }
}

/** Until it was taken, or nobody can be asked. */
async function seeSent(trial: AtsTrial, note: (text: string) => void): Promise<InviteRequest> {
  const { context, request } = trial;
  const ended = await lookUntil(lookingIn(context, request), {
    withinMs: context.config["jobcannon.invites_url"] === "" ? 0 : SENT_WITHIN_MS,
    everyMs: STORE_LOOKS_EVERY_MS,
    note: (left) => note(`JobCannon is being asked, ${left} left`),
    look: async () => {
      const now = await requestOf(trial);
      return now && now.state !== "open" ? now : null;
    },
  });
  return ended ?? foundBefore((await requestOf(trial)) ?? undefined);
}

async function requestOf({ store, request, found }: AtsTrial): Promise<InviteRequest | null> {
  const { org, vendor } = request;
  const all = await store.inviteRequests({ org, states: REQUEST_STATES, limit: REQUESTS_SHOWN });
  const isOwn = (each: InviteRequest) =>
    each.vendor === vendor &&
    each.environment === "sandbox" &&
    each.candidateId === found.candidateId &&
    (request.test === null || each.entry.test === request.test);
  return all.find(isOwn) ?? null;
}

/** JobCannon writes to the candidate; nobody but they get the link. */
export async function sayWhoInvites({ request, found }: AtsTrial): Promise<Outcome> {
  const candidateId = foundBefore(found.candidateId);
  const email = foundBefore(found.email);
  const isSent = found.request?.state === "sent";
  await request.onLink({ link: null, candidateId });
  return isSent
    ? { status: "passed", evidence: `JobCannon writes to ${plain(email)}` }
    : {
        status: "passed",
        evidence: `invite ${plain(email)} at JobCannon by hand, with its source: ${wantedCommand({ org: request.org })}`,
      };
}

/** Without it nothing would have been asked for; here it is told, with what became of the result. */
export async function seeMoveTold(trial: AtsTrial, note: (text: string) => void): Promise<Outcome> {
  const { found } = trial;
  found.written = await seeWritten(trial, note);
  const { askedAt, applicationId } = foundBefore(found.request);
  return {
    status: "passed",
    evidence: `of application ${plain(applicationId)}, looked up at ${shortTime(askedAt)}; its signature is good`,
  };
}

/** Reads back what the vendor shows. */
export async function seeValues(trial: AtsTrial): Promise<Outcome> {
  const { ats, found, request } = trial;
  const { written = "nothing yet" } = found;
  if (written === "nothing yet" || written.push.state !== "delivered") return whyNotWritten(trial, written);
  const { access } = foundBefore(found.account);
  const { jobId } = foundBefore(found.place);
  const sent = written.push.projection ?? {};
  const shown = await ats.values?.(access, { sent, fields: Object.keys(sent) });
  if (!shown)
    return {
      status: "failed",
      cause: `SmartRecruiters does not show the application of job ${plain(jobId)}`,
      fix: fixOf(`Look at each try: ${logsCommand({ vendor: request.vendor, org: request.org })}`),
    };
  const differences = Object.keys(shown).filter((name) => shown[name] !== sent[name]);
  if (differences.length > 0)
    return {
      status: "failed",
      cause: `the application shows other values than were sent: ${differences.map(plain).join(", ")}`,
      fix: fixOf(`Look at each try: ${logsCommand({ vendor: request.vendor, org: request.org })}`),
    };
  return { status: "passed", evidence: `on the application of job ${plain(jobId)}, as it was sent` };
}
