import { randomBytes } from "node:crypto";

/** The part of an OS keychain that we use. Lists are left alone: keytar's crash on a locked Linux keyring. */
export interface Keychain {
  getPassword(service: string, account: string): Promise<string | null>;
  setPassword(service: string, account: string, password: string): Promise<void>;
  deletePassword(service: string, account: string): Promise<boolean>;
}

/** Plain ASCII: GNOME's keyring trips over spaces. */
export const SERVICE = "jc-integrations";

/** Windows takes 2,560 bytes an item, and tokens can be longer; the same limit everywhere, so it is tried everywhere. */
const LONGEST_BYTES = 2_400;

/**
 * A long value rests in parts under names of their own, and the item itself names them: `parts:<how many>:<id>`.
 * The item is written last, so that a reader finds the old parts or the new ones, never a mixture.
 */
const PARTS = /^parts:(\d+):([0-9a-f]+)$/;

export async function readItem(keychain: Keychain, name: string): Promise<string | null> {
  const head = await keychain.getPassword(SERVICE, name);
  if (head === null || !PARTS.test(head)) return head;
  const parts: string[] = [];
  for (const partName of partsOf(name, head)) {
    const part = await keychain.getPassword(SERVICE, partName);
    if (part === null) throw new Error(`a part of ${name} is missing`);
    parts.push(part);
  }
  return Buffer.from(parts.join(""), "base64").toString("utf8");
}

/** Sets the item, or removes it where the value is null. */
export async function writeItem(keychain: Keychain, name: string, value: string | null): Promise<void> {
  const before = partsOf(name, await keychain.getPassword(SERVICE, name));
  if (value === null) await keychain.deletePassword(SERVICE, name);
  else await keychain.setPassword(SERVICE, name, await storeParts(keychain, name, value));
  for (const partName of before) await keychain.deletePassword(SERVICE, partName);
}

/** What the item itself shall hold. Keytar takes no empty text, and one that looks like `parts:…` must not pass for it. */
async function storeParts(keychain: Keychain, name: string, value: string): Promise<string> {
  const fits = value !== "" && Buffer.byteLength(value) <= LONGEST_BYTES;
  if (fits && !PARTS.test(value)) return value;
  const text = Buffer.from(value).toString("base64");
  const head = `parts:${Math.ceil(text.length / LONGEST_BYTES)}:${randomBytes(6).toString("hex")}`;
  for (const [index, partName] of partsOf(name, head).entries()) {
    const part = text.slice(index * LONGEST_BYTES, (index + 1) * LONGEST_BYTES);
    await keychain.setPassword(SERVICE, partName, part);
  }
  return head;
}

function partsOf(name: string, head: string | null): string[] {
  const [, howMany, id] = PARTS.exec(head ?? "") ?? [];
  return Array.from({ length: Number(howMany ?? 0) }, (_, index) => `${name}#${id}.${index + 1}`);
}
