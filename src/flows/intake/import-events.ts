import type { NewEvent } from "../../core/event.ts";
import type { Clock } from "../../shared/clock.ts";
import { otherFileOf } from "../../shared/other-files.ts";
import { AppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import { EventRefused, type Source } from "../../vendors/contract/source.ts";
import { readEvent } from "./read-event.ts";

/** Feeds a source's events from NDJSON. Bad lines are reported by number and reason; the good ones go in. */
export interface ImportReport {
  read: number;
  stored: number;
  known: number;
  /** Of an erased person: kept nowhere. */
  refused: number;
  /** How many of the stored ones each org got: a file may hold several orgs' events. */
  orgs: Record<string, number>;
  bad: { line: number; reason: string }[];
  /** How many of the good ones carry what is odd, as a test that nobody knows. */
  warned: number;
  /** The first of those. */
  warnings: { line: number; org: string; invitationId: string; warnings: string[] }[];
}

const MOST_WARNED = 100;
const LINES_PER_COMMIT = 500;
const LONGEST_LINE_BYTES = 1024 * 1024;

export async function importEvents(
  { store, clock }: { store: Pick<Store, "append">; clock: Pick<Clock, "now"> },
  source: Pick<Source, "parse" | "idOfBody">,
  {
    input,
    onProgress,
    signal,
  }: {
    input: AsyncIterable<Buffer | string>;
    onProgress: (report: ImportReport) => void;
    signal: AbortSignal;
  },
): Promise<ImportReport> {
  const report: ImportReport = {
    read: 0,
    stored: 0,
    known: 0,
    refused: 0,
    orgs: {},
    bad: [],
    warned: 0,
    warnings: [],
  };
  const orgs = new Map<string, number>();
  let batch: { line: number; event: NewEvent }[] = [];

  const commit = async () => {
    const results = await store.append(batch.map(({ event }) => event));
    for (const [index, { outcome }] of results.entries()) {
      const { line = 0, event } = batch[index] ?? {};
      const org = event?.snapshot?.org;
      if (outcome === "stored") {
        report.stored += 1;
        if (org !== undefined) orgs.set(org, (orgs.get(org) ?? 0) + 1);
      } else if (outcome === "known") report.known += 1;
      else if (outcome === "erased") report.refused += 1;
      else report.bad.push({ line, reason: "could not be stored" });
      if ((outcome === "stored" || outcome === "known") && event) noteWarnings(report, line, event);
    }
    batch = [];
    report.orgs = Object.fromEntries(orgs);
    onProgress(report);
  };

  for await (const { number, body, isTooLong } of linesOf(input)) {
    signal.throwIfAborted();
    if (body.length === 0 && !isTooLong) continue;
    report.read += 1;
    try {
      if (isTooLong) throw new EventRefused("longer than 1 MiB");
      const known = { eventId: source.idOfBody(body), org: null, environment: "production" as const };
      batch.push({ line: number, event: readEvent(source, body, { ...known, receivedAt: clock.now() }) });
    } catch (error) {
      if (!(error instanceof EventRefused)) throw error;
      report.bad.push({ line: number, reason: error.message });
    }
    if (batch.length >= LINES_PER_COMMIT) await commit();
  }
  if (batch.length > 0) await commit();
  report.bad.sort((a, b) => a.line - b.line);
  return report;
}

function noteWarnings(report: ImportReport, line: number, { snapshot }: NewEvent): void {
  if (!snapshot || snapshot.warnings.length === 0) return;
  const { org, invitationId, warnings } = snapshot;
  report.warned += 1;
  if (report.warnings.length < MOST_WARNED) report.warnings.push({ line, org, invitationId, warnings });
}

interface Line {
  /** Counted from 1, as editors do. */
  number: number;
  body: Buffer;
  isTooLong: boolean;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Some editors begin a file of UTF-8 with it, and files put together have it in their midst. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** Throws `USAGE`: each of its lines alone would be told as bad, and none of them why. */
function refuseOtherFile(head: Buffer): void {
  const other = otherFileOf(head, /\{/);
  if (other === null) return;
  throw new AppError("USAGE", `the events are ${other.is}: an import takes NDJSON in UTF-8`, {
    hint: `Pipe the file through \`${other.cure}\` and import - (stdin).`,
  });
}

function withoutMark(line: Buffer): Buffer {
  return line.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)
    ? line.subarray(BYTE_ORDER_MARK.length)
    : line;
}

/** Lines as bytes, without their ends; never holds more than one line's limit, however long a line is. */
async function* linesOf(input: AsyncIterable<Buffer | string>): AsyncGenerator<Line> {
  let number = 1;
  let parts: Buffer[] = [];
  let size = 0;
  const add = (part: Buffer) => {
    size += part.length;
    if (size <= LONGEST_LINE_BYTES) parts.push(part);
  };
  const take = (): Line => {
    const isTooLong = size > LONGEST_LINE_BYTES;
    const whole = isTooLong ? Buffer.alloc(0) : Buffer.concat(parts);
    if (number === 1) refuseOtherFile(whole);
    const line = {
      number,
      isTooLong,
      body: withoutMark(whole.at(-1) === CARRIAGE_RETURN ? whole.subarray(0, -1) : whole),
    };
    number += 1;
    parts = [];
    size = 0;
    return line;
  };
  for await (const piece of input) {
    const chunk = typeof piece === "string" ? Buffer.from(piece) : piece;
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    add(chunk.subarray(from));
  }
  if (size > 0) yield take();
}
