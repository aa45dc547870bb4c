/** What is held of a person, for the person to read: one file that loads nothing. Pure. */
import { escaped } from "../../shared/page.ts";
import type { PersonRows } from "../../store/contract/store.ts";

/** All that is held of a person in one org, and all that vendors were told of them, as two files. */
export interface PersonFile {
  exportedAt: string;
  org: string;
  addresses: readonly string[];
  /** By table, as it is held; points in time are ISO 8601. */
  held: PersonRows;
}

const STYLE = `
:root{color-scheme:light dark}
body{margin:2rem auto;max-width:60rem;padding:0 1rem;font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.5rem}
section{overflow-x:auto}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0 0 1.25rem;padding:.75rem 1rem;border:1px solid #8886;border-radius:8px}
dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere;white-space:pre-wrap}`;

const HEADINGS: Readonly<Record<string, string>> = {
  invites: "Invitations, with your answers' results",
  events: "What we were told about you, word for word",
  pushes: "What we sent about you, and to whom",
  attempts: "When we sent it, and what was answered",
  confirmations: "What the applicant tracking system told us",
  questions: "What we are still to ask there",
  forgotten: "When older results of yours were made (the results are gone)",
};

export function personPage({ org, addresses, exportedAt, held }: PersonFile): string {
  const first = Object.keys(HEADINGS).filter((table) => held[table]);
  const others = Object.keys(held).filter((table) => !Object.hasOwn(HEADINGS, table));
  const sections = [...first, ...others].map(
    (table) =>
      `<section>\n<h2>${escaped(HEADINGS[table] ?? `Where else you are named: ${table}`)}</h2>\n${(held[table] ?? []).map(rowHtml).join("\n")}\n</section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>What JobCannon integrations holds</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>What JobCannon integrations holds about ${escaped(addresses.join(", "))}</h1>
<p>For the organisation ${escaped(org)}, at ${escaped(exportedAt)}.</p>
${sections.join("\n")}
</main>
</body>
</html>
`;
}

function rowHtml(row: Readonly<Record<string, unknown>>): string {
  const items = Object.entries(row).flatMap(([name, value]) =>
    value === null || value === ""
      ? []
      : [`<dt>${escaped(name.replaceAll("_", " "))}</dt><dd>${escaped(textOf(value))}</dd>`],
  );
  return `<dl>${items.join("")}</dl>`;
}

function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
}
