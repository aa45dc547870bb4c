import { mentions } from "../../../core/erasure.ts";
import type { LookedThrough, MentionsByTable } from "../../rows/theirs.ts";
import type { Db } from "../file/db.ts";
import type { Sliced } from "../file/slices.ts";
import { ERASURE_RULES, LARGE_TABLES, type TableRule } from "../../rows/erasure-rules.ts";

/** Looked at in one go: some 5 ms. */
const ROWS = 500;

/**
 * Looks through every text in which an address may stand, a page at a time. `from`: only what came after. A row whose org
 * nobody can tell counts as anybody's.
 */
export function createFindMentions(db: Db) {
  const looks = new Map(
    Object.entries(ERASURE_RULES).flatMap(([table, rule]) => {
      const columns = Object.entries(rule.columns).flatMap(([name, how]) =>
        how === "looked through" ? [name] : [],
      );
      return columns.length === 0 ? [] : [[table, createLook(db, { table, rule, columns })] as const];
    }),
  );
  return function* findMentions(
    org: string,
    addresses: readonly string[],
    from: LookedThrough = {},
  ): Sliced<{ found: MentionsByTable; until: LookedThrough }> {
    const found: MentionsByTable = new Map();
    const until: LookedThrough = {};
    for (const [table, look] of looks) {
      const rows: Record<string, unknown>[] = [];
      for (let after: number | null = from[table] ?? 0; after !== null; ) {
        const page = look(org, addresses, after);
        rows.push(...page.rows);
        until[table] = page.last;
        after = page.isEnd ? null : page.last;
        if (after !== null) yield;
      }
      if (rows.length > 0) found.set(table, rows);
    }
    return { found, until };
  };
}

function createLook(db: Db, { table, rule, columns }: { table: string; rule: TableRule; columns: string[] }) {
  const isLarge = LARGE_TABLES.some((each) => each === table);
  const [key = "rowid"] = rule.key;
  const wanted = [...new Set([...rule.key, ...columns])].join(", ");
  const page = db.prepare<[number], Record<string, unknown>>(
    isLarge
      ? `SELECT ${wanted} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${ROWS}`
      : `SELECT ${wanted} FROM ${table} WHERE ? IS NOT NULL`,
  );
  const whose =
    rule.org === undefined
      ? null
      : db
          .prepare<unknown[], string | null>(
            `SELECT ${rule.org} FROM ${table} WHERE ${rule.key.map((name) => `${name} IS ?`).join(" AND ")}`,
          )
          .pluck();
  return (org: string, addresses: readonly string[], after: number) => {
    const all = page.all(after);
    const rows = all.filter((row) => {
      const isMentioned = columns.some((name) => {
        const text = row[name];
        return typeof text === "string" && mentions(text, addresses);
      });
      if (!isMentioned) return false;
      const owner = whose?.get(...rule.key.map((name) => row[name])) ?? null;
      return owner === null || owner === org;
    });
    const last = isLarge ? Number(all.at(-1)?.[key] ?? after) : 0;
    return { rows, last, isEnd: !isLarge || all.length < ROWS };
  };
}
