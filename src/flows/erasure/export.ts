import { closeSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { isoTime } from "../../shared/clock.ts";
import type { Person, PersonRows, Store } from "../../store/contract/store.ts";
import { type PersonFile, personPage } from "./person-page.ts";

/** Null where nothing is held. */
export async function gather(
  { store, clock }: { store: Pick<Store, "person" | "personRows">; clock: { now(): number } },
  org: string,
  address: string,
): Promise<{ file: PersonFile; rows: Person["rows"] } | null> {
  const { addresses, rows } = await store.person(org, address);
  if (Object.keys(rows).length === 0) return null;
  const held = await store.personRows(org, address);
  return { rows, file: { exportedAt: isoTime(clock.now()), org, addresses, held: readable(held) } };
}

/** Both, or none. Their names tell no address. Throws `USAGE` where something stands there, or nothing can be written. */
export function writeFiles(file: PersonFile, directory: string): { json: string; html: string } {
  const name = `person-${file.org}-${file.exportedAt.replaceAll(/[-:]|\.\d+/g, "")}`;
  const files = { json: join(directory, `${name}.json`), html: join(directory, `${name}.html`) };
  const written: string[] = [];
  try {
    for (const [path, text] of [
      [files.json, `${JSON.stringify({ version: 1, ...file }, null, 2)}\n`],
      [files.html, personPage(file)],
    ] as const) {
      const descriptor = openSync(path, "wx", 0o600);
      written.push(path);
      try {
        writeFileSync(descriptor, text, { flush: true });
      } finally {
        closeSync(descriptor);
      }
    }
    return files;
  } catch (cause) {
    for (const path of written) rmSync(path, { force: true });
    const isThere = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    const words = isThere ? `${name} is there already` : `${directory} cannot be written`;
    const hint = isThere
      ? "Wait a second, or name another --dir."
      : "Check it, and who may write there; --dir names another.";
    throw new AppError("USAGE", words, { hint, cause });
  }
}

/** Columns that hold JSON as what it says, points in time as people write them, hashes as text. */
function readable(rows: PersonRows): PersonRows {
  const of = (name: string, value: unknown): unknown => {
    if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
    if (typeof value === "number" && /(^at|_at|_since)$/.test(name)) return isoTime(value);
    if (typeof value === "string" && /^[[{]/.test(value)) return parsed(value);
    return value;
  };
  return Object.fromEntries(
    Object.entries(rows).map(([table, all]) => [
      table,
      all.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, of(name, value)])),
      ),
    ]),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
