/** A log carried whole into a database: every row put there, read back and compared, before anybody may work on it. */
import { createHash, type Hash } from "node:crypto";
import { metByCopy, unlikeCopy } from "../../core/advice/copied-log.ts";
import type {
  CopiedTable,
  CopySource,
  CopyStanding,
  CopyTarget,
  Row,
  Totals,
} from "../../store/contract/copying.ts";

export interface CopyContext {
  source: CopySource;
  target: CopyTarget;
  /** The database's URL. */
  to: string;
  /** Tokens and secrets, too. Returns how many they are. */
  carryVault(): Promise<number>;
  signal: AbortSignal;
  onProgress(stage: "copying" | "comparing", done: number): void;
}

export interface CopiedRows {
  name: string;
  rows: number;
  /** SHA-256 of all of them, the same of what was read in either store. */
  sha256: string;
}

export interface Copied {
  standing: CopyStanding;
  tables: CopiedRows[];
  /** Tokens and secrets that went along; null where all was there before. */
  vaultItems: number | null;
}

/**
 * Ended at any instant it goes on where it was, as long as nothing was written to the log. Both sides refuse others from the
 * moment in which the file is marked, before the database is free: at no instant may two services work on two logs.
 */
export async function copyLog(context: CopyContext): Promise<Copied> {
  const { source, target, to } = context;
  const standing = await target.begin(source).catch((error: unknown) => {
    throw metByCopy(to, error, { isBegun: false });
  });
  if (standing === "whole") return { standing, tables: [], vaultItems: null };
  try {
    return { standing, ...(await toItsEnd(context)) };
  } catch (error) {
    throw metByCopy(to, error, { isBegun: true });
  }
}

async function toItsEnd(context: CopyContext): Promise<Omit<Copied, "standing">> {
  const { source, target, to } = context;
  const { tables, differing } = await carried(context);
  if (differing.length > 0) {
    await target.spoil();
    throw unlikeCopy(to, differing);
  }
  const vaultItems = await context.carryVault();
  source.mark(to);
  await target.finish();
  return { tables, vaultItems };
}

interface Carried {
  tables: CopiedRows[];
  /** What is not in the database as it is in the log. */
  differing: string[];
}

async function carried(context: CopyContext): Promise<Carried> {
  const { source, target } = context;
  await putAll(context);
  const { tables, differing } = await compareAll(context);
  if (differing.length > 0) return { tables, differing };
  const totals = source.totals();
  await target.putTotals(totals);
  return { tables, differing: differences(totals, await target.totals()) };
}

async function putAll({ source, target, signal, onProgress }: CopyContext): Promise<void> {
  let done = 0;
  for (const table of target.tables) {
    const reached = await target.reached(table);
    done += reached.rows;
    onProgress("copying", done);
    for await (const rows of pagesOf(source, table, reached.last)) {
      signal.throwIfAborted();
      await target.put(
        table,
        rows.map((row) => target.asHeld(table, row)),
      );
      done += rows.length;
      onProgress("copying", done);
    }
  }
}

function* pagesOf(source: CopySource, table: CopiedTable, from: Row | null): Generator<Row[]> {
  for (let after = from; ; ) {
    const rows = source.page(table, after);
    const last = rows.at(-1);
    if (!last) return;
    yield rows;
    after = keyOf(table, last);
  }
}

function keyOf({ key, columns }: CopiedTable, row: Row): Row {
  return key.map((name) => row[columns.indexOf(name)] ?? null);
}

/** Reads all of both sides. */
async function compareAll({ source, target, signal, onProgress }: CopyContext): Promise<Carried> {
  const tables: CopiedRows[] = [];
  const differing: string[] = [];
  let done = 0;
  for (const table of target.tables) {
    const [ours, theirs] = [createHash("sha256"), createHash("sha256")];
    let [rows, after]: [number, Row | null] = [0, null];
    for (const page of pagesOf(source, table, null)) {
      signal.throwIfAborted();
      const found = await target.page(table, after, page.length);
      digest(
        ours,
        page.map((row) => target.asHeld(table, row)),
      );
      digest(theirs, found);
      const last = found.at(-1);
      after = last ? keyOf(table, last) : after;
      rows += page.length;
      onProgress("comparing", done + rows);
    }
    digest(theirs, await target.page(table, after, 1));
    done += rows;
    const sha256 = ours.digest("hex");
    if (theirs.digest("hex") !== sha256) differing.push(table.name);
    tables.push({ name: table.name, rows, sha256 });
  }
  return { tables, differing };
}

function digest(hash: Hash, rows: readonly Row[]): void {
  const lines = rows.map((row) =>
    JSON.stringify(
      row.map((value) => (value instanceof Uint8Array ? [Buffer.from(value).toString("hex")] : value)),
    ),
  );
  hash.update(lines.map((line) => `${line}\n`).join(""));
}

type Counts = Pick<Totals, "counters" | "invites" | "pushes">;

/** What counts other things than the log does; what counts none may be missing. */
function differences(ours: Counts, theirs: Counts): string[] {
  return (["counters", "invites", "pushes"] as const).flatMap((kind) => {
    const names = new Set([...Object.keys(ours[kind]), ...Object.keys(theirs[kind])]);
    const isSame = [...names].every((name) => (ours[kind][name] ?? 0) === (theirs[kind][name] ?? 0));
    return isSame ? [] : [`the counts of ${kind}`];
  });
}
