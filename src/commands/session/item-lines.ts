import { Help } from "commander";

/** As wide as all help, the program's first page being written out when it is built. */
const COLUMNS = 80;

/** Terms and what they mean, wrapped as help's own lists are. */
export function itemLines(items: readonly (readonly [term: string, words: string])[]): string {
  const help = Object.assign(new Help(), { helpWidth: COLUMNS });
  const width = Math.max(...items.map(([term]) => term.length));
  return items.map(([term, words]) => help.formatItem(term, width, words, help)).join("\n");
}
