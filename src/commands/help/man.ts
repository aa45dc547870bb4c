import type { Item, Page } from "./page.ts";

const PROGRAM = "jc-integrations";

/** The man pages by the names of their files: one of the program, and one of each of its commands. */
export function manPagesOf(program: Page, version: string): ReadonlyMap<string, string> {
  const named = program.commands.map((page) => [manName(page), commandPage(page, program, version)] as const);
  return new Map([[PROGRAM, programPage(program, version)] as const, ...named].map(fileOf));
}

function fileOf([name, text]: readonly [string, string]): [string, string] {
  return [`${name}.1`, text];
}

function manName({ words }: Page): string {
  return `${PROGRAM}-${words}`;
}

function programPage(program: Page, version: string): string {
  const [exitCodes = ""] = program.notes.split("\n\n");
  return [
    ...opening(PROGRAM, program, version),
    ".SH OPTIONS",
    "Every command takes them.",
    ...program.options.flatMap(tagged),
    ".SH COMMANDS",
    ...program.commands.flatMap((page) => tagged({ term: page.words, words: page.description })),
    ".SH EXIT STATUS",
    ...asWritten(exitCodes.replace(/^Exit codes: /, "").replace(/^ {12}/gm, "")),
    ...examples(program),
    ".SH SEE ALSO",
    program.commands.map((page) => reference(manName(page))).join(",\n"),
    "",
  ].join("\n");
}

function commandPage(page: Page, program: Page, version: string): string {
  return [
    ...opening(manName(page), page, version),
    ...ownPart(page),
    ...(page.commands.length > 0 ? [".SH COMMANDS"] : []),
    ...page.commands.flatMap((each) => [
      `.SS ${plain(each.usage)}`,
      `${roff(each.description)}.`,
      ...itemsOf(each),
      ...(each.notes === "" ? [] : [".PP", ...asWritten(each.notes)]),
      ...(each.examples.length === 0 ? [] : [".PP", ...asWritten(each.examples.join("\n"))]),
    ]),
    ".SH EVERY COMMAND",
    ...program.options.flatMap(tagged),
    ".SH SEE ALSO",
    reference(PROGRAM),
    "",
  ].join("\n");
}

function opening(name: string, { description, usage }: Page, version: string): string[] {
  return [
    `.TH ${name.toUpperCase()} 1 "" "${PROGRAM} ${version}" "User Commands"`,
    ".SH NAME",
    `${plain(name)} \\- ${roff(description.replace(/\.$/, ""))}`,
    ".SH SYNOPSIS",
    `.B ${plain(usage)}`,
  ];
}

function ownPart(page: Page): string[] {
  return [
    ...(page.arguments.length + page.options.length > 0 ? [".SH OPTIONS", ...itemsOf(page)] : []),
    ...(page.notes === "" ? [] : [".SH NOTES", ...asWritten(page.notes)]),
    ...examples(page),
  ];
}

function itemsOf(page: Page): string[] {
  return [...page.arguments, ...page.options].flatMap(tagged);
}

function examples(page: Page): string[] {
  return page.examples.length === 0 ? [] : [".SH EXAMPLES", ...asWritten(page.examples.join("\n"))];
}

function tagged({ term, words }: Item): string[] {
  return [".TP", `.B ${plain(term)}`, roff(words)];
}

/** Line by line, as help shows it. */
function asWritten(text: string): string[] {
  return [".nf", ...text.split("\n").map(roff), ".fi"];
}

function reference(name: string): string {
  return `.BR ${plain(name)} (1)`;
}

/** Text that is set as it is: no line of it may look like a request. */
function roff(text: string): string {
  return plain(text).replace(/^(?=[.'])/gm, "\\&");
}

function plain(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}
