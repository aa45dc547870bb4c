import type {
  CountedSelection,
  PushSelection,
  RerunVerbs,
  SelectedCounts,
  SelectionPage,
  UnpushedSelection,
} from "../../contract/rerun.ts";
import {
  countsIn,
  type HeldRow,
  NONE,
  ofRun,
  pushPageOf,
  type Selected,
  type StateRow,
  startOf,
  unpushedPageOf,
} from "../../rows/selections.ts";
import { named } from "../server/named.ts";
import type { Db, Sql } from "../../../postgres/sql.ts";
import { pushesOf, unpushedOf, waitingOf } from "./selected.ts";

interface Page {
  after: string | null;
  limit: number;
}

/** Selections counted for the preview, then walked over in pages whose cost does not grow with what lies before them. */
export function createSelections(db: Db): Pick<RerunVerbs, "countPushes" | "selectSubjects"> {
  return {
    countPushes: (selection, options) => countPushes(db.read, selection, options?.causes === true),
    selectSubjects: (selection, page) =>
      "pushes" in selection
        ? pushPage(db.read, selection.pushes, page)
        : unpushedPage(db.read, selection.unpushed, page),
  };
}

async function countPushes(sql: Sql, selection: CountedSelection, causes: boolean): Promise<SelectedCounts> {
  if ("run" in selection) return countsOf(sql, ofRun("jc.pushes", selection.run), causes);
  if (selection.waiting)
    return { ...NONE, pending: await countOf(sql, "count(*)", await waitingOf(sql, selection)) };
  if ("unpushed" in selection) {
    const selected = await unpushedOf(sql, selection.unpushed);
    return { ...NONE, unpushed: await countOf(sql, `count(DISTINCT ${selected.subject})`, selected) };
  }
  const { connectionId, ...filter } = selection.pushes;
  if (Object.values(filter).some((value) => value !== undefined))
    return countsOf(sql, await pushesOf(sql, selection.pushes), causes);
  const states = await sql.all<StateRow>(
    "SELECT state, n FROM jc.push_counts WHERE connection_id = $1 AND state <> 'never'",
    [connectionId],
  );
  const ofConnection = {
    from: "FROM jc.pushes p WHERE p.connection_id = @connectionId",
    values: { connectionId },
  };
  return countsIn(states, causes ? await heldIn(sql, ofConnection) : []);
}

async function countOf(sql: Sql, what: string, { from, values }: Selected): Promise<number> {
  const row = await sql.get<{ n: number }>(...named(`SELECT ${what} AS n ${from}`, values));
  return row?.n ?? 0;
}

/** Two looks: an index answers that by state, and does not know what holds them. */
async function countsOf(sql: Sql, selected: Selected, causes: boolean): Promise<SelectedCounts> {
  const states = await sql.all<StateRow>(
    ...named(`SELECT p.state, count(*) AS n ${selected.from} GROUP BY p.state`, selected.values),
  );
  return countsIn(states, causes ? await heldIn(sql, selected) : []);
}

function heldIn(sql: Sql, { from, values }: Selected): Promise<HeldRow[]> {
  return sql.all<HeldRow>(
    ...named(
      `SELECT p.held_cause AS cause, count(*) AS n ${from} AND p.state = 'held' GROUP BY p.held_cause`,
      values,
    ),
  );
}

async function pushPage(sql: Sql, selection: PushSelection, { after, limit }: Page): Promise<SelectionPage> {
  const { from, values } = await pushesOf(sql, selection);
  const mayBeHeld = selection.heldFor === undefined ? "AND p.state <> 'held'" : "";
  const rows = await sql.all<{ id: number; subject: string }>(
    ...named(`SELECT p.id, p.subject ${from} ${mayBeHeld} AND p.id > @after ORDER BY p.id LIMIT @limit`, {
      ...values,
      after: Number(after ?? 0),
      limit,
    }),
  );
  return pushPageOf(rows, limit);
}

async function unpushedPage(
  sql: Sql,
  selection: UnpushedSelection,
  { after, limit }: Page,
): Promise<SelectionPage> {
  const { subject, from, values } = await unpushedOf(sql, selection);
  const { at, id } = startOf(after);
  const read = (range: string, most: number) =>
    sql.all<{ id: number; at: number; subject: string }>(
      ...named(
        `SELECT i.id, i.at, ${subject} AS subject ${from} AND ${range} ORDER BY i.at, i.id LIMIT @limit`,
        { ...values, afterAt: at, afterId: id, limit: most },
      ),
    );
  // First the rest of the same moment: as one range, all of that moment would be walked over for each page.
  const rest = await read("i.at = @afterAt AND i.id > @afterId", limit);
  const rows = [...rest, ...(await read("i.at > @afterAt", limit - rest.length))];
  return unpushedPageOf(rows, limit);
}
