import type { PurgeCounts, PurgeRequest, PurgeStep } from "../../contract/retention.ts";
import type { Db } from "../file/db.ts";
import { transaction } from "../file/transaction.ts";
import { freePages } from "./free-pages.ts";
import { type PurgeTable, type TableStepped, cutoffsOf } from "./rule.ts";
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
      const place = placeOf(after) ?? { table: names[0] ?? "", at: null };
      const purgeTable = tables.get(place.table);
      if (!purgeTable) throw new Error(`no rule removes rows of ${place.table}`);
      const step = () => purgeTable({ ...cutoffsOf(request), isDry, after: place.at });
      const { removed, next } = isDry ? step() : inTransaction(step);
      const following = next === null ? names[names.indexOf(place.table) + 1] : place.table;
      return {
        removed: { ...NOTHING_REMOVED, ...removed },
        next: following === undefined ? null : JSON.stringify({ table: following, at: next } satisfies Place),
      };
    },
  };
}

/** No table; it comes last. */
const FREE_PAGES = "free pages";

const NOTHING_REMOVED: PurgeCounts = {
  invites: 0,
  events: 0,
  pushes: 0,
  rejected: 0,
  attempts: 0,
  others: 0,
};

interface Place {
  table: string;
  /** Within the table; null at its beginning. */
  at: string | null;
}

function placeOf(after: string | null): Place | null {
  return after === null ? null : JSON.parse(after);
}
