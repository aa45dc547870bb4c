import type { PushSelection, Selection, UnpushedSelection } from "../../contract/store.ts";
import {
  type Dialect,
  pushesSelected,
  type SelectedConnection,
  unpushedSelected,
  waitingSelected,
} from "../../rows/selected-sql.ts";
import type { Db } from "../file/db.ts";

const DIALECT: Dialect = {
  invites: "invites",
  pushes: "pushes",
  attempts: "attempts",
  // Named, since SQLite would rather walk over all invites of that time for each push.
  invitesBy: (kind) => (kind === "result" ? "invites i" : `invites i INDEXED BY invites_of_${kind}`),
  originVendor: "i.state ->> '$.origin.vendor'",
  ids: "SELECT value FROM json_each(@ids)",
};

/** Which pushes a replay means, which missing ones a backfill means, and which of both wait already, as the ends of statements. */
export function createSelected(db: Db) {
  const connectionOf = db.prepare<[number], SelectedConnection>(
    "SELECT org, vendor, environment, subject_kind FROM connections WHERE id = ?",
  );
  return {
    pushesOf: (selection: PushSelection) =>
      pushesSelected(DIALECT, connectionOf.get(selection.connectionId), selection),
    unpushedOf: (selection: UnpushedSelection) =>
      unpushedSelected(DIALECT, connectionOf.get(selection.connectionId), selection),
    waitingOf: (selection: Selection) => {
      const { connectionId } = "pushes" in selection ? selection.pushes : selection.unpushed;
      return waitingSelected(DIALECT, connectionOf.get(connectionId), selection);
    },
  };
}
