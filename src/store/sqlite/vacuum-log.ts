import { dirname } from "node:path";
import { openLog } from "./file/open.ts";
import { transaction } from "./file/transaction.ts";
import { insistOnRoom, writeAnew } from "./file/write-anew.ts";

/**
 * Takes the bytes of erased people out of the log's files, also while a service lives on them: what it writes waits, and
 * senders hear 503. Whoever is erased meanwhile has their turn the next time.
 */
export function vacuumLog(path: string, temporaryDir: string): void {
  const db = openLog(dirname(path), { now: Date.now(), isExpected: true });
  try {
    insistOnRoom(db, [dirname(path), temporaryDir]);
    transaction(db, () => db.exec("UPDATE erasures SET bytes_due = 2 WHERE bytes_due = 1"))();
    writeAnew(db);
    transaction(db, () => db.exec("UPDATE erasures SET bytes_due = 0 WHERE bytes_due = 2"))();
  } finally {
    db.close();
  }
}
