import { closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
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
    }),
  ),
});

const ROOM_BYTES = 16 * 1024;

/** False where nothing can be told: on a file system that cannot be written, or in a directory that is gone. */
export function tellServeFaults(stateDir: string, faults: readonly ServeFault[]): boolean {
  const text = faults.length === 0 ? "" : JSON.stringify({ service: thisProcess(), faults });
  return writeInPlace(faultsFile(stateDir), text, ROOM_BYTES);
}

export function forgetServeFaults(stateDir: string): void {
  try {
    rmSync(faultsFile(stateDir), { force: true });
  } catch {
    // What it says is known to be of a service that ended.
  }
}

/** Of a service that lives; none of one that was killed. */
export function serveFaults(stateDir: string): readonly ServeFault[] {
  try {
    const { service, faults } = v.parse(Told, JSON.parse(readOwnFile(faultsFile(stateDir))));
    return isRunning(service) ? faults : [];
  } catch {
    return [];
  }
}

/** Whoever mended it knows before the service notices, which then tells anew what is wrong. */
export function endServeFault(stateDir: string, ended: ServeFault["kind"]): void {
  try {
    const told = v.parse(Told, JSON.parse(readOwnFile(faultsFile(stateDir))));
    const faults = told.faults.filter(({ kind }) => kind !== ended);
    const text = faults.length === 0 ? "" : JSON.stringify({ ...told, faults });
    writeInPlace(faultsFile(stateDir), text, ROOM_BYTES);
  } catch {
    // Nothing is told.
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
