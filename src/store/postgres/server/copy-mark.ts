import { type Client, DatabaseError } from "pg";
import { halfCopied } from "../../../core/advice/copied-log.ts";
import type { Sql } from "../../../postgres/sql.ts";
import { isAppError } from "../../../shared/errors.ts";

/** What the log's own row says of a copy that it is. */
export interface CopyMark {
  /** The id of the log that was, or is being, copied here; null where none was. */
  copy_of: string | null;
  /** The file that it was in. */
  copy_from: string | null;
  /** The file's state when the copy was begun; null once the copy is whole. */
  copy_state: string | null;
}

/** As JSON, since who only looks may meet a row of before these columns. */
const MARK = "SELECT to_jsonb(f) AS log FROM jc.log_file f";

export async function copyMarkIn(sql: Sql): Promise<CopyMark> {
  return markOf(await sql.get<MarkRow>(MARK));
}

/** Whoever begins a copy writes the mark first, and then looks for holders. */
export async function refuseHalfCopy(
  direct: Pick<Client, "query">,
  { sql, url }: { sql: Sql; url: string },
): Promise<void> {
  const { rows } = await direct.query<MarkRow>(MARK);
  const { copy_state: state, copy_from: from } = markOf(rows[0]);
  if (state !== null) throw halfCopied({ from: from ?? "a log", to: asOwner(url, await saidOfSchema(sql)) });
}

/** The same for who works beside the log, where there may be none yet. */
export function refuseBesideHalfCopy(sql: Sql, url: string): Promise<void> {
  return orHalfCopy(sql, url, () => refuseMarked(sql, url));
}

async function refuseMarked(sql: Sql, url: string): Promise<void> {
  const found = await sql.get<{ is_there: boolean }>(
    "SELECT to_regclass('jc.log_file') IS NOT NULL AS is_there",
  );
  if (!found?.is_there) return;
  const { copy_state: state, copy_from: from } = await copyMarkIn(sql);
  if (state !== null) throw halfCopied({ from: from ?? "a log", to: asOwner(url, await saidOfSchema(sql)) });
}

const SAID = "the half of a copy of ";

/**
 * Says it of the schema too, in a comment: a role that has no rights to the tables yet reads that, and no more. `from`: null
 * once the copy is whole.
 */
export async function tellHalfCopy(tx: Sql, from: string | null): Promise<void> {
  const row = await tx.get<{ statement: string }>(
    "SELECT format('COMMENT ON SCHEMA jc IS %L', $1::text) AS statement",
    [from === null ? null : `${SAID}${from}`],
  );
  await tx.run(row?.statement ?? "");
}

/** What fails for want of a right fails for the copy's sake where one was begun. */
export async function orHalfCopy<Result>(
  sql: Sql,
  url: string,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const said = await saidOfSchema(sql).catch(() => undefined);
    if (!said?.words?.startsWith(SAID)) throw error;
    throw halfCopied({ from: said.words.slice(SAID.length), to: asOwner(url, said) });
  }
}

function isForbidden(error: unknown): boolean {
  const cause = isAppError(error) ? error.cause : error;
  return cause instanceof DatabaseError && cause.code === "42501";
}

interface SaidOfSchema {
  words: string | null;
  /** Null where nobody can log in by that name. */
  owner: string | null;
}

/** Whoever is let into the database may ask it. */
async function saidOfSchema(sql: Sql): Promise<SaidOfSchema | undefined> {
  return await sql.get<SaidOfSchema>(
    `SELECT obj_description(n.oid, 'pg_namespace') AS words, r.rolname AS owner
     FROM pg_namespace n LEFT JOIN pg_roles r ON r.oid = n.nspowner AND r.rolcanlogin WHERE n.nspname = 'jc'`,
  );
}

/** Nobody else may go on with a copy. */
function asOwner(url: string, said: SaidOfSchema | undefined): string {
  const owner = said?.owner ?? null;
  return owner === null ? url : url.replace(/^(\w+:\/\/)[^@/?#]*@/, `$1${encodeURIComponent(owner)}@`);
}

interface MarkRow {
  log: Partial<CopyMark>;
}

function markOf(row: MarkRow | undefined): CopyMark {
  return { copy_of: null, copy_from: null, copy_state: null, ...row?.log };
}
