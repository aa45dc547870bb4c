import * as v from "valibot";
import { type Page, type PageQuery, readPages } from "../calling/pages.ts";
import { AppError } from "../../shared/errors.ts";
import { type Caller, callApi } from "./api.ts";
import { failure, verdictOf } from "./verdict.ts";

/** Reads what the caller cannot do without. Throws `VENDOR_*`; `doing` goes into the message, as "listing properties". */
export async function fetchJson<Output>(
  caller: Caller,
  { path, schema, doing }: { path: string; schema: v.GenericSchema<unknown, Output>; doing: string },
): Promise<Output> {
  const answer = await callApi(caller, { method: "GET", path });
  const verdict = verdictOf(answer, caller.clock.now());
  if (verdict.kind !== "done") throw failure(caller, { verdict, answer, doing });
  const parsed = v.safeParse(schema, answer.body);
  if (parsed.success) return parsed.output;
  throw new AppError("VENDOR_UNEXPECTED", `HubSpot's answer to ${doing} is out of shape`);
}

/** https://developers.hubspot.com/docs/guides/crm/understanding-the-crm */
const Next = v.object({ paging: v.object({ next: v.object({ after: v.string() }) }) });

/** A whole list, page by page; `item` is the schema of one. Throws as `fetchJson` does. */
export async function fetchList<Item>(
  caller: Caller,
  { path, item, doing }: { path: string; item: v.GenericSchema<unknown, Item>; doing: string },
): Promise<Item[]> {
  const schema = v.object({ results: v.array(item), paging: v.optional(v.unknown()) });
  const readPage = async (at: PageQuery): Promise<Page<Item>> => {
    const query = new URLSearchParams(at).toString();
    const answer = await fetchJson(caller, { path: path + (query && `?${query}`), schema, doing });
    const next = v.safeParse(Next, answer);
    return { items: answer.results, next: next.success ? { after: next.output.paging.next.after } : null };
  };
  return await readPages(readPage, { label: "HubSpot", doing });
}
