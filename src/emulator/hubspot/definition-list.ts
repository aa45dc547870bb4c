import { json, type Reply } from "../http.ts";
import type { ApiCall } from "./api.ts";

/** Definitions, all at once unless the settings put them into pages. */
export function answerDefinitions({ portal, path, query }: ApiCall, definitions: readonly object[]): Reply {
  const { pageSize } = portal.profile;
  if (pageSize === null) return json(200, { results: definitions });
  const start = Number(query.get("after") ?? 0);
  const end = start + pageSize;
  const results = definitions.slice(start, end);
  if (end >= definitions.length) return json(200, { results });
  const next = new URLSearchParams(query);
  next.set("after", String(end));
  return json(200, { results, paging: { next: { after: String(end), link: `${path}?${next}` } } });
}
