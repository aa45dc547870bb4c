/** Lists of the webhooks API: an array without an envelope, whose next page only the `Link` header names. */
import * as v from "valibot";
import type { Caller, ApiCall } from "../calling/api.ts";
import { callApi } from "../calling/api.ts";
import { read } from "../calling/ask.ts";
import { queryOfNext } from "../calling/lists.ts";
import { AppError } from "../../../shared/errors.ts";

const MOST_PAGES = 1_000;
const PAGE = "100";

/** Throws `VENDOR_*`, and `VENDOR_UNEXPECTED` for a list without an end. */
export async function* readArrays<Item>(
  caller: Caller,
  {
    schema,
    doing,
    query = {},
    ...call
  }: Omit<ApiCall, "json"> & { schema: v.GenericSchema<unknown, Item>; doing: string },
): AsyncGenerator<Item> {
  let at: Readonly<Record<string, string>> = {};
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const answer = await callApi(caller, { ...call, query: { limit: PAGE, ...query, ...at } });
    yield* read(caller, answer, { schema: v.array(schema), doing });
    const next = queryOfNext(answer.headers.link ?? "");
    if (next === null || next.page_id === undefined || next.page_id === at.page_id) return;
    at = { page_id: next.page_id };
  }
  throw new AppError("VENDOR_UNEXPECTED", `SmartRecruiters' pages have no end: ${doing} was given up`);
}
