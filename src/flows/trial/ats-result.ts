import {
  assignCommand,
  connectCommand,
  inviteCommand,
  logsCommand,
  replayCommand,
  resyncCommand,
  rotateCommand,
  VAULT_COMMAND,
  webhooksLogCommand,
} from "../../core/advice/command-lines.ts";
import type { Connection } from "../../core/connection.ts";
import type { HeldCause } from "../../core/push.ts";
import { plain, possessive, shortTime } from "../../shared/text.ts";
import type { PushSummary, Refusal } from "../../store/contract/store.ts";
import {
  type AtsTrial,
  lookingIn,
  STORE_LOOKS_EVERY_MS,
  VENDOR_LOOKS_EVERY_MS,
  type Written,
} from "./ats-trial-state.ts";
import { findSubscriptionFault, receiverFault } from "./ats-receiver.ts";
import { fixOf, foundBefore, lookUntil, type Outcome } from "./checklist.ts";
import { missingScope } from "./guide-words.ts";

/** What became of a trial's result: written by the service, confirmed by the vendor's webhook, shown to recruiters. */
const WRITTEN_WITHIN_MS = 60_000;
const WEBHOOK_WITHIN_MS = 30_000;
/** So long a webhook may be under way, or be sent again after a refusal, before anybody asks what is wrong. */
const EXPLAINED_AFTER_MS = 5_000;
const SHOWN_WITHIN_MS = 10_000;
export const REFUSALS_SHOWN = 50;

/** The vendor sends it once the result is written, so what became of that is looked at first. */
export async function seeWebhook(trial: AtsTrial, note: (text: string) => void): Promise<Outcome> {
  const { context, store, request, found } = trial;
  const written = await seeWritten(trial, note);
  found.written = written;
  if (written === "nothing yet" || written.push.state !== "delivered")
    return { status: "skipped", evidence: "comes after the result was written" };
  const { org, vendor } = request;
  const candidateId = foundBefore(found.candidateId);
  const begunAt = context.clock.now();
  let isExplained = false;
  const seen = await lookUntil(lookingIn(context, request), {
    withinMs: WEBHOOK_WITHIN_MS,
    everyMs: STORE_LOOKS_EVERY_MS,
    note: (left) => note(`${left} left`),
    look: async (): Promise<Outcome | null> => {
      const received = await store.received({ org, vendor, environment: "sandbox", candidateId, limit: 10 });
      const own = received.find(
        ({ assessmentId, isCompletion }) => isCompletion && assessmentId === found.assessment?.id,
      );
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
      fix: fixOf(
        `Look into ${possessive(foundBefore(found.account).destination.label)} own log of deliveries`,
        `What came later: ${webhooksLogCommand(foundBefore(found.account).connection)}`,
      ),
    }
  );
}

/** Null where nothing is known to be wrong: it may still be on its way. */
export async function whyNoWebhook(trial: AtsTrial): Promise<Outcome | null> {
  const { context, request, found } = trial;
  const { commonErrors } = foundBefore(found.account).destination;
  const refusals = await refusedSince(trial);
  // `serve` looks into one in a minute only; what it found holds for the others.
  const changed = refusals.find(({ reason }) => reason.includes("changed on its way"));
  const refused = changed ?? refusals[0];
  if (refused) {
    const wasChanged = changed !== undefined;
    const own = wasChanged
      ? "Let whatever stands before serve pass the body on byte for byte"
      : `If the secret is another one: ${rotateCommand(foundBefore(found.account).connection)}`;
    return {
      status: "failed",
      evidence: `refused: ${plain(refused.reason)}`,
      cause: commonErrors?.signature.cause ?? "the signature does not fit",
      fix: fixOf(...(commonErrors?.signature.fixes ?? []), own),
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
export async function seeWritten(
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
      const history = await store.invite(org, foundBefore(found.invitationId));
      seen = history?.pushes.find((push) => push.vendor === vendor && push.environment === "sandbox");
      reason = history?.attempts.filter((attempt) => attempt.vendor === vendor).at(-1)?.reason ?? null;
      return seen && seen.state !== "pending" ? seen : null;
    },
  });
  const push = ended ?? seen;
  return push ? { push, reason } : "nothing yet";
}

export async function seeScorecard(trial: AtsTrial, note: (text: string) => void): Promise<Outcome> {
  const { context, request, ats, found } = trial;
  const { written = "nothing yet" } = found;
  if (written === "nothing yet" || written.push.state !== "delivered") return whyNotWritten(trial, written);
  const { access } = foundBefore(found.account);
  const { id } = foundBefore(found.assessment);
  const sent = written.push.projection ?? {};
  const shown = await lookUntil(lookingIn(context, request), {
    withinMs: SHOWN_WITHIN_MS,
    everyMs: VENDOR_LOOKS_EVERY_MS,
    note,
    look: async () => {
      const entries = await ats.scorecard(access, foundBefore(found.candidateId));
      return entries.find(({ assessmentId }) => assessmentId === id) ?? null;
    },
  });
  const fix = `Look at what was sent: ${inviteCommand(foundBefore(found.invitationId), { org: request.org })}`;
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

export function whyNotWritten({ request, found }: AtsTrial, written: Written): Outcome {
  const { org } = request;
  const { connection, destination } = foundBefore(found.account);
  const { vendor, label } = destination;
  const logs = `Look at each try: ${logsCommand({ vendor, org })}`;
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
            fix: `Run: ${cureOf(push.heldCause, connection)}`,
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
        fix: fixOf(logs, "It is tried again every few minutes while serve runs"),
      };
  }
}

function cureOf(cause: HeldCause | null, connection: Connection): string {
  switch (cause) {
    case "property":
      return resyncCommand(connection);
    case "vault":
      return VAULT_COMMAND;
    case "confirm":
      return connectCommand(connection, "--confirm");
    case "gone":
      return replayCommand(connection, "gone");
    case "candidate":
      return assignCommand(connection);
    default:
      return connectCommand(connection);
  }
}
