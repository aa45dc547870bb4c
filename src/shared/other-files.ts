/** Files that hold the right thing in another form, known by how they begin. */

export interface OtherFile {
  is: string;
  /** What turns it into the right form, in a shell. */
  cure: string;
}

/** `first`: what of ASCII the right file may begin with. Null where it begins with none of them. */
export function otherFileOf(head: Buffer, first: RegExp): OtherFile | null {
  const code = head[0] === 0 ? (head[1] ?? 0) : (head[0] ?? 0);
  if (code !== 0xff && code !== 0xfe && code !== 0x1f && !first.test(String.fromCharCode(code))) return null;
  const known: readonly [beginning: number[], is: string, cure: string][] = [
    [[0xff, 0xfe], "UTF-16", "iconv -f UTF-16 -t UTF-8"],
    [[0xfe, 0xff], "UTF-16", "iconv -f UTF-16 -t UTF-8"],
    [[code, 0x00], "UTF-16 without a byte order mark", "iconv -f UTF-16LE -t UTF-8"],
    [[0x00, code], "UTF-16 without a byte order mark", "iconv -f UTF-16BE -t UTF-8"],
    [[0x1f, 0x8b], "compressed by gzip", "zcat"],
  ];
  const [, is, cure] =
    known.find(([bytes]) => head.subarray(0, bytes.length).equals(Buffer.from(bytes))) ?? [];
  return is === undefined || cure === undefined ? null : { is, cure };
}
