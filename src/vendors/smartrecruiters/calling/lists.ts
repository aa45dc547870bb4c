/**
 * Lists, page by page. Nobody has published how the `v1` contract pages, so each way is taken that SmartRecruiters' other
 * APIs are known for: `nextPageId`, a `Link` to the next page, or offset, limit and totalFound.
 * https://developers.smartrecruiters.com/reference/candidatesall-1
 */
import * as v from "valibot";
import { type Page, type PageQuery, readPages } from "../../calling/pages.ts";
import { type ApiAnswer, type ApiCall, callApi, type Caller } from "./api.ts";
import { type Asked, isGone, read } from "./ask.ts";
import { WORDS } from "../words.ts";

interface ListCall<Item> extends Omit<ApiCall, "json">, Asked<{ content: readonly Item[] }> {
  /** A 404 of SmartRecruiters' own is an empty list. */
  emptyIfGone?: true;
}

/** The whole list. Throws `VENDOR_*`. */
export async function askAll<Item>(
  caller: Caller,
  { schema, doing, emptyIfGone, query = {}, ...call }: ListCall<Item>,
): Promise<Item[]> {
  const readPage = async (at: PageQuery): Promise<Page<Item>> => {
    const answer = await callApi(caller, { ...call, query: { ...query, ...at } });
    if (emptyIfGone && isGone(answer)) return { items: [], next: null };
    const { content } = read(caller, answer, { schema, doing });
    return { items: content, next: nextOf(answer, { at, n: content.length }) };
  };
  return await readPages(readPage, { label: WORDS.label, doing });
}

const count = v.fallback(v.nullable(v.number()), null);
const Heads = v.fallback(
  v.object({
    nextPageId: v.fallback(v.nullable(v.union([v.string(), v.number()])), null),
    offset: count,
    totalFound: count,
  }),
  { nextPageId: null, offset: null, totalFound: null },
);

/** `n`: how many were on this page. */
function nextOf({ headers, body }: ApiAnswer, { at, n }: { at: PageQuery; n: number }): PageQuery | null {
  const { nextPageId, offset, totalFound } = v.parse(Heads, body);
  if (nextPageId !== null && nextPageId !== "") return { pageId: String(nextPageId) };
  const linked = queryOfNext(headers.link ?? "");
  if (linked !== null) return linked;
  const end = (offset ?? Number(at.offset ?? 0)) + n;
  return n > 0 && totalFound !== null && totalFound > end ? { offset: String(end) } : null;
}

/** By RFC 8288. Of the link its query alone is taken: a token never goes to an address that an answer names. */
export function queryOfNext(link: string): PageQuery | null {
  for (const [, target = "", params = ""] of link.matchAll(/<([^>]*)>([^,<]*)/g)) {
    if (!/;\s*rel\s*=\s*"?[^";]*\bnext\b/i.test(params) || !URL.canParse(target, "https://host")) continue;
    return Object.fromEntries(new URL(target, "https://host").searchParams);
  }
  return null;
}
