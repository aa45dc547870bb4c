import type { PushSelection, Selection, UnpushedSelection } from "../../contract/rerun.ts";
import {
  type Dialect,
  pushesSelected,
  type SelectedConnection,
  unpushedSelected,
  waitingSelected,
} from "../../rows/selected-sql.ts";
import type { Sql } from "../../../postgres/sql.ts";

const DIALECT: Dialect = {
  invites: "jc.invites",
  pushes: "jc.pushes",
  attempts: "jc.attempts",
  invitesBy: () => "jc.invites i",
  originVendor: "i.state::jsonb #>> '{origin,vendor}'",
  ids: "SELECT json_array_elements_text(@ids::json)",
};

/** Which pushes a replay means, as the end of a statement. */
export async function pushesOf(sql: Sql, selection: PushSelection) {
  return pushesSelected(DIALECT, await connectionOf(sql, selection), selection);
}

/** Which missing ones a backfill means. */
export async function unpushedOf(sql: Sql, selection: UnpushedSelection) {
  return unpushedSelected(DIALECT, await connectionOf(sql, selection), selection);
}

/** Which of both wait already. */
export async function waitingOf(sql: Sql, selection: Selection) {
  const of = "pushes" in selection ? selection.pushes : selection.unpushed;
  return waitingSelected(DIALECT, await connectionOf(sql, of), selection);
}

function connectionOf(
  sql: Sql,
  { connectionId }: { connectionId: number },
): Promise<SelectedConnection | undefined> {
  return sql.get<SelectedConnection>(
    "SELECT org, vendor, environment, subject_kind FROM jc.connections WHERE id = $1",
    [connectionId],
  );
}
