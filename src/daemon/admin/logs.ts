import { triedWords } from "../../core/advice/held-words.ts";
import { ADMIN_HOME, maySee } from "../../core/admin.ts";
import { tellsCompletion } from "../../core/confirmation.ts";
import type { ConnectionName, Environment } from "../../core/connection.ts";
import { ATTEMPT_OUTCOMES } from "../../core/push.ts";
import { maskedWords } from "../../shared/masked-words.ts";
import { count, maskEmail } from "../../shared/text.ts";
import type { LoggedAttempt, ReceivedWebhook, Refusal, TakenEvent } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import { audit } from "./actions.ts";
import type { PagesContext, Visit } from "./context.ts";
import { type Html, html, type Part } from "./html.ts";
import { hidden, type Shown, secondOf } from "./layout.ts";
import { candidateUrl, logsOf, placeIn } from "./vendor-pages.ts";
import { orgsFor } from "./integrations.ts";

/** `/admin/integrations/{vendor}/logs`: webhooks that came or were refused, and every try of every result. */
const ON_A_PAGE = 50;
const KINDS = ["all", "written", "received", "refused"] as const;
type Kind = (typeof KINDS)[number];
const KIND_WORDS: Record<Kind, string> = {
  all: "all, the newest",
  written: "results that were sent",
  received: "webhooks received",
  refused: "webhooks refused",
};
/** With more of them the name is typed. */
const MOST_LISTED = 200;

interface Filter extends ConnectionName {
  show: Kind;
  outcome?: LoggedAttempt["outcome"];
  unmatched: boolean;
  since?: number;
  sinceText: string;
  invitationId?: string;
  before?: number;
}

/** Null where this admin may not see that org, or nobody knows that vendor. A POST shows the addresses, and is audited. */
export async function logsPage(
  context: PagesContext,
  visit: Visit,
  declared: VendorDeclaration,
): Promise<Shown | null> {
  const { vendors } = context;
  const { admin, request } = visit;
  const isRevealed = request.method === "POST";
  const orgs = await orgsFor(context, admin);
  const filter = filterOf(isRevealed ? visit.form : visit.query, { context, visit, declared, orgs });
  if (filter === null || !maySee(admin, filter.org)) return null;
  const { lines, next } = await linesFor(context, filter, declared, isRevealed);
  if (isRevealed)
    await audit(context, admin, {
      what: "showed addresses",
      org: filter.org,
      about: `${declared.label} log${filter.invitationId ? `, invitation ${filter.invitationId}` : ""}`,
    });
  const body = html`<h1>${declared.label} log</h1>
  ${filterForm(filter, { declared, orgs })}
  ${lines.length === 0 ? html`<p>${emptyWords(filter, next)}</p>` : table(lines)}
  <div class="pages">
  ${next !== null && html`<a href="${urlOf({ ...filter, before: next })}" rel="next">Older</a>`}
  ${lines.some(({ isMasked }) => isMasked) && revealForm(filter, admin.csrf)}
  ${isRevealed && html`<a href="${urlOf(filter)}">Hide the addresses</a>`}
  </div>`;
  const title = `${declared.label} log of ${filter.org}`;
  return { title, body, signedIn: admin, logs: logsOf(vendors), isLive: !isRevealed };
}

function filterOf(
  fields: URLSearchParams,
  {
    context,
    visit,
    declared,
    orgs,
  }: { context: PagesContext; visit: Visit; declared: VendorDeclaration; orgs: string[] },
): Filter | null {
  const own = visit.admin.org ?? (orgs.includes(context.config.org) ? context.config.org : (orgs[0] ?? ""));
  const named = new URLSearchParams(fields);
  named.set("org", fields.get("org") || own);
  named.set("vendor", declared.vendor);
  const place = placeIn(named, context.vendors);
  if (place === null) return null;
  const show = KINDS.find((each) => each === fields.get("show")) ?? "all";
  const outcome = ATTEMPT_OUTCOMES.find((each) => each === fields.get("outcome"));
  const sinceText = fields.get("since") ?? "";
  const since = /^\d{4}-\d\d-\d\d$/.test(sinceText) ? Date.parse(`${sinceText}T00:00:00Z`) : Number.NaN;
  const before = Number(fields.get("before"));
  const invitationId = (fields.get("invite") ?? "").trim();
  return {
    ...place,
    show: outcome !== undefined && show === "all" ? "written" : show,
    ...(outcome === undefined ? {} : { outcome }),
    unmatched: fields.get("unmatched") === "1",
    ...(Number.isNaN(since) ? { sinceText: "" } : { since, sinceText }),
    ...(invitationId === "" ? {} : { invitationId }),
    ...(Number.isSafeInteger(before) && before > 0 && show !== "all" ? { before } : {}),
  };
}

function urlOf(filter: Filter): string {
  return `${ADMIN_HOME}/${filter.vendor}/logs?${new URLSearchParams(fieldsOf(filter))}`;
}

function fieldsOf({ org, environment, show, outcome, unmatched, sinceText, invitationId, before }: Filter) {
  return {
    org,
    show,
    ...(environment === "sandbox" ? { environment } : {}),
    ...(outcome === undefined ? {} : { outcome }),
    ...(unmatched ? { unmatched: "1" } : {}),
    ...(sinceText === "" ? {} : { since: sinceText }),
    ...(invitationId === undefined ? {} : { invite: invitationId }),
    ...(before === undefined ? {} : { before: String(before) }),
  };
}

interface Line {
  at: number;
  tone: "good" | "bad" | "waiting" | "off";
  mark: string;
  what: Part;
  invite: Html | null;
  words: string;
  isMasked?: boolean;
}

interface Lines {
  lines: Line[];
  next: number | null;
}

const NONE: Lines = { lines: [], next: null };

async function linesFor(
  context: PagesContext,
  filter: Filter,
  declared: VendorDeclaration,
  isRevealed: boolean,
): Promise<Lines> {
  const wants = (kind: Kind) => filter.show === "all" || filter.show === kind;
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

async function written({ store }: PagesContext, filter: Filter, isRevealed: boolean): Promise<Lines> {
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
  filter: Filter,
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
  filter: Filter,
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

function table(lines: readonly Line[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Log"><table class="stack">
  <thead><tr><th scope="col">When, UTC</th><th scope="col">Outcome</th><th scope="col">What</th><th scope="col">Invitation</th><th scope="col">Words</th></tr></thead>
  <tbody>${lines.map(
    ({ at, tone, mark, what, invite, words }) =>
      html`<tr><td>${secondOf(at)}</td><td><span class="pill ${tone}">${mark}</span></td><td>${what}</td><td>${invite}</td><td>${words}</td></tr>`,
  )}</tbody></table></div>`;
}

function emptyWords({ show, org, environment }: Filter, next: number | null): string {
  if (next !== null) return "None among the newest ones; go on to older ones.";
  const where: Environment = environment;
  return show === "all"
    ? `Nothing yet for ${org}${where === "sandbox" ? " in the sandbox" : ""}.`
    : "Nothing matches.";
}

function filterForm(
  filter: Filter,
  { declared, orgs }: { declared: VendorDeclaration; orgs: readonly string[] },
): Html {
  const { org, show, outcome, unmatched, environment, sinceText, invitationId } = filter;
  const options = (names: readonly string[], chosen: string | undefined, words: (name: string) => string) =>
    names.map(
      (name) => html`<option value="${name}"${name === chosen && html` selected`}>${words(name)}</option>`,
    );
  const plain = (name: string) => name;
  const whose =
    orgs.length > MOST_LISTED
      ? html`<input name="org" value="${org}">`
      : html`<select name="org">${options(orgs, org, plain)}</select>`;
  const waiting =
    declared.destination?.isAts &&
    html`<label>Matched<select name="unmatched">${options(["", "1"], unmatched ? "1" : "", (name) => (name === "1" ? "no invite yet" : "any"))}</select></label>`;
  return html`<form class="filters" method="get" action="${ADMIN_HOME}/${declared.vendor}/logs" role="search" aria-label="Filters">
  <label>Organisation${whose}</label>
  <label>Show<select name="show">${options(KINDS, show, (name) => KIND_WORDS[KINDS.find((each) => each === name) ?? "all"])}</select></label>
  <label>Outcome<select name="outcome">${options(["", ...ATTEMPT_OUTCOMES], outcome ?? "", (name) => (name === "" ? "any" : name))}</select></label>
  ${waiting}
  <label>Since (UTC)<input type="date" name="since" value="${sinceText}"></label>
  <label>Invitation<input name="invite" value="${invitationId}"></label>
  <label>Environment<select name="environment">${options(["production", "sandbox"], environment, plain)}</select></label>
  <button>Filter</button></form>`;
}

function revealForm(filter: Filter, csrf: string): Html {
  return html`<form method="post" action="${ADMIN_HOME}/${filter.vendor}/logs">${hidden({ csrf, ...fieldsOf(filter) })}
  <button class="second">Show addresses</button> <span class="soft">This is written down.</span></form>`;
}
