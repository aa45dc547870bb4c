/**
 * What a disk may hold after a power cut, pure. The assumptions, harsher than ext4 and XFS are with their defaults:
 *
 * - What was written to a file before an `fsync` of it that returned is there. Of what was written since, each sector is
 *   there or not, whatever became of those before and behind it: so torn, dropped and reordered writes all come about.
 *   A gap that no sector filled reads as zeros. That other data of the disk shows there (`data=writeback`) is left out.
 * - Names (create, unlink, rename) are there for certain after an `fsync` of their directory. Of those since, the first
 *   few are there: both file systems write changes of names from a journal, in their order.
 */
import { dirname } from "node:path";
import type { Operation } from "./trace.ts";

interface File {
  durable: Buffer;
  /** Writes and truncates since the last sync. */
  pending: Operation[];
}

/** One change of names, all or nothing. */
type Change = { directory: string; names: readonly (readonly [path: string, file: File | null])[] };

/** 0 up to, not including, 1. */
export type Random = () => number;

export interface Disk {
  apply(operation: Operation): void;
  /** The files as they may be after a cut now. */
  afterCut(random: Random): Map<string, Buffer>;
  /** The files as every program sees them now. */
  seen(): Map<string, Buffer>;
}

/** A disk on which `files` rest for certain. */
export function createDisk(files: ReadonlyMap<string, Buffer>): Disk {
  const durable = new Map([...files].map(([path, bytes]): [string, File] => [path, fileOf(bytes)]));
  const live = new Map(durable);
  let changes: Change[] = [];
  const change = (...names: (readonly [string, File | null])[]) => {
    changes.push({ directory: dirname(names[0]?.[0] ?? ""), names });
    setNames(live, names);
  };
  const apply = (operation: Operation) => {
    const { kind, path } = operation;
    const file = live.get(path);
    if (kind === "create") change([path, fileOf(Buffer.alloc(0))]);
    else if (kind === "unlink") change([path, null]);
    else if (kind === "rename" && file) change([path, null], [operation.data.toString(), file]);
    else if (kind !== "sync") file?.pending.push(operation);
    else if (file) Object.assign(file, fileOf(contentOf(file, () => true)));
    else {
      for (const { directory, names } of changes) if (directory === path) setNames(durable, names);
      changes = changes.filter(({ directory }) => directory !== path);
    }
  };
  return {
    apply,
    afterCut: (random) => {
      const kept = new Map(durable);
      const length = Math.floor(random() * (changes.length + 1));
      for (const { names } of changes.slice(0, length)) setNames(kept, names);
      const isKept = fates(random);
      return contentsOf(kept, isKept);
    },
    seen: () => contentsOf(live, () => true),
  };
}

const fileOf = (bytes: Buffer): File => ({ durable: bytes, pending: [] });

function setNames(of: Map<string, File>, names: Change["names"]): void {
  for (const [path, file] of names) {
    if (file) of.set(path, file);
    else of.delete(path);
  }
}

type IsKept = (operation: Operation, sector: number) => boolean;

/** One cut's way with what was not synced: nothing of it, whole writes, or single sectors, of the one size or the other. */
function fates(random: Random): IsKept {
  const share = [0, 0.5, 0.9, 1][Math.floor(random() * 4)] ?? 0;
  if (random() < 0.4) return () => random() < share;
  const whole = new Map<Operation, boolean>();
  return (operation) => {
    const known = whole.get(operation) ?? random() < share;
    whole.set(operation, known);
    return known;
  };
}

function contentsOf(files: ReadonlyMap<string, File>, isKept: IsKept): Map<string, Buffer> {
  return new Map([...files].map(([path, file]) => [path, contentOf(file, isKept)]));
}

const SECTOR_BYTES = 512;

function contentOf({ durable, pending }: File, isKept: IsKept): Buffer {
  if (pending.length === 0) return durable;
  const room = Math.max(durable.length, ...pending.map(({ offset, data }) => offset + data.length));
  const content = Buffer.concat([durable], room);
  let length = durable.length;
  for (const operation of pending) {
    if (operation.kind === "truncate") {
      if (!isKept(operation, 0)) continue;
      content.fill(0, Math.min(operation.offset, length));
      length = operation.offset;
    } else length = Math.max(length, writeSectors(content, operation, isKept));
  }
  return content.subarray(0, length);
}

/** Writes the sectors that are kept, and returns where the last of them ends. */
function writeSectors(content: Buffer, operation: Operation, isKept: IsKept): number {
  const { offset, data } = operation;
  let end = 0;
  for (let from = 0; from < data.length; ) {
    const place = offset + from;
    const to = Math.min(data.length, from + SECTOR_BYTES - (place % SECTOR_BYTES));
    if (isKept(operation, Math.floor(place / SECTOR_BYTES))) {
      data.copy(content, place, from, to);
      end = offset + to;
    }
    from = to;
  }
  return end;
}
