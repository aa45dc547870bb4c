import { unbroken } from "../../core/advice/unbroken.ts";
import { ADMIN_HOME, type AdminSession } from "../../core/admin.ts";
import { digestOf } from "../../shared/digest.ts";
import { relativeTime, shortTime } from "../../shared/text.ts";
import { type Html, html, markupOf, type Part } from "./html.ts";
import { SCRIPT } from "./script.ts";
import { STYLE } from "./style.ts";

/** What every page of the admin listener has around it. */
export interface Shown {
  status?: number;
  title: string;
  body: Html;
  /** Who is signed in; null where nobody is. */
  signedIn: (Pick<AdminSession, "who" | "org"> & { csrf: string }) | null;
  /** The vendors whose logs the navigation leads to. */
  logs?: readonly { vendor: string; label: string }[];
  /** Follows what changes, where the browser runs scripts. */
  isLive?: boolean;
  /** Where the page's forms may lead: beside its own address, to https and to these origins. */
  leadsTo?: readonly string[];
}

export const STYLE_PATH = `/admin/style-${digestOf(STYLE)}.css`;
export const ICON_PATH = "/admin/icon.svg";
export const SCRIPT_PATH = `/admin/live-${digestOf(SCRIPT)}.js`;

export function renderPage({ title, body, signedIn, logs = [], isLive = false }: Shown): string {
  const live = isLive && html` data-live`;
  return markupOf(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · JobCannon integrations</title>
<link rel="stylesheet" href="${STYLE_PATH}">
<link rel="icon" href="${ICON_PATH}" type="image/svg+xml">
${isLive && html`<script src="${SCRIPT_PATH}" defer></script>`}
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<p class="brand">JobCannon integrations</p>
${signedIn && html`${navigation(logs)}${signOut(signedIn)}`}
</header>
<main id="main" tabindex="-1"${live}>
${body}
</main>
</body>
</html>
`);
}

/** Nothing but what this listener serves is loaded, no script or style stands in the page, and nobody frames it. */
export function pageHeaders({ leadsTo }: Pick<Shown, "leadsTo">): Record<string, string> {
  const forms = leadsTo ? ["'self'", "https:", ...leadsTo] : ["'self'"];
  return {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action ${forms.join(" ")}; frame-ancestors 'none'`,
    // A consent that is begun here is known by its origin.
    "referrer-policy": "origin",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };
}

function navigation(logs: NonNullable<Shown["logs"]>): Html {
  const links = logs.map(
    ({ vendor, label }) => html`<li><a href="${ADMIN_HOME}/${vendor}/logs">${label} log</a></li>`,
  );
  return html`<nav aria-label="Pages"><ul><li><a href="${ADMIN_HOME}">Integrations</a></li>${links}</ul></nav>`;
}

function signOut({ who, org, csrf }: NonNullable<Shown["signedIn"]>): Html {
  return html`<form method="post" action="/admin/sign-out" class="who">${hidden({ csrf })}
<span>by ${who}'s link${org !== null && `, ${org} only`}</span> <button class="plain">Sign out</button></form>`;
}

export function hidden(fields: Readonly<Record<string, string>>): Html {
  return html`${Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}`;
}

export function timeOf(at: number, now: number): Html {
  return html`<time datetime="${new Date(at).toISOString()}" title="${shortTime(at)}">${relativeTime(at, now)}</time>`;
}

/** "22 Nov 11:49:03" to the second, whose whole moment stands in its title. */
export function secondOf(at: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace("T", " ")}</time>`;
}

export type Tone = "good" | "bad" | "waiting";

export function banner(tone: Tone, content: Part): Html {
  return html`<div class="banner ${tone}" role="status">${content}</div>`;
}

/** Text in which commands look like what they are: something to type. */
export function withCommands(text: string): Html {
  const parts = unbroken(text).map((unit, index) => html`${index > 0 && " "}${withCommand(unit)}`);
  return html`${parts}`;
}

function withCommand(unit: string): Part {
  const [, before, command, after] = COMMAND.exec(unit) ?? [];
  return command === undefined ? unit : html`${before}<code>${command}</code>${after}`;
}

/** What stands before and after it belongs to the sentence. */
const COMMAND = /^(\(?)((?:sudo )?jc-integrations .*?)([.;,:)]*)$/;
