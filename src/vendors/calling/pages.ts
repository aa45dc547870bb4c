/** Lists come in pages: a list is what all of them hold. */
import { AppError } from "../../shared/errors.ts";
import { possessive } from "../../shared/text.ts";

/** What a call adds to its query to get a page; the first page is asked for with nothing. */
export type PageQuery = Readonly<Record<string, string>>;

export interface Page<Item> {
  items: readonly Item[];
  /** Null on the last one. */
  next: PageQuery | null;
}

/** No account that we know of has a tenth of it. */
const MOST_PAGES = 1_000;

/**
 * Reads a list to its end. Throws `VENDOR_UNEXPECTED` for one that goes in circles or never ends, and what `readPage`
 * throws. `doing` goes into the message, as "listing subscriptions".
 */
export async function readPages<Item>(
  readPage: (at: PageQuery) => Promise<Page<Item>>,
  { label, doing }: { label: string; doing: string },
): Promise<Item[]> {
  const items: Item[] = [];
  const seen = new Set<string>();
  let at: PageQuery = {};
  for (let pages = 1; pages <= MOST_PAGES; pages += 1) {
    const page = await readPage(at);
    items.push(...page.items);
    if (page.next === null) return items;
    // A vendor that does not heed what it is asked for answers the same page again.
    const marks = [`at ${JSON.stringify(page.next)}`, ...(page.items.length > 0 ? [contentOf(page)] : [])];
    if (marks.some((mark) => seen.has(mark)))
      throw neverEnding(`${possessive(label)} pages go in a circle`, doing);
    for (const mark of marks) seen.add(mark);
    at = page.next;
  }
  throw neverEnding(`${possessive(label)} pages have no end (${MOST_PAGES} were read)`, doing);
}

function contentOf({ items }: Page<unknown>): string {
  return `with ${JSON.stringify(items)}`;
}

function neverEnding(what: string, doing: string): AppError {
  return new AppError("VENDOR_UNEXPECTED", `${what}: ${doing} was given up, and nothing was changed`, {
    hint: "Try again later; if it stays so, the vendor's support can tell why.",
  });
}
