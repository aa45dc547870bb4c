/** Arrays as PostgreSQL reads them without parsing: as text, each quote in a body would be escaped here and undone there. */

export type ArrayOf = keyof typeof OIDS;
type Element = string | number | boolean | Buffer | null;

const OIDS = { boolean: 16, bytea: 17, bigint: 20, integer: 23, text: 25 } as const;
const HEAD_BYTES = 20;
const EMPTY_HEAD_BYTES = 12;
const TWO_TO_32 = 4_294_967_296;

/** For a parameter of the type `of[]`. */
export function arrayOf(of: ArrayOf, elements: readonly Element[]): Buffer {
  if (elements.length === 0) return emptyArray(of);
  const sizes = elements.map((element) => sizeOf(of, element));
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + sizes.reduce((sum, size) => sum + 4 + Math.max(0, size), 0));
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(Number(elements.includes(null)), 4);
  bytes.writeInt32BE(OIDS[of], 8);
  bytes.writeInt32BE(elements.length, 12);
  bytes.writeInt32BE(1, 16);
  let at = HEAD_BYTES;
  elements.forEach((element, index) => {
    const size = sizes[index] ?? 0;
    bytes.writeInt32BE(size, at);
    at += 4;
    if (size < 0) return;
    write(bytes, at, { of, element, size });
    at += size;
  });
  return bytes;
}

function emptyArray(of: ArrayOf): Buffer {
  const bytes = Buffer.alloc(EMPTY_HEAD_BYTES);
  bytes.writeInt32BE(OIDS[of], 8);
  return bytes;
}

/** In bytes; -1 for null. */
function sizeOf(of: ArrayOf, element: Element): number {
  if (element === null) return -1;
  if (typeof element === "string") return Buffer.byteLength(element);
  if (Buffer.isBuffer(element)) return element.length;
  if (typeof element === "number" && !Number.isSafeInteger(element))
    throw new RangeError(`${element} is no ${of}`);
  return of === "bigint" ? 8 : of === "integer" ? 4 : 1;
}

function write(
  bytes: Buffer,
  at: number,
  { of, element, size }: { of: ArrayOf; element: Element; size: number },
): void {
  if (typeof element === "string") bytes.write(element, at, size);
  else if (Buffer.isBuffer(element)) element.copy(bytes, at);
  else if (of === "bigint") {
    bytes.writeInt32BE(Math.floor(Number(element) / TWO_TO_32), at);
    bytes.writeUInt32BE((Number(element) % TWO_TO_32) >>> 0, at + 4);
  } else if (of === "integer") bytes.writeInt32BE(Number(element), at);
  else bytes.writeUInt8(Number(element), at);
}
