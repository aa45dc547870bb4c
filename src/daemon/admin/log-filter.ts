/** What an admin wants to see of a log: as the address bar, the form and the store's question have it. */
import { ADMIN_HOME } from "../../core/admin.ts";
import type { ConnectionName } from "../../core/connection.ts";
import { ATTEMPT_OUTCOMES } from "../../core/push.ts";
import type { LoggedAttempt } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import type { PagesContext, Visit } from "./context.ts";
import { type Html, html } from "./html.ts";
import { placeIn } from "./vendor-pages.ts";

const KINDS = ["all", "written", "received", "refused"] as const;
export type LogKind = (typeof KINDS)[number];
const KIND_WORDS: Record<LogKind, string> = {
  all: "all, the newest",
  written: "results that were sent",
  received: "webhooks received",
  refused: "webhooks refused",
};
/** With more of them the name is typed. */
const MOST_LISTED = 200;

export interface LogFilter extends ConnectionName {
  show: LogKind;
  outcome?: LoggedAttempt["outcome"];
  unmatched: boolean;
  since?: number;
  sinceText: string;
  invitationId?: string;
  before?: number;
}

export function filterOf(
  fields: URLSearchParams,
  {
    context,
    visit,
    declared,
    orgs,
  }: { context: PagesContext; visit: Visit; declared: VendorDeclaration; orgs: string[] },
): LogFilter | null {
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

export function urlOf(filter: LogFilter): string {
  return `${ADMIN_HOME}/${filter.vendor}/logs?${new URLSearchParams(fieldsOf(filter))}`;
}

export function fieldsOf({
  org,
  environment,
  show,
  outcome,
  unmatched,
  sinceText,
  invitationId,
  before,
}: LogFilter) {
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

export function filterForm(
  filter: LogFilter,
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
