import { lstatSync } from "node:fs";
import Database from "better-sqlite3";
import type { Person } from "../../contract/erasure.ts";

/** Whether a copy of the log holds a person; `unknown` where it cannot be looked into. */
export type Held = "holds" | "does not" | "unknown";

/**
 * By what has an index, so that a large copy takes no longer than a small one: their invites, what vendors were told of
 * them, and the few events of no invite.
 */
export function heldInCopy(
  file: string,
  org: string,
  { addresses, invitationIds }: Pick<Person, "addresses" | "invitationIds">,
): Held {
  if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) return "unknown";
  let db: Database.Database | null = null;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true, timeout: 2_000 });
    const looks = [
      [
        "SELECT 1 FROM invites WHERE org = @org AND contact IN (SELECT value FROM json_each(@names)) LIMIT 1",
        JSON.stringify(addresses),
      ],
      [
        "SELECT 1 FROM invites WHERE org = @org AND invitation_id IN (SELECT value FROM json_each(@names)) LIMIT 1",
        JSON.stringify(invitationIds),
      ],
      [
        `SELECT 1 FROM connections c JOIN json_each(@names) a JOIN pushes p ON p.connection_id = c.id AND p.subject = a.value
         WHERE c.org = @org LIMIT 1`,
        JSON.stringify(addresses),
      ],
      [
        `SELECT 1 FROM events, json_each(@names) WHERE invite_id IS NULL AND instr(lower(payload), value) > 0 AND @org <> '' LIMIT 1`,
        JSON.stringify(addresses),
      ],
    ] as const;
    for (const [sql, names] of looks) if (db.prepare(sql).get({ org, names }) !== undefined) return "holds";
    return "does not";
  } catch (error) {
    if (error instanceof Error && "code" in error) return "unknown";
    throw error;
  } finally {
    db?.close();
  }
}
