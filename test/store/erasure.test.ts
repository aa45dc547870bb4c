/** Where in the log an address may stand is one list, which the schema holds to. */
import { expect, onTestFinished, test } from "vitest";
import { ERASURE_RULES, LARGE_TABLES } from "../../src/store/rows/erasure-rules.ts";
import { openLog } from "../../src/store/sqlite/file/open.ts";
import { NOON } from "../core/example.ts";
import { temporaryDirectory } from "../directory.ts";

test("every table and every column that can hold text says whether an address may stand there", () => {
  const db = openLog(temporaryDirectory(), { now: NOON });
  onTestFinished(() => void db.close());
  const tables = db
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all();
  const ofText = db
    .prepare<[string], string>("SELECT name FROM pragma_table_info(?) WHERE type <> 'INTEGER'")
    .pluck();
  const inSchema = Object.fromEntries(tables.map((table) => [table, ofText.all(table).toSorted()]));
  const inRules = Object.fromEntries(
    Object.entries(ERASURE_RULES).map(([table, { columns }]) => [table, Object.keys(columns).toSorted()]),
  );
  expect(inRules).toEqual(inSchema);
  const keys = db.prepare<[string], string>("SELECT name FROM pragma_table_info(?) WHERE pk > 0").pluck();
  for (const table of LARGE_TABLES) expect(ERASURE_RULES[table]?.key).toEqual(keys.all(table));
});
