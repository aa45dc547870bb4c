import type { Inquiry } from "../../../core/event.ts";
import type { Db } from "../file/db.ts";

/** Leaves an event to be asked about, until `settleQuestion`; once, however often. */
export function createAsk(db: Db) {
  const insert = db.prepare(`
    INSERT INTO questions (seq, vendor, org, environment, about, asked_at, due_at)
    VALUES (@seq, @vendor, @org, @environment, @about, @now, @now) ON CONFLICT DO NOTHING`);
  return (seq: number, { vendor, org, environment, about }: Inquiry, now: number): void => {
    insert.run({ seq, vendor, org, environment, about: JSON.stringify(about), now });
  };
}
