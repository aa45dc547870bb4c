import { closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { insistOnOwn, NO_FOLLOW, readOwnFile } from "../../shared/private-files.ts";
import { isRunning, thisProcess } from "../../shared/process-identity.ts";
import type { StoreFaultKind } from "../../store/contract/store.ts";
import { faultsFile } from "./faults-file.ts";

/**
 * What keeps a running `serve` from taking events, or may do so soon. `unwritable`: the store could not do what it was asked
 * last. `secrets`: a source has no secret to judge its webhooks by.
 */
export interface ServeFault {
  kind: ServeFaultKind;
  /** Nothing is taken in while it lasts. */
  refuses: boolean;
  since: number;
  message: string;
  /** What to do about it. */
  hint: string;
  /** The next step of who sets it up, and no alarm: nobody sends anything yet. */
  isStep?: boolean;
}

export type ServeFaultKind = StoreFaultKind | "unwritable" | "secrets";

/**
 * They stand in a small file beside the log: the log itself cannot tell, and whoever looks may find another file in its
 * place. It is written in place, into room that it took at the start.
 */
const Told = v.object({
  service: v.object({ pid: v.number(), startedAt: v.string(), bootId: v.string() }),
  faults: v.array(
    v.object({
      kind: v.picklist(["lost", "unusable", "damaged", "held-up", "unwritable", "secrets"]),
      refuses: v.boolean(),
      since: v.number(),
      message: v.string(),
      hint: v.string(),
      isStep: v.exactOptional(v.boolean()),
    }),
  ),
});

/** Which fault was ended: another of its kind begins at another time. */
const Ended = v.object({ kind: v.string(), since: v.number() });

const ROOM_BYTES = 16 * 1024;
const ENDED_ROOM_BYTES = 128;

/** False where nothing can be told: on a file system that cannot be written, or in a directory that is gone. */
export function tellServeFaults(stateDir: string, faults: readonly ServeFault[]): boolean {
  const text = faults.length === 0 ? "" : JSON.stringify({ service: thisProcess(), faults });
  return writeInPlace(faultsFile(stateDir), text, ROOM_BYTES);
}

export function forgetServeFaults(stateDir: string): void {
  try {
    rmSync(faultsFile(stateDir), { force: true });
    rmSync(endedFile(stateDir), { force: true });
  } catch {
    // What it says is known to be of a service that ended.
  }
}

/** Of a service that lives; none of one that was killed, nor what `endServeFault` ended. */
export function serveFaults(stateDir: string): readonly ServeFault[] {
  const told = parsed(Told, faultsFile(stateDir));
  if (!told || !isRunning(told.service)) return [];
  const ended = parsed(Ended, endedFile(stateDir));
  return told.faults.filter(({ kind, since }) => kind !== ended?.kind || since !== ended.since);
}

/**
 * Whoever mended it knows before the service notices. The service may tell it once more meanwhile, and is not believed: that
 * stands in a file of its own, which nobody else writes.
 */
export function endServeFault(stateDir: string, { kind, since }: Pick<ServeFault, "kind" | "since">): void {
  writeInPlace(endedFile(stateDir), JSON.stringify({ kind, since }), ENDED_ROOM_BYTES);
}

function endedFile(stateDir: string): string {
  return join(stateDir, "serve-faults-ended.json");
}

function parsed<Shape extends v.GenericSchema>(shape: Shape, path: string): v.InferOutput<Shape> | null {
  try {
    return v.parse(shape, JSON.parse(readOwnFile(path)));
  } catch {
    return null;
  }
}

/** Overwrites what stands there, padded to the room it takes, so that a full disk is in nobody's way. False where it cannot. */
export function writeInPlace(path: string, text: string, roomBytes: number): boolean {
  try {
    const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | NO_FOLLOW, 0o600);
    try {
      insistOnOwn(file, path);
      const bytes = Buffer.alloc(Math.max(roomBytes, Buffer.byteLength(text)), " ");
      bytes.write(text);
      return writeSync(file, bytes, 0, bytes.length, 0) === bytes.length;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
