import { connectCommand, resyncCommand } from "../../core/advice/command-lines.ts";
import type { Projection } from "../../core/push.ts";
import { AppError } from "../../shared/errors.ts";
import { count, plain } from "../../shared/text.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Trial } from "../../vendors/contract/destination.ts";
import { connectedStep, openTrial } from "./connected-step.ts";
import { explainBy } from "./guide-words.ts";
import { madeUpInvite, madeUpPerson } from "./made-up.ts";
import { notePassed } from "./note-passed.ts";
import { removeMade } from "./clean-up.ts";
import { type ChecklistReport, foundBefore, lookUntil, type Outcome, runChecklist } from "./checklist.ts";
import type { TrialAccount, TrialContext, TrialRequest } from "./trial-account.ts";

/** One made-up contact, sent as results are, read back value by value, and taken away again. */

const SHOWN_WITHIN_MS = 8_000;
const LOOKS_EVERY_MS = 500;

interface Found {
  account?: TrialAccount;
  fields?: string[];
  /** Set before the contact is sent: from then on it may be there. */
  subject?: string;
  projection?: Projection;
}

/** Throws `USAGE` where the account is none for trials, or the vendor has no such trial. */
export async function tryContacts(
  context: TrialContext,
  store: Store,
  request: TrialRequest,
): Promise<ChecklistReport> {
  const destination = await openTrial(context, request);
  const { trial } = destination;
  if (!trial) throw new AppError("USAGE", `there is no trial for ${destination.label}`);
  const { org, watcher, signal } = request;
  const found: Found = {};
  const then = (account: TrialAccount) => {
    found.account = account;
  };
  const startedAt = context.clock.now();
  const report = await runChecklist(context, {
    watcher,
    signal,
    explain: explainBy(destination, org),
    steps: [
      connectedStep(context, store, request, { destination, then }),
      { id: "properties", title: "properties", run: () => hasFields(found) },
      { id: "sent", title: "contact written", run: () => send(context, request, found) },
      {
        id: "read-back",
        title: "read back",
        run: (note) => readBack({ context, request, trial, found }, note),
      },
    ],
    cleanUp: { id: "clean-up", title: "cleaned up", run: () => cleanUp(request, trial, found) },
  });
  await notePassed(store, found.account, { report, startedAt });
  return report;
}

async function hasFields(found: Found): Promise<Outcome> {
  const { connection, destination, access } = foundBefore(found.account);
  const plan = await destination.planFields(access);
  const missing = [...plan.create, ...plan.overQuota];
  if (missing.length > 0 || plan.group?.exists === false) {
    return {
      status: "failed",
      evidence: `${plan.existing.length} of ${plan.existing.length + missing.length} are there`,
      cause: missing.length > 0 ? `not there: ${missing.join(", ")}` : "their group is not there",
      fix: `Run: ${resyncCommand(connection)}`,
    };
  }
  found.fields = plan.existing.filter((name) => !plan.leftOut.some((field) => field.name === name));
  const drifted = plan.drifted.map(({ name }) => name);
  const drift = drifted.length > 0 ? `; defined otherwise: ${drifted.join(", ")}` : "";
  return { status: "passed", evidence: `all ${plan.existing.length} are there${drift}` };
}

async function send({ clock }: TrialContext, request: TrialRequest, found: Found): Promise<Outcome> {
  const { connection, destination, lastingAccess } = foundBefore(found.account);
  const person = madeUpPerson();
  const invite = madeUpInvite(person, { org: request.org, now: clock.now() });
  const { projection } = destination.project([invite], foundBefore(found.fields));
  const subject = person.email;
  Object.assign(found, { subject, projection });
  const { answers } = await destination.send(lastingAccess, [
    { subject, traceId: invite.invitationId, version: 1, projection },
  ]);
  const [answer] = answers;
  switch (answer?.kind) {
    case "accepted":
      return {
        status: "passed",
        evidence: `${subject}, ${count(Object.keys(projection).length, "value")}`,
      };
    case "held":
      return {
        status: "failed",
        cause: `${destination.label} has not what the contact needs: ${answer.detail || answer.cause}`,
        fix: `Run: ${connectCommand(connection)}`,
      };
    case "rejected":
    case "split":
      return {
        status: "failed",
        cause: `${destination.label} refused the contact: ${plain(answer.rejection.message)}`,
        fix: null,
      };
    default:
      return { status: "failed", cause: answer?.reason ?? "no answer", fix: "Try again later" };
  }
}

/** A new contact may take a moment until it is found by its address. */
async function readBack(
  {
    context,
    request,
    trial,
    found,
  }: { context: TrialContext; request: TrialRequest; trial: Trial; found: Found },
  note: (text: string) => void,
): Promise<Outcome> {
  const { connection, access, destination } = foundBefore(found.account);
  const projection = foundBefore(found.projection);
  const fields = Object.keys(projection);
  const seen: { differences: string[] | null } = { differences: null };
  const same = await lookUntil(
    { clock: context.clock, signal: request.signal },
    {
      withinMs: SHOWN_WITHIN_MS,
      everyMs: LOOKS_EVERY_MS,
      note: (left) => note(`${left} left`),
      look: async () => {
        const held = await trial.read(access, { subject: foundBefore(found.subject), fields });
        seen.differences = held && fields.filter((name) => !isSame(held[name], projection[name] ?? ""));
        return seen.differences?.length === 0 ? fields : null;
      },
    },
  );
  if (same) return { status: "passed", evidence: `${count(same.length, "value")} as they were sent` };
  const cause =
    seen.differences === null
      ? `${destination.label} took the contact, and does not show it`
      : `${destination.label} shows other values than were sent: ${seen.differences.join(", ")}`;
  const fix = `See whether a workflow there changes contacts; compare the definitions: ${resyncCommand(connection, "--dry-run")}`;
  return { status: "failed", cause, fix };
}

/** Numbers and points in time may be written in several ways. */
function isSame(held: string | undefined, sent: string): boolean {
  if (held === undefined || held === sent) return held === sent;
  if (Number(held) === Number(sent)) return true;
  return sent.includes("T") && Date.parse(held) === Date.parse(sent);
}

async function cleanUp(request: TrialRequest, trial: Trial, { account, subject }: Found): Promise<Outcome> {
  return await removeMade(subject ?? null, {
    keep: request.keep,
    label: account?.destination.label ?? request.vendor,
    remove: () => trial.remove(foundBefore(account).lastingAccess, foundBefore(subject)),
  });
}
