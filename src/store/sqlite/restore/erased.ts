import Database from "better-sqlite3";
import type { PeoplePage } from "../../contract/store.ts";
import { createPeople } from "../erasure/people.ts";
import type { Db } from "../file/db.ts";
import { attempt } from "./old-events.ts";

/** Who was erased since a backup, before anything is restored: the old log's marks, and the names in the backup. */

export function erasuresIn(db: Db): { mark: string; person: string }[] {
  const rows = attempt(() =>
    db.prepare<[], { mark: Buffer; person: Buffer }>("SELECT mark, person FROM erasures").all(),
  );
  return (rows ?? []).map(({ mark, person }) => ({
    mark: mark.toString("hex"),
    person: person.toString("hex"),
  }));
}

/** Null for one from before there were such tables. */
export function peopleIn(backup: string): Iterable<PeoplePage["people"]> | null {
  const db = new Database(backup, { readonly: true });
  const pageAfter = attempt(() => createPeople(db));
  if (pageAfter !== null) return pagesOf(db, pageAfter);
  db.close();
  return null;
}

function* pagesOf(db: Db, pageAfter: (after: string | null) => PeoplePage): Generator<PeoplePage["people"]> {
  try {
    for (let after: string | null = null; ; ) {
      const { people, next } = pageAfter(after);
      yield people;
      if (next === null) return;
      after = next;
    }
  } finally {
    db.close();
  }
}
