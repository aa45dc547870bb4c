import type { ServerResponse } from "node:http";
import { connectionName } from "../../core/connection.ts";
import type { BegunConsent, Consent } from "../../core/consent.ts";
import { notConfirmed } from "../../core/advice/not-confirmed.ts";
import { type ConsentEnd, type FinishContext, finishConsent } from "../../flows/connect/finish-consent.ts";
import { hashOfLink, secretIn } from "../../oauth/consent/consent-link.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import {
  linkConnectedPage,
  linkFailedPage,
  linkOtherAccountPage,
  linkOtherRegionPage,
  type LinkPage,
  linkSlowPage,
  pageOfLink,
} from "./link-pages.ts";
import { consentNotice, type Notice, noticeUrl, slowNotice } from "./notice.ts";
import { leadTo } from "./show.ts";
import type { ToldEnds } from "./told-ends.ts";

/** Takes the vendor's answer to a link, and leads the browser to a page whose address does not hold it. */
export interface AnswerContext extends FinishContext {
  /** For what anybody can cause, as often as he likes. */
  quiet: Pick<Log, "warn" | "error">;
  /** Cuts off the calls under way. */
  signal: AbortSignal;
  ends: ToldEnds<LinkPage>;
  /** What the admin page is to say. */
  notices: ToldEnds<Notice>;
}

/** The page beside `oauth-callback` that says how it ended. */
export const RESULT = "connect";
/** A browser that waited this long is told that it may go. */
const PATIENCE_MS = 20_000;

export async function takeAnswer(
  context: AnswerContext,
  vendor: string,
  { cookie, query, response }: { cookie: string; query: URLSearchParams; response: ServerResponse },
): Promise<void> {
  const { ends, notices, signal } = context;
  const begun = await begunOf(context, vendor, cookie);
  const to = begun ? noticeUrl(begun.begun.returnTo, begun.hash) : RESULT;
  const told = new AbortController();
  const patience = leadOnLater(context, { cookie, response, begun, to }, told.signal);
  try {
    const end = await finishConsent(context, { vendor, cookie, query, signal });
    note(context, vendor, end);
    tell(ends, cookie, end);
    if (begun && end.kind !== "unknown") notices.tell(begun.hash, consentNotice(begun, end));
    leadTo(response, to);
    if (end.kind === "connected") await prepare(context, end);
  } catch (error) {
    const reason = signal.aborted ? "the service stops" : reasonOf(error);
    context.quiet.error("consent not taken", { vendor, reason });
    ends.tell(cookie, linkFailedPage(null, error));
    leadTo(response, RESULT);
  } finally {
    told.abort();
    await patience;
  }
}

type Begun = Consent & { begun: BegunConsent };

/** The consent, where it was begun on the admin page: there its browser is led back to. */
async function begunOf(
  { store, clock }: AnswerContext,
  vendor: string,
  cookie: string,
): Promise<Begun | null> {
  const request = {
    hash: hashOfLink(secretIn(cookie) ?? ""),
    vendor,
    now: clock.now(),
    how: "look",
  } as const;
  const found = await store.takeConsent(request).catch(() => null);
  if (found?.kind !== "taken") return null;
  const { begun, ...consent } = found.consent;
  return begun ? { ...consent, begun } : null;
}

interface Waiting {
  cookie: string;
  response: ServerResponse;
  begun: Begun | null;
  to: string;
}

async function leadOnLater(
  { clock, ends, notices }: AnswerContext,
  { cookie, response, begun, to }: Waiting,
  told: AbortSignal,
): Promise<void> {
  try {
    await clock.sleep(PATIENCE_MS, told);
    ends.tell(cookie, linkSlowPage, "told");
    if (begun) notices.tell(begun.hash, slowNotice(begun), "told");
    leadTo(response, to);
  } catch {
    // It was answered in time.
  }
}

/** What goes wrong here stands on the connection, which stays. */
async function prepare(
  { log }: AnswerContext,
  end: Extract<ConsentEnd, { kind: "connected" }>,
): Promise<void> {
  const connection = connectionName(end.connection);
  if (end.prepare === null) {
    const { message, hint } = notConfirmed(end.connection);
    log.warn("results wait for an operator", { connection, reason: message, hint: hint ?? "" });
    return;
  }
  try {
    const { fields, fieldsProblem } = await end.prepare();
    if (fields) log.info("properties ready", { connection, created: fields.created.length });
    else log.warn("properties not ready", { connection, reason: fieldsProblem?.message ?? "" });
  } catch (error) {
    log.error("properties not ready", { connection, reason: reasonOf(error) });
  }
}

/** Somebody else's answer says nothing about this browser's, and a second one nothing about the first. */
function tell(ends: ToldEnds<LinkPage>, cookie: string, end: ConsentEnd): void {
  if (end.kind === "unknown") return;
  ends.tell(cookie, pageOf(end), end.kind === "used" || end.kind === "busy" ? "told" : undefined);
}

function pageOf(end: ConsentEnd): LinkPage {
  switch (end.kind) {
    case "connected":
      return linkConnectedPage(end.label, end.connection);
    case "other_account":
      return linkOtherAccountPage(end.label, end.wanted, end.after.id);
    case "other_region":
      return linkOtherRegionPage(end.label);
    case "failed":
      return linkFailedPage(end.label, end.error);
    default:
      return pageOfLink(end.kind);
  }
}

/** Neither code nor state: what tells one try from another is whose connection it is, where we know. */
function note({ log, quiet }: AnswerContext, vendor: string, end: ConsentEnd): void {
  if (end.kind === "connected") {
    const { connection } = end;
    log.info("connected", {
      connection: connectionName(connection),
      account: connection.account?.id ?? null,
    });
  } else if (end.kind === "other_account") {
    const { name, wanted, after } = end;
    const reason = `it came from account ${after.id}, not ${wanted}; a link made with --account ${after.id} allows it`;
    log.warn("consent refused", { connection: connectionName(name), reason });
  } else if (end.kind === "other_region") {
    const { message, hint = "" } = end.error;
    log.warn("consent refused", { connection: connectionName(end.name), reason: message, hint });
  } else if (end.kind === "failed") {
    const { code, message, hint } = end.error;
    // The others' hints say how to begin anew, but the link is still good.
    const canMend = /^(USAGE|CONFIG_INVALID|VAULT_UNAVAILABLE|STORE_UNAVAILABLE)$/.test(code);
    const connection = connectionName(end.name);
    log.warn("consent refused", { connection, reason: message, ...(canMend && hint ? { hint } : {}) });
  } else {
    quiet.warn("consent refused", { vendor, reason: REASONS[end.kind] });
  }
}

const REASONS = {
  unknown: "it belongs to no link of ours, or to another browser",
  expired: "its link has expired",
  voided: "its link is void",
  used: "its link was used already",
  busy: "its link is being redeemed",
};

/** A bug shows its stack, trouble that an operator can mend its message. */
export function reasonOf(error: unknown): string {
  if (isAppError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : "unknown";
}
