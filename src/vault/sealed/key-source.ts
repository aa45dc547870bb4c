import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "../../shared/errors.ts";
import { makePrivateDir } from "../../shared/private-dir.ts";
import { isInside, NO_FOLLOW, ownUser } from "../../shared/private-files.ts";
import { DISK_FULL, isDiskFull } from "../file/full-disk.ts";

/** Where the sealed vault's key comes from. A credential belongs to systemd: read-only, its permissions not ours. */
export interface KeySource {
  kind: "file" | "credential";
  path: string;
}

const SHORTEST_KEY_BYTES = 32;
const LONGEST_NAMED_KEY_BYTES = 1_024;

/** A configured key file goes before the systemd credential `vault-key`; null when there is neither. */
export function findKeySource(from: {
  keyFile: string | null;
  credentialsDirectory: string | null;
}): KeySource | null {
  const directory = from.credentialsDirectory;
  if (from.keyFile) {
    const isCredential = directory !== null && isInside(directory, from.keyFile);
    return { kind: isCredential ? "credential" : "file", path: from.keyFile };
  }
  return directory ? { kind: "credential", path: join(directory, "vault-key") } : null;
}

/** What the key file holds; null when there is no such file. Throws `VAULT_UNAVAILABLE` for one we must not use. */
export function readKey(source: KeySource, platform: NodeJS.Platform): Buffer | null {
  const file = openOrNull(source);
  if (file === null) return null;
  try {
    // Windows has no permission bits: there a file's mode says nothing about who may read it.
    if (platform !== "win32") insistOnPrivate(source, file);
    const material = readFileSync(file);
    if (material.length >= SHORTEST_KEY_BYTES) return material;
    throw new AppError("VAULT_UNAVAILABLE", `The key file ${source.path} holds fewer than 32 bytes`, {
      hint: "Restore that file as it was: without it nothing in the vault can be read.",
    });
  } finally {
    closeSync(file);
  }
}

/** Wider modes are mended where the file is ours; systemd keeps a credential in a directory that is closed to others. */
function insistOnPrivate({ kind, path }: KeySource, file: number): void {
  const { uid } = fstatSync(file);
  if (uid !== 0 && uid !== ownUser())
    throw new AppError("VAULT_UNAVAILABLE", `The key file ${path} belongs to another user (${uid})`, {
      hint: `Whoever owns it can read and replace it: sudo chown ${ownUser()} '${path}'`,
    });
  if (kind === "credential" || (fstatSync(file).mode & 0o077) === 0) return;
  try {
    fchmodSync(file, 0o600);
  } catch {
    throw new AppError("VAULT_UNAVAILABLE", `The key file ${path} can be read by other users`, {
      hint: `chmod 600 ${path}`,
    });
  }
}

/**
 * The key in a file that an operator named for the first time, made where there is none. Throws `USAGE` for what is read as
 * something else, as a configuration, and leaves it as it is: its content may be in use elsewhere, and its permissions, too.
 */
export function namedKey(path: string, platform: NodeJS.Platform): Buffer {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return createKey(path);
  if (!found.isFile() || found.size < SHORTEST_KEY_BYTES || found.size > LONGEST_NAMED_KEY_BYTES)
    throw noKey(path);
  if (isText(readFileSync(path))) throw noKey(path);
  if (platform !== "win32" && (found.mode & 0o077) !== 0)
    throw new AppError("USAGE", `${path} can be read by other users`, {
      hint: `Where it is a key of yours and nobody read it: chmod 600 '${path}'`,
    });
  return readKey({ kind: "file", path }, platform) ?? createKey(path);
}

/** Words, or several lines. One word of letters and digits is a key that somebody wrote down. */
function isText(material: Buffer): boolean {
  return material.every((byte) => byte < 0x80) && !/^[\w+/=-]+\n?$/.test(material.toString("latin1"));
}

function noKey(path: string): AppError {
  return new AppError("USAGE", `${path} is there, and is no key`, {
    hint: "Name a path where nothing is: the key is made there. A key is a file of 32 random bytes or more, or of one word as long.",
  });
}

function openOrNull(source: KeySource): number | null {
  try {
    return openSync(source.path, constants.O_RDONLY | NO_FOLLOW);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : "";
    if (code === "ENOENT") return null;
    if (code === "ELOOP")
      throw new AppError("VAULT_UNAVAILABLE", `The key file ${source.path} is a link`, {
        hint: `Set vault.key_file to the file itself: realpath '${source.path}'`,
      });
    throw new AppError("VAULT_UNAVAILABLE", `The key file ${source.path} cannot be read`, {
      hint: "Make it readable for the user this runs as, and for nobody else.",
      cause,
    });
  }
}

/** Creates a key file, durable before it is used. One that is there already is left alone, and an error. */
export function createKey(path: string): Buffer {
  const material = randomBytes(SHORTEST_KEY_BYTES);
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    makePrivateDir(dirname(path));
    writeFileSync(draft, material, { mode: 0o600, flag: "wx", flush: true });
    try {
      // A link appears whole or not at all, and never in place of another file.
      linkSync(draft, path);
    } finally {
      unlinkSync(draft);
    }
    flushDirectory(dirname(path));
    return material;
  } catch (cause) {
    const isFull = isDiskFull(cause);
    const why = isFull ? `: ${DISK_FULL.what}` : "";
    throw new AppError("VAULT_UNAVAILABLE", `The key file ${path} cannot be created${why}`, {
      hint: isFull
        ? DISK_FULL.hint
        : "Check that its directory can be written, or set vault.key_file to another path.",
      cause,
    });
  }
}

/** Makes names in a directory durable. Windows opens no directories and needs none of it. */
export function flushDirectory(path: string): void {
  try {
    const directory = openSync(path, "r");
    fsyncSync(directory);
    closeSync(directory);
  } catch {
    // The file itself is flushed; some file systems refuse this for a directory.
  }
}
