/** Both directions of a vendor's log, newest first, a line each. */
import { triedWords } from "../../core/advice/held-words.ts";
import { tellsCompletion } from "../../core/confirmation.ts";
import { maskedWords } from "../../shared/masked-words.ts";
import { count, maskEmail } from "../../shared/text.ts";
import type { LoggedAttempt, ReceivedWebhook, Refusal, TakenEvent } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import type { PagesContext } from "./context.ts";
import { type Html, html, type Part } from "./html.ts";
import type { LogFilter, LogKind } from "./log-filter.ts";
import { candidateUrl } from "./vendor-pages.ts";

const ON_A_PAGE = 50;

export interface Line {
  at: number;
  tone: "good" | "bad" | "waiting" | "off";
  mark: string;
  what: Part;
  invite: Html | null;
  words: string;
  isMasked?: boolean;
}

export interface Lines {
  lines: Line[];
  next: number | null;
}

const NONE: Lines = { lines: [], next: null };

export async function linesFor(
  context: PagesContext,
  filter: LogFilter,
  declared: VendorDeclaration,
  isRevealed: boolean,
): Promise<Lines> {
  const wants = (kind: LogKind) => filter.show === "all" || filter.show === kind;
  const isOfInvite = filter.invitationId !== undefined;
  const found = await Promise.all([
    wants("written") ? written(context, filter, isRevealed) : NONE,
    wants("received") && !isOfInvite ? received(context, filter, declared) : NONE,
    wants("refused") && !isOfInvite && !filter.unmatched ? refused(context, filter, declared) : NONE,
  ]);
  const lines = found.flatMap((each) => each.lines).toSorted((a, b) => b.at - a.at);
  const next = filter.show === "all" ? null : (found.find((each) => each.next !== null)?.next ?? null);
  return { lines: lines.slice(0, ON_A_PAGE), next };
}

async function written({ store }: PagesContext, filter: LogFilter, isRevealed: boolean): Promise<Lines> {
  const connection = await store.connection(filter);
  if (!connection) return NONE;
  const { outcome, since, invitationId, before } = filter;
  const { attempts, next } = await store.deliveryLog({
    connectionId: connection.id,
    limit: ON_A_PAGE,
    ...(outcome === undefined ? {} : { outcome }),
    ...(since === undefined ? {} : { since }),
    ...(invitationId === undefined ? {} : { invitationId }),
    ...(before === undefined ? {} : { before }),
  });
  const isContact = connection.subject === "contact";
  return {
    lines: attempts.map((each) => attemptLine(each, { org: filter.org, isContact, isRevealed })),
    next,
  };
}

const TONES = {
  delivered: "good",
  recreated: "good",
  rejected: "bad",
  retry: "waiting",
  held: "waiting",
} as const;

function attemptLine(
  { at, outcome, subject, reason, httpStatus, durationMs, invitationId }: LoggedAttempt,
  { org, isContact, isRevealed }: { org: string; isContact: boolean; isRevealed: boolean },
): Line {
  const told = triedWords({ outcome, reason });
  const words = isRevealed ? told : maskedWords(told, isContact ? [subject] : []);
  const took = `${httpStatus ?? "no answer"}, ${(durationMs / 1_000).toFixed(2)} s`;
  return {
    at,
    tone: TONES[outcome],
    mark: outcome,
    what: isContact && !isRevealed ? maskEmail(subject) : subject,
    invite: invitationId === null ? null : inviteLink(org, invitationId),
    words: words === "" ? took : `${words} (${took})`,
    isMasked: isContact && !isRevealed,
  };
}

/** An applicant tracking system's own webhooks; of what only takes results, JobCannon's, which bring them. */
async function received(
  { store, vendors }: PagesContext,
  filter: LogFilter,
  declared: VendorDeclaration,
): Promise<Lines> {
  const { org, vendor, environment, unmatched, since, before } = filter;
  if (!declared.destination?.isAts) {
    const source = sourceFor(declared, vendors);
    if (environment === "sandbox") return NONE;
    const taken = await store.taken({ source, org, limit: ON_A_PAGE });
    const lines = taken
      .filter((each) => since === undefined || each.receivedAt >= since)
      .map((each) => eventLine(org, each));
    return { lines, next: null };
  }
  const { webhooks, next } = await store.webhookLog({
    org,
    vendor,
    environment,
    unmatched,
    limit: ON_A_PAGE,
    ...(since === undefined ? {} : { since }),
    ...(before === undefined ? {} : { before }),
  });
  return { lines: webhooks.map((each) => webhookLine(org, each)), next };
}

/** Whose webhooks bring what goes there: its own, or those of who knows of invites and takes no results. */
function sourceFor(declared: VendorDeclaration, vendors: readonly VendorDeclaration[]): string {
  const teller = vendors.find(({ source, destination }) => source !== undefined && destination === undefined);
  return declared.source === undefined ? (teller?.vendor ?? declared.vendor) : declared.vendor;
}

function eventLine(org: string, { receivedAt, type, conflict, invitationId }: TakenEvent): Line {
  return {
    at: receivedAt,
    tone: "good",
    mark: "received",
    what: type,
    invite: inviteLink(org, invitationId),
    words: conflict ? "the same id came with another body before" : "",
  };
}

function webhookLine(org: string, each: ReceivedWebhook): Line {
  const { receivedAt, candidateId, assessmentId, invitationId, isMatched, status } = each;
  const idle = tellsCompletion(status) ? "" : `${status === "" ? "no status" : status}: completes nothing`;
  return {
    at: receivedAt,
    tone: isMatched ? "good" : "waiting",
    mark: "received",
    what: `${each.type}, candidate ${candidateId}, assessment ${assessmentId}`,
    invite: isMatched && invitationId !== null ? inviteLink(org, invitationId) : null,
    words: [isMatched ? "" : "no invite yet", idle].filter(Boolean).join("; "),
  };
}

async function refused(
  { store, vendors }: PagesContext,
  filter: LogFilter,
  declared: VendorDeclaration,
): Promise<Lines> {
  const source = sourceFor(declared, vendors);
  const found = await store.refusals(source, filter.since ?? 0, ON_A_PAGE);
  return { lines: found.map(refusalLine), next: null };
}

function refusalLine({ at, reason, n }: Refusal): Line {
  return {
    at,
    tone: "bad",
    mark: "refused",
    what: n > 1 ? `${count(n, "webhook")} in a minute` : "one webhook",
    invite: null,
    words: reason,
  };
}

function inviteLink(org: string, invitationId: string): Html {
  return html`<a href="${candidateUrl(org, invitationId)}">${invitationId}</a>`;
}
