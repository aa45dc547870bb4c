import type { PurgeRequest, PurgeStep } from "../../contract/retention.ts";
import { cutoffsOf, placeOf, steppedTo, type TableStepped } from "../../rows/retention.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";
import { freePages } from "./free-pages.ts";
import type { PurgeTable } from "./rule.ts";
import { RULES } from "./rules.ts";

/** Forgetting, a step at a time: table after table by its rule, then what is free of the file is given back. */
export function createPurge(db: Db) {
  const tables = new Map<string, PurgeTable>(
    Object.entries(RULES).flatMap(([table, { purge }]) => (purge ? [[table, purge(db)]] : [])),
  );
  tables.set(FREE_PAGES, freePages(db));
  const names = [...tables.keys()];
  const inTransaction = transaction(db, (step: () => TableStepped) => step());

  return {
    purge: ({ after, isDry, ...request }: PurgeRequest): PurgeStep => {
      const place = placeOf(after, names);
      const purgeTable = tables.get(place.table);
      if (!purgeTable) throw new Error(`no rule removes rows of ${place.table}`);
      const step = () => purgeTable({ ...cutoffsOf(request), isDry, after: place.at });
      return steppedTo(place, isDry ? step() : inTransaction(step), names);
    },
  };
}

/** No table; it comes last. */
const FREE_PAGES = "free pages";
