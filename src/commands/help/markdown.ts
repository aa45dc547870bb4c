import type { Item, Page } from "./page.ts";

/** All pages as one document. */
export function referenceOf(program: Page): string {
  const groups = [...new Set(program.commands.map(({ group }) => group))];
  return `${[
    "# Reference",
    "Every command, as the program itself tells of it: `npm run docs` makes this page from the command tree.",
    "## Every command",
    program.description,
    items("option", program.options),
    fenced("text", program.notes),
    ...groups.flatMap((group) => [
      `## ${group}`,
      ...program.commands.filter((each) => each.group === group).flatMap(sections),
    ]),
  ].join("\n\n")}\n`;
}

function sections(page: Page): string[] {
  return [
    `### ${page.words}`,
    `${page.description}.`,
    fenced("text", page.usage),
    items("argument", page.arguments),
    items("option", page.options),
    isList(page.notes) ? fenced("text", page.notes) : page.notes,
    fenced("sh", page.examples.join("\n")),
    ...page.commands.flatMap(sections),
  ].filter(Boolean);
}

function items(heading: string, rows: readonly Item[]): string {
  if (rows.length === 0) return "";
  const lines = rows.map(({ term, words }) => `| \`${term.replaceAll("|", "\\|")}\` | ${cell(words)} |`);
  return [`| ${heading} | |`, "| --- | --- |", ...lines].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "\\<");
}

function fenced(language: string, text: string): string {
  return text === "" ? "" : `\`\`\`${language}\n${text}\n\`\`\``;
}

function isList(notes: string): boolean {
  return /^ /m.test(notes);
}
