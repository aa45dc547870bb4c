import type { NewEvent } from "../../core/event.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Store } from "../../store/contract/store.ts";
import { EventRefused, type Source } from "../../vendors/contract/source.ts";
import { readEvent } from "./read-event.ts";

/** Feeds a source's events from NDJSON. Bad lines are reported by number and reason; the good ones go in. */
export interface ImportReport {
  read: number;
  stored: number;
  known: number;
  /** How many of the stored ones each org got: a file may hold several orgs' events. */
  orgs: Record<string, number>;
  bad: { line: number; reason: string }[];
}

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
  const report: ImportReport = { read: 0, stored: 0, known: 0, orgs: {}, bad: [] };
  const orgs = new Map<string, number>();
  let batch: { line: number; event: NewEvent }[] = [];

  const commit = async () => {
    const results = await store.append(batch.map(({ event }) => event));
    for (const [index, { outcome }] of results.entries()) {
      const org = batch[index]?.event.snapshot?.org;
      if (outcome === "stored") {
        report.stored += 1;
        if (org !== undefined) orgs.set(org, (orgs.get(org) ?? 0) + 1);
      } else if (outcome === "known") report.known += 1;
      else report.bad.push({ line: batch[index]?.line ?? 0, reason: "could not be stored" });
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

interface Line {
  /** Counted from 1, as editors do. */
  number: number;
  body: Buffer;
  isTooLong: boolean;
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

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
    const line = {
      number,
      isTooLong,
      body: whole.at(-1) === CARRIAGE_RETURN ? whole.subarray(0, -1) : whole,
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
