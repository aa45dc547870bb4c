import { SERVE_COMMAND } from "../../core/advice/command-lines.ts";
import { isAppError } from "../../shared/errors.ts";
import type { AtsTrial } from "./ats-trial-state.ts";
import { subscriptionFault } from "../../core/advice/subscription.ts";
import { checkSubscription } from "../ats/check-subscriptions.ts";
import { webhookUrl } from "../ats/subscription-plan.ts";
import { fixOf, foundBefore, type Outcome } from "./checklist.ts";
import type { TrialContext } from "./trial-account.ts";

/** What a trial rests on: the vendor's webhooks are sent to us, and somebody is at home there. */
const REACHED_WITHIN_MS = 10_000;

export async function isSubscribed(trial: AtsTrial): Promise<Outcome> {
  const targetUrl = webhookUrl(trial.context.config["serve.public_url"], trial.ats);
  const fault = await findSubscriptionFault(trial);
  if (fault === null) return { status: "passed", evidence: `to ${targetUrl}` };
  const evidence = `wanted at ${targetUrl}`;
  return { status: "failed", evidence, cause: fault.words, fix: `Run: ${fault.mend}` };
}

export async function findSubscriptionFault({ context, store, ats, found }: AtsTrial) {
  const { connection, destination, access } = foundBefore(found.account);
  const targetUrl = webhookUrl(context.config["serve.public_url"], ats);
  const { clock } = context;
  const vault = await context.vault();
  const checked = await checkSubscription({ store, clock, vault, ats, access, targetUrl }, connection);
  return subscriptionFault({ ...connection, subscription: checked }, destination.label);
}

export async function isReachable({ context, store, request }: AtsTrial): Promise<Outcome> {
  const fault = await receiverFault(context, request.signal);
  if (fault !== null) return fault;
  const services = await store.runningServices();
  if (services.length > 0) return { status: "passed", evidence: healthUrl(context) };
  return {
    status: "failed",
    evidence: `${healthUrl(context)} answers`,
    cause: "no service runs on this store: what answers there keeps its events elsewhere",
    fix: `With the same --state-dir, run: ${SERVE_COMMAND}`,
  };
}

function healthUrl({ config }: TrialContext): string {
  return `${config["serve.public_url"].replace(/\/+$/, "")}/healthz`;
}

export async function receiverFault(context: TrialContext, signal: AbortSignal): Promise<Outcome | null> {
  const url = healthUrl(context);
  const fix = fixOf(
    `Run: ${SERVE_COMMAND}`,
    `Let serve.public_url lead to it: serve.tls_cert, or a proxy with TLS that passes on to ${context.config["serve.listen"]}, unchanged`,
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
