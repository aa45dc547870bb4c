/** Lists that do not fit one page are answered in pages. In which way a page names the next one is a setting. */
import { json, type Reply } from "../http.ts";
import type { ApiCall } from "./api.ts";
import { invalid } from "./errors.ts";
import type { SmartWorld } from "./world.ts";

/** https://developers.smartrecruiters.com/reference/candidatesall-1 */
const MOST_ON_A_PAGE = 100;

/** `more` stands beside the list in the body. */
export function answerPage(
  { pageSize, pageStyle }: SmartWorld,
  { path, query }: ApiCall,
  { items, key = "content", more = {} }: { items: readonly object[]; key?: string; more?: object },
): Reply {
  const limit = Number(query.get("limit") ?? pageSize);
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ON_A_PAGE)
    return invalid(`limit must be from 1 to ${MOST_ON_A_PAGE}`);
  const offset = startOf(query);
  if (offset === null) return invalid("pageId and offset name no page");
  const end = offset + limit;
  const body = { ...more, [key]: items.slice(offset, end) };
  if (offset === 0 && end >= items.length) return json(200, body);
  const isLast = end >= items.length;
  if (pageStyle === "offset") return json(200, { ...body, limit, offset, totalFound: items.length });
  const next = new URLSearchParams(query);
  next.delete("offset");
  next.set("pageId", idOf(end));
  const headers: Record<string, string> = isLast
    ? {}
    : { link: `<https://api.smartrecruiters.com${path}?${next}>; rel="next"` };
  if (pageStyle === "link") return json(200, body, headers);
  const heads = { limit, offset, totalFound: items.length, ...(isLast ? {} : { nextPageId: idOf(end) }) };
  return json(200, { ...body, ...heads }, headers);
}

function idOf(offset: number): string {
  return `p${offset}`;
}

/** Null where the query names no page. */
function startOf(query: URLSearchParams): number | null {
  const text = query.get("pageId")?.replace(/^p/, "") ?? query.get("offset") ?? "0";
  return /^\d+$/.test(text) ? Number(text) : null;
}
