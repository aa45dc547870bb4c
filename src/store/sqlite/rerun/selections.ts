import type {
  CountedSelection,
  PushSelection,
  SelectedCounts,
  Selection,
  SelectionPage,
  UnpushedSelection,
} from "../../contract/store.ts";
import {
  countsIn,
  type HeldRow,
  NONE,
  ofRun,
  pushPageOf,
  type StateRow,
  startOf,
  unpushedPageOf,
} from "../../rows/selections.ts";
import type { Db } from "../file/db.ts";
import { createSelected } from "./selected.ts";

interface Page {
  after: string | null;
  limit: number;
}

/** Selections counted for the preview, then walked over in pages whose cost does not grow with what lies before them. */
export function createSelections(db: Db) {
  const { pushesOf, unpushedOf, waitingOf } = createSelected(db);
  const ofConnection = db.prepare<[number], StateRow>(
    "SELECT state, n FROM push_counts WHERE connection_id = ? AND state <> 'never'",
  );
  const heldOf = db.prepare<[number], HeldRow>(
    "SELECT held_cause AS cause, count(*) AS n FROM pushes WHERE connection_id = ? AND state = 'held' GROUP BY held_cause",
  );

  const countOf = (of: { from: string; values: object }): number =>
    db.prepare<object, number>(`SELECT count(*) ${of.from}`).pluck().get(of.values) ?? 0;
  /** Two looks: an index answers that by state, and does not know what holds them. */
  const countsOf = ({ from, values }: { from: string; values: object }, causes: boolean): SelectedCounts => {
    const states = db.prepare<object, StateRow>(`SELECT p.state, count(*) AS n ${from} GROUP BY p.state`);
    const held = db.prepare<object, HeldRow>(
      `SELECT p.held_cause AS cause, count(*) AS n ${from} AND p.state = 'held' GROUP BY p.held_cause`,
    );
    return countsIn(states.all(values), causes ? held.all(values) : []);
  };
  const countPushes = (selection: CountedSelection, options?: { causes: true }): SelectedCounts => {
    const causes = options?.causes === true;
    if ("run" in selection) return countsOf(ofRun("pushes", selection.run), causes);
    if (selection.waiting) return { ...NONE, pending: countOf(waitingOf(selection)) };
    if ("unpushed" in selection) {
      const { subject, from, values } = unpushedOf(selection.unpushed);
      const count = db.prepare<object, number>(`SELECT count(DISTINCT ${subject}) ${from}`).pluck();
      return { ...NONE, unpushed: count.get(values) ?? 0 };
    }
    const { connectionId, ...filter } = selection.pushes;
    if (Object.values(filter).some((value) => value !== undefined))
      return countsOf(pushesOf(selection.pushes), causes);
    return countsIn(ofConnection.all(connectionId), causes ? heldOf.all(connectionId) : []);
  };

  const pushPage = (selection: PushSelection, page: Page): SelectionPage => {
    const { from, values } = pushesOf(selection);
    const mayBeHeld = selection.heldFor === undefined ? "AND p.state <> 'held'" : "";
    const rows = db
      .prepare<object, { id: number; subject: string }>(
        `SELECT p.id, p.subject ${from} ${mayBeHeld} AND p.id > @after ORDER BY p.id LIMIT @limit`,
      )
      .all({ ...values, after: Number(page.after ?? 0), limit: page.limit });
    return pushPageOf(rows, page.limit);
  };
  const unpushedPage = (selection: UnpushedSelection, page: Page): SelectionPage => {
    const { subject, from, values } = unpushedOf(selection);
    const { at, id } = startOf(page.after);
    const read = (range: string, limit: number) =>
      db
        .prepare<object, { id: number; at: number; subject: string }>(
          `SELECT i.id, i.at, ${subject} AS subject ${from} AND ${range} ORDER BY i.at, i.id LIMIT @limit`,
        )
        .all({ ...values, afterAt: at, afterId: id, limit });
    // First the rest of the same moment: as one range, SQLite would walk over all of that moment for each page.
    const rest = read("i.at = @afterAt AND i.id > @afterId", page.limit);
    const rows = [...rest, ...read("i.at > @afterAt", page.limit - rest.length)];
    return unpushedPageOf(rows, page.limit);
  };

  return {
    countPushes,
    selectSubjects: (selection: Selection, page: Page): SelectionPage =>
      "pushes" in selection ? pushPage(selection.pushes, page) : unpushedPage(selection.unpushed, page),
  };
}
