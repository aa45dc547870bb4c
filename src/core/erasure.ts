/** Whom a row or an event is about, and where an address stands in a text, in whatever way it is written. Pure. */
import { emailKey, type NewEvent, type Snapshot } from "./event.ts";

/** What names a person, as text to be hashed with a key: an erased one is known by the hash alone. */
export type PersonName = string;

export const addressName = (org: string, address: string): PersonName =>
  name("address", org, emailKey(address));
export const inviteName = (org: string, invitationId: string): PersonName =>
  name("invite", org, invitationId);
export const candidateName = (org: string, vendor: string, candidateId: string): PersonName =>
  name("candidate", org, vendor, candidateId);

/** Keyed hashes, hex: of `PersonName`s. */
export type Marks = readonly string[];

/** All names in an event by which it could be an erased person's. */
export function namesIn(event: Omit<NewEvent, "marks">): PersonName[] {
  const { snapshot, confirmation, asks, org } = event;
  const isKnown = snapshot !== null || confirmation !== undefined || asks !== undefined;
  return [
    ...(snapshot ? namesOf(snapshot) : []),
    ...(confirmation
      ? [
          candidateName(confirmation.org, confirmation.vendor, confirmation.candidateId),
          ...(confirmation.invitationId ? [inviteName(confirmation.org, confirmation.invitationId)] : []),
        ]
      : []),
    ...(asks?.about.candidateId ? [candidateName(asks.org, asks.vendor, asks.about.candidateId)] : []),
    // Of a type that nobody knows: whatever looks like an address in it.
    ...(isKnown || org === undefined
      ? []
      : addressesIn(event.payload).map((address) => addressName(org, address))),
  ];
}

export function namesOf({
  org,
  invitationId,
  candidate,
  origin,
}: Pick<Snapshot, "org" | "invitationId" | "candidate" | "origin">): PersonName[] {
  return [
    addressName(org, candidate.email),
    inviteName(org, invitationId),
    ...(origin ? [candidateName(org, origin.vendor, origin.candidateId)] : []),
  ];
}

const MOST_ADDRESSES = 20;

/** What looks like an address, in lower case; of a text with very many only the first ones. */
export function addressesIn(text: string): string[] {
  const found = new Set<string>();
  for (const way of waysToRead(text))
    for (const [address] of way.matchAll(/[^\s"'<>,;:\\()[\]@]{1,64}@[^\s"'<>,;:\\()[\]@]{1,255}/g)) {
      found.add(address);
      if (found.size >= MOST_ADDRESSES) return [...found];
    }
  return [...found];
}

/** Does an address stand in the text by itself, not as the end of a longer one? */
export function mentions(text: string, addresses: readonly string[]): boolean {
  return waysToRead(text).some((way) => addresses.some((address) => placeOf(way, address) >= 0));
}

const ERASED = "[erased]";
/** Stands where an address would, of which nothing is held. */
export const NOT_HELD = "[not held]";

/** Nobody's: what stands in an address's place needs no mask. */
export function isPlaceholder(address: string): boolean {
  return address === ERASED || address === NOT_HELD;
}

/** The text without these addresses. What JSON or percent-encoding hides is written in plain where one of them is in it. */
export function scrubbed(text: string, addresses: readonly string[]): string {
  if (!mentions(text, addresses)) return text;
  const json = jsonIn(text);
  if (json !== undefined)
    return JSON.stringify(json, (_key, value: unknown) =>
      typeof value === "string" ? scrubbed(value, addresses) : value,
    );
  let left = text;
  for (const read of [(way: string) => way, unescaped, (way: string) => unescaped(unescaped(way)), decoded]) {
    const way = read(left);
    const without = addresses.reduce(withoutAddress, way);
    if (without !== way) left = without;
  }
  return left;
}

function withoutAddress(text: string, address: string): string {
  let left = text;
  for (;;) {
    const at = placeOf(left.toLowerCase(), address);
    if (at < 0 || left.toLowerCase().length !== left.length) return left;
    left = left.slice(0, at) + ERASED + left.slice(at + address.length);
  }
}

/** An object or a list; undefined for what is neither. */
function jsonIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** In lower case: as it is, without JSON's escapes (once, and once more within a text), without percent-encoding. */
function waysToRead(text: string): string[] {
  const plain = text.toLowerCase();
  const ways = [plain];
  if (plain.includes("\\")) {
    const once = unescaped(plain);
    ways.push(once.toLowerCase());
    if (once.includes("\\")) ways.push(unescaped(once).toLowerCase());
  }
  if (plain.includes("%")) ways.push(decoded(plain).toLowerCase());
  return ways;
}

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-f]{4})|(["\\/]))/gi, (_, hex?: string, itself?: string) =>
    hex === undefined ? (itself ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function decoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    const bytes = Buffer.from(run.replaceAll("%", ""), "hex");
    return bytes.toString("utf8");
  });
}

/** -1 where it is only a part of a longer one, as `ann@example.com` of `joann@example.com`. */
function placeOf(text: string, address: string): number {
  for (let at = text.indexOf(address); at >= 0; at = text.indexOf(address, at + 1)) {
    const [before, after] = [text.slice(0, at), text.slice(at + address.length, at + address.length + 2)];
    if (!/[\p{L}\p{N}._%+-]$/u.test(before.slice(-2)) && !/^(?:[\p{L}\p{N}-]|\.[\p{L}\p{N}])/u.test(after))
      return at;
  }
  return -1;
}

function name(...parts: string[]): PersonName {
  return parts.join("\0");
}
