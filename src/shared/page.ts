import { createHash } from "node:crypto";

/**
 * What the browser shows. All of it is text: whatever came from outside is escaped. Words
 * between backticks look like what they are: something to type.
 */
export interface Page {
  tone: "good" | "bad" | "waiting" | "ask";
  title: string;
  text: readonly string[];
  /** What to type in the terminal to try again. */
  retry?: string | undefined;
  /** A button that posts to the page's own address, from where it may lead to https and to these origins. */
  action?: { label: string; leadsTo: readonly string[] };
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1c2430;--soft:#5b6676;--paper:#fff;--ground:#f3f5f8;--line:#e3e7ed;--code:#f3f5f8;--good:#12805c;--bad:#b3261e;--waiting:#7a5b00;--ask:#1f5fbf;--on-ask:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e8ecf2;--soft:#9aa6b6;--paper:#1a212b;--ground:#10151c;--line:#2b3542;--code:#10151c;--good:#4cc79a;--bad:#ff8a80;--waiting:#e8c15a;--ask:#7db0ff;--on-ask:#10151c}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{width:100%;max-width:30rem;padding:2.5rem 2.25rem 2rem;background:var(--paper);border:1px solid var(--line);border-radius:16px;overflow-wrap:anywhere}
svg{display:block;width:52px;height:52px;margin-bottom:1.25rem;fill:none;stroke-width:2.5;stroke-linecap:round;stroke-linejoin:round}
.good svg{stroke:var(--good)}.bad svg{stroke:var(--bad)}.waiting svg{stroke:var(--waiting)}.ask svg{stroke:var(--ask)}
circle{opacity:.3}
h1{margin:0 0 .75rem;font-size:1.45rem;line-height:1.3;font-weight:650;letter-spacing:-.01em}
p{margin:0 0 .75rem}
code{padding:.1rem .35rem;background:var(--code);border:1px solid var(--line);border-radius:6px;-webkit-box-decoration-break:clone;box-decoration-break:clone;font:.875rem/1.4 ui-monospace,SFMono-Regular,Menlo,monospace}
.retry{margin-top:1.25rem;color:var(--soft);font-size:.9rem}
.retry code{display:block;margin-top:.4rem;padding:.6rem .8rem;border-radius:8px;color:var(--ink)}
form{margin-top:1.5rem}
button{width:100%;padding:.75rem 1rem;border:0;border-radius:10px;background:var(--ask);color:var(--on-ask);font:inherit;font-weight:600;cursor:pointer}
button:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
@media(max-width:26rem){body{padding:.75rem}main{padding:1.75rem 1.25rem 1.5rem}}
footer{margin-top:1.75rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.8rem}
`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

const MARKS: Record<Page["tone"], string> = {
  good: '<path d="M16 27l7 7 14-15"/>',
  bad: '<path d="M18 18l16 16M34 18L18 34"/>',
  waiting: '<path d="M26 15v12l8 5"/>',
  ask: '<path d="M15 26h21M28 18l8 8-8 8"/>',
};

const policy = (formAction: string) =>
  `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action ${formAction}; frame-ancestors 'none'`;

/** Nothing but this page's own style may load; it is not kept, framed, or told to anyone. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": policy("'none'"),
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

/** Of a page with a button: browsers hold also what it redirects to against the policy, and its origin is to be told to itself. */
export function pageHeaders({ action }: Page): Record<string, string> {
  if (!action) return { ...PAGE_HEADERS };
  const csp = policy(["'self'", "https:", ...action.leadsTo].join(" "));
  return { ...PAGE_HEADERS, "content-security-policy": csp, "referrer-policy": "same-origin" };
}

export function renderPage(page: Page): string {
  const retry = page.retry ? `<p class="retry">Then try again:<code>${escaped(page.retry)}</code></p>` : "";
  const action = page.action
    ? `<form method="post"><button>${escaped(page.action.label)}</button></form>`
    : "";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(page.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main class="${page.tone}">
<svg viewBox="0 0 52 52" aria-hidden="true"><circle cx="26" cy="26" r="24"/>${MARKS[page.tone]}</svg>
<h1>${escaped(page.title)}</h1>
${page.text.map((line) => `<p>${withCode(line)}</p>`).join("\n")}
${retry}${action}
<footer>JobCannon integrations</footer>
</main>
</body>
</html>
`;
}

function withCode(text: string): string {
  return escaped(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What `escaped` made, as it was. */
export function unescaped(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
