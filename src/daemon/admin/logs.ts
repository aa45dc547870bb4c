import { ADMIN_HOME, maySee } from "../../core/admin.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import { audit } from "./actions.ts";
import type { PagesContext, Visit } from "./context.ts";
import { type Html, html } from "./html.ts";
import { orgsFor } from "./integrations.ts";
import { hidden, type Shown, secondOf } from "./layout.ts";
import { fieldsOf, filterForm, filterOf, type LogFilter, urlOf } from "./log-filter.ts";
import { type Line, linesFor } from "./log-lines.ts";
import { logsOf } from "./vendor-pages.ts";

/** `/admin/integrations/{vendor}/logs`: webhooks that came or were refused, and every try of every result. */

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

function table(lines: readonly Line[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Log"><table class="stack">
  <thead><tr><th scope="col">When, UTC</th><th scope="col">Outcome</th><th scope="col">What</th><th scope="col">Invitation</th><th scope="col">Words</th></tr></thead>
  <tbody>${lines.map(
    ({ at, tone, mark, what, invite, words }) =>
      html`<tr><td>${secondOf(at)}</td><td><span class="pill ${tone}">${mark}</span></td><td>${what}</td><td>${invite}</td><td>${words}</td></tr>`,
  )}</tbody></table></div>`;
}

function emptyWords({ show, org, environment }: LogFilter, next: number | null): string {
  if (next !== null) return "None among the newest ones; go on to older ones.";
  return show === "all"
    ? `Nothing yet for ${org}${environment === "sandbox" ? " in the sandbox" : ""}.`
    : "Nothing matches.";
}

function revealForm(filter: LogFilter, csrf: string): Html {
  return html`<form method="post" action="${ADMIN_HOME}/${filter.vendor}/logs">${hidden({ csrf, ...fieldsOf(filter) })}
  <button class="second">Show addresses</button> <span class="soft">This is written down.</span></form>`;
}
