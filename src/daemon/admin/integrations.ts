import { ADMIN_HOME, maySee } from "../../core/admin.ts";
import { integrationRows, type IntegrationRow, type OrgRows } from "../../flows/status/integration-rows.ts";
import { count } from "../../shared/text.ts";
import type { Notice } from "../pages/notice.ts";
import type { PagesContext, Visit } from "./context.ts";
import { type Html, html } from "./html.ts";
import { banner, hidden, type Shown, timeOf, withCommands } from "./layout.ts";
import { loginOrigins, logsOf } from "./vendor-pages.ts";

/** `/admin/integrations`: a row for each vendor of each org, and what can be done about it. */
const ORGS_ON_A_PAGE = 20;

export async function integrationsPage(context: PagesContext, visit: Visit): Promise<Shown> {
  const { config, clock, vendors, asTypedHere } = context;
  const { admin, query } = visit;
  const now = clock.now();
  const find = (query.get("find") ?? "").trim().toLowerCase();
  const orgs = (await orgsFor(context, admin)).filter((org) => org.toLowerCase().includes(find));
  const pages = Math.max(1, Math.ceil(orgs.length / ORGS_ON_A_PAGE));
  const page = Math.min(Math.max(1, Math.trunc(Number(query.get("page"))) || 1), pages);
  const shown = orgs.slice((page - 1) * ORGS_ON_A_PAGE, page * ORGS_ON_A_PAGE);
  const rows = await integrationRows(context, shown, { now, isPrivate: admin.org !== null });
  const notice = context.notices.of(query.get("notice") ?? "");
  const body = html`<h1>Integrations</h1>
  ${notice && maySee(admin, notice.org) && noticeBanner(notice, admin.csrf)}
  ${troubles(context, visit)}
  ${finder(visit, { orgs: orgs.length, find, hasMany: pages > 1 || find !== "" })}
  ${rows.map((each) => orgSection(each, { csrf: admin.csrf, now, asTypedHere }))}
  ${orgs.length === 0 && html`<p>No organisation matches.</p>`}
  ${pages > 1 && pager({ page, pages, find })}`;
  const leadsTo = await loginOrigins(context, config);
  return { title: "Integrations", body, signedIn: admin, logs: logsOf(vendors), isLive: true, leadsTo };
}

/** All that the log or the configuration knows; what this admin may see of it. */
export async function orgsFor(
  { store, config }: Pick<PagesContext, "store" | "config">,
  { org }: Visit["admin"],
): Promise<string[]> {
  if (org !== null) return [org];
  const known = new Set([...(await store.orgs()), ...Object.keys(config.orgs)]);
  // One that nobody chose is shown where there is nothing else.
  if (config.origins.org !== "default" || known.size === 0) known.add(config.org);
  return [...known].toSorted();
}

function noticeBanner({ tone, title, text, instead, org, vendor, environment }: Notice, csrf: string): Html {
  const place = { csrf, org, vendor, environment };
  const otherWay =
    instead &&
    html`<form method="post" action="${ADMIN_HOME}/connect">${hidden({ ...place, account: instead.accountId })}
  <button class="second">Connect account ${instead.accountId} instead</button></form>`;
  return banner(
    tone,
    html`<p><strong>${title}</strong> ${text.map((line) => html`${withCommands(line)} `)}</p>${otherWay}`,
  );
}

/** For whoever looks after the service; an org's own people cannot mend it. */
function troubles({ reasons }: PagesContext, { admin }: Visit): Html {
  if (admin.org !== null) return html``;
  return html`${reasons().map(({ message, hint }) =>
    banner("bad", html`<p><strong>${withCommands(message)}</strong> ${withCommands(hint)}</p>`),
  )}`;
}

function finder(
  { admin }: Visit,
  { orgs, find, hasMany }: { orgs: number; find: string; hasMany: boolean },
): Html {
  const whose = admin.org === null && hasMany;
  return html`${
    whose &&
    html`<form class="filters" method="get" action="${ADMIN_HOME}" role="search" aria-label="Organisations">
  <label>Organisation<input name="find" value="${find}"></label><button class="second">Find</button>
  <span class="soft">${count(orgs, "organisation")}</span></form>`
  }`;
}

interface RowLook extends Pick<PagesContext, "asTypedHere"> {
  csrf: string;
  now: number;
}

function orgSection({ org, invites, rows }: OrgRows, of: RowLook): Html {
  const id = `org-${org}`;
  return html`<section aria-labelledby="${id}">
  <div class="head"><h2 id="${id}">${org}</h2><span class="soft">${count(invites, "invite")}</span></div>
  <ul class="rows">${rows.map((row) => html`<li class="card">${integrationRow(org, row, of)}</li>`)}</ul>
  ${findCandidate(org, of.csrf)}
  </section>`;
}

function integrationRow(org: string, row: IntegrationRow, { csrf, now, asTypedHere }: RowLook): Html {
  const { vendor, environment, label, lastSyncAt, residency } = row;
  const id = `row-${org}-${vendor}-${environment}`;
  const place = { csrf, org, vendor, environment };
  const lastSync = lastSyncAt === null ? "never" : timeOf(Date.parse(lastSyncAt), now);
  return html`<div class="head"><h3 id="${id}">${label}${environment === "sandbox" && " sandbox"}</h3>${pillOf(row)}</div>
  <dl><div><dt>Account</dt><dd>${row.account ?? "none"}</dd></div>
  <div><dt>Last sync</dt><dd>${lastSync}</dd></div>
  <div><dt>Queue</dt><dd>${queueOf(org, row)}</dd></div>
  ${residency && html`<div><dt>Data rest in</dt><dd>${residency.told ?? "not known"}</dd></div>`}</dl>
  ${bannersOf(row, asTypedHere)}
  <div class="actions">
  <form method="post" action="${ADMIN_HOME}/connect">${hidden(place)}<button id="connect-${id}" class="${connectClass(row)}" aria-describedby="${id}">Connect ${label}</button></form>
  ${
    row.state === "connected" &&
    html`<form method="post" action="${ADMIN_HOME}/resync">${hidden(place)}<button id="resync-${id}" class="second" aria-describedby="${id}">Resync ${row.isAts ? "fields" : "properties"}</button></form>`
  }
  <a href="${logsUrl(org, row)}">Log<span class="soft"> of ${org}</span></a>
  </div>`;
}

const connectClass = ({ state }: IntegrationRow) => (state === "connected" ? "second" : "first");

function pillOf({ state, tokens }: IntegrationRow): Html {
  if (tokens === "unreadable") return html`<span class="pill bad">Tokens unreadable</span>`;
  return state === "connected"
    ? html`<span class="pill good">Connected</span>`
    : html`<span class="pill off">Not connected</span>`;
}

function logsUrl(org: string, { vendor, environment }: IntegrationRow, outcome?: string): string {
  const query = new URLSearchParams({
    org,
    ...(environment === "sandbox" ? { environment } : {}),
    ...(outcome === undefined ? {} : { show: "written", outcome }),
  });
  return `${ADMIN_HOME}/${vendor}/logs?${query}`;
}

function queueOf(org: string, row: IntegrationRow): Html {
  const { delivered, pending, held, rejected, stuck } = row.pushes;
  const parts = [
    html`${delivered} delivered`,
    pending > 0 && html`, ${pending} waiting`,
    held > 0 && html`, <a href="${logsUrl(org, row, "held")}">${held} held</a>`,
    rejected > 0 && html`, <a href="${logsUrl(org, row, "rejected")}">${rejected} rejected</a>`,
    stuck > 0 && html`, <strong class="bad">${stuck} stuck</strong>`,
  ];
  return html`${parts}`;
}

function bannersOf(row: IntegrationRow, asTypedHere: RowLook["asTypedHere"]): Html {
  const { label, state, banner: words, residency, versionWarning, pushes } = row;
  const isProperty = pushes.stuck > 0 || row.leftOut.length > 0;
  const click =
    state === "must_reconnect" || (state === "not_connected" && words !== null)
      ? `Click Connect ${label}: no data is lost.`
      : state === "connected" && isProperty && !row.isAts
        ? "Click Resync properties to create again what is missing."
        : null;
  const tone = state === "waiting_for_consent" ? "waiting" : "bad";
  return html`${words !== null && banner(tone, html`<p>${withCommands(asTypedHere(words))}.${click && html` ${click}`}</p>`)}
  ${residency?.isTrouble && banner("bad", html`<p>${withCommands(asTypedHere(residency.words))}</p>`)}
  ${versionWarning && banner("waiting", html`<p>${withCommands(asTypedHere(versionWarning))}</p>`)}`;
}

/** An address is typed into a form that is posted: no browser's history and no log shall hold it. */
export function findCandidate(org: string, csrf: string): Html {
  return html`<form class="filters" method="post" action="${ADMIN_HOME}/find">${hidden({ csrf, org })}
  <label>Candidate's e-mail or invitation of ${org}<input name="candidate" autocomplete="off" required></label>
  <button class="second">Find the result</button></form>`;
}

function pager({ page, pages, find }: { page: number; pages: number; find: string }): Html {
  const to = (n: number) =>
    `${ADMIN_HOME}?${new URLSearchParams({ page: String(n), ...(find === "" ? {} : { find }) })}`;
  return html`<nav class="pages" aria-label="Pages of organisations">${page > 1 && html`<a href="${to(page - 1)}" rel="prev">Previous</a>`}
  <span>Page ${page} of ${pages}</span>${page < pages && html`<a href="${to(page + 1)}" rel="next">Next</a>`}</nav>`;
}
