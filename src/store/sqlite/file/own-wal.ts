import { closeSync, openSync, readSync } from "node:fs";
import { statOf } from "./file-at.ts";

/** The -wal of a log that this process has open, by a descriptor of its own: SQLite holds no lock on it that a close could drop. */
export interface OwnWal {
  /** Does it lack what was written into it, while its name still stands for it? */
  isCut(): boolean;
  close(): void;
}

/** `pagesIn`: how many SQLite has in it, asked anew each time. */
export function openWal(
  path: string,
  { pageSize, pagesIn }: { pageSize: number; pagesIn(): number },
): OwnWal {
  const wal = openQuietly(path);
  /** A header of 32 bytes, and one of 24 before each page (sqlite.org/walformat.html). */
  const bytesOf = (pages: number) => 32 + pages * (24 + pageSize);
  return {
    /**
     * Another process may write to it, or empty it, between two questions: only what stays the same is judged. A commit after
     * the cut makes the file as long as before, with nothing where its header was.
     */
    isCut: () => {
      for (;;) {
        const pages = pagesIn();
        const size = statOf(path)?.size ?? 0n;
        if (pages === 0 || (size >= bytesOf(pages) && hasHeader(wal))) return false;
        if (pagesIn() === pages) return true;
      }
    },
    close: () => {
      if (wal !== null) closeSync(wal);
    },
  };
}

function openQuietly(path: string): number | null {
  try {
    return openSync(path, "r");
  } catch {
    return null;
  }
}

/** The first four bytes, whatever the last bit says of its checksums (sqlite.org/walformat.html). */
const WAL_MAGIC = 0x377f0682;

/** True where it cannot be read: SQLite will say so itself. */
function hasHeader(wal: number | null): boolean {
  if (wal === null) return true;
  const magic = Buffer.alloc(4);
  try {
    return readSync(wal, magic, 0, 4, 0) === 4 && (magic.readUInt32BE() & ~1) === WAL_MAGIC;
  } catch {
    return true;
  }
}
