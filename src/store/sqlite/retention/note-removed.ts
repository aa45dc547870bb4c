import type { Db } from "../file/db.ts";
import { dayOf } from "../../rows/retention.ts";

/** Counts by org and day what is gone, so that people hear of it. Part of a write transaction. */
export function createNoteRemoved(db: Db) {
  const add = db.prepare(`
    INSERT INTO purges (org, day, what, n) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET n = n + excluded.n`);
  return (org: string, what: "invites" | "rejected", n: number, now: number): void => {
    if (n > 0) add.run(org, dayOf(now), what, n);
  };
}
