import { createHash } from "node:crypto";
import { AppError } from "../../shared/errors.ts";
import { seal, unseal } from "../../shared/seal.ts";
import type { VaultRows } from "../rows.ts";

/**
 * Which rows a vault has, each with a digest of its sealed bytes. The list is sealed with the vault's key, so that a row
 * that was replaced or removed counts for nothing when somebody puts it back into the file.
 */
export type RowList = ReadonlyMap<string, string>;

const NAME = "";
/** What older programs sealed in the list's place. Their rows are bound at the first write, with a new salt. */
const UNBOUND = "jc-integrations";

/** It also proves the key: whichever opens it is the vault's. */
export function sealRowList(key: Buffer, list: RowList): Buffer {
  return seal(key, NAME, JSON.stringify([...list]));
}

/** `unbound`: of an older program. Null for another key, and for a list that was altered. */
export function openRowList(key: Buffer, sealed: Buffer): RowList | "unbound" | null {
  const text = unseal(key, NAME, sealed);
  if (text === null || text === UNBOUND) return text === null ? null : "unbound";
  const rows: [string, string][] = JSON.parse(text);
  return new Map(rows);
}

/** The item's text; null where there is none. Throws where another row stands there than was written last, or none. */
export function openRow(
  { key, list }: { key: Buffer; list: RowList | "unbound" },
  name: string,
  sealed: Buffer | null,
): string | null {
  const isBound = list === "unbound" || (sealed ? digestOf(sealed) : undefined) === list.get(name);
  if (isBound && sealed === null) return null;
  const text = isBound && sealed !== null ? unseal(key, name, sealed) : null;
  if (text !== null) return text;
  throw new AppError("VAULT_UNAVAILABLE", `The item ${name} in the vault was altered`, {
    hint: "Set this secret again, or connect again; find out who wrote into the vault.",
  });
}

/** Seals and puts, or removes where the text is null, and returns the list with it. */
export function changeRows(
  rows: VaultRows,
  { key, list }: { key: Buffer; list: RowList },
  changes: Iterable<readonly [name: string, text: string | null]>,
): RowList {
  const changed = new Map(list);
  for (const [name, text] of changes) {
    if (text === null) {
      rows.remove(name);
      changed.delete(name);
    } else {
      const sealed = seal(key, name, text);
      rows.put(name, sealed);
      changed.set(name, digestOf(sealed));
    }
  }
  return changed;
}

function digestOf(sealed: Buffer): string {
  return createHash("sha256").update(sealed).digest("base64");
}
