import { plain } from "../../shared/text.ts";

/** Markup, as opposed to text: only `html` makes it, so that whatever came from outside is escaped. */
export interface Html {
  readonly [MARKUP]: string;
}

const MARKUP = Symbol("markup");

export type Part = Html | string | number | null | undefined | false | readonly Part[];

/** A template whose values are text, unless they are markup themselves. Attributes stand in double quotes. */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  const parts = strings.map((text, index) => text + (index < values.length ? rendered(values[index]) : ""));
  return { [MARKUP]: parts.join("") };
}

export function markupOf(part: Html): string {
  return part[MARKUP];
}

function rendered(part: Part): string {
  if (part === null || part === undefined || part === false) return "";
  if (typeof part === "string" || typeof part === "number") return escaped(String(part));
  if (MARKUP in part) return part[MARKUP];
  return part.map(rendered).join("");
}

/** No control characters and no reversed reading direction either. */
function escaped(text: string): string {
  return plain(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
