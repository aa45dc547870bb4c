/** What a snapshot's tests say that no score is read from. It is kept; an operator hears of it. Pure. */
import { short } from "../shared/text.ts";
import type { Snapshot, Test, TestResult } from "./event.ts";
import { isScored, SCORES } from "./scores.ts";

/** Its result has no property of its own; a scorecard shows it as it came. */
const SHOWN_ONLY = ["eq"];

/** A body may be 1 MiB of dimensions that nobody knows. */
const MOST_WARNINGS = 20;
const LONGEST_WORD = 80;

/** The snapshot with one warning, in words and with the value, for each part of a test that goes nowhere. */
export function withUnmapped(snapshot: Snapshot): Snapshot {
  const found = snapshot.tests.flatMap(unmappedIn);
  if (found.length === 0) return snapshot;
  const more = found.length - MOST_WARNINGS;
  const shown = more > 0 ? [...found.slice(0, MOST_WARNINGS), `and ${more} more of its kind`] : found;
  return { ...snapshot, warnings: [...snapshot.warnings, ...shown] };
}

function unmappedIn(test: Test): string[] {
  const { slug, status, result } = test;
  if (SHOWN_ONLY.includes(slug)) return [];
  if (SCORES.every((score) => score.slug !== slug))
    return [`the test ${quoted(slug)} is unknown: its result is kept and mapped to nothing`];
  if (isScored(test))
    return partsOf(test.result).flatMap((part) => (isRead(slug, part) ? [] : [wordsOf(slug, part)]));
  if (result !== null)
    return [`${slug} is ${status}, but has a result: it counts once the test is completed`];
  return status === "completed" ? [`${slug} is completed, but came without a result`] : [];
}

interface Part {
  /** As people see it: `score`, or a dimension's name. */
  name: string;
  value: unknown;
  /** A result that holds this part alone. */
  alone: TestResult;
}

function partsOf({ dimensions = [], score, type, code }: TestResult): Part[] {
  const names = new Set<string>();
  const ofDimensions = dimensions.map(({ name, score: value }): Part => {
    const key = name.trim().toLowerCase();
    // Of two with one name the first is read.
    const alone = names.has(key) ? {} : { dimensions: [{ name, score: value }] };
    names.add(key);
    return { name: `the dimension ${quoted(name)}`, value, alone };
  });
  const others: Part[] = [
    { name: "its score", value: score, alone: { score } },
    { name: "its type", value: type, alone: { type } },
    { name: "its code", value: code, alone: { code } },
  ];
  return [...ofDimensions, ...others].filter(({ value }) => value !== null && value !== undefined);
}

/** A value that is no valid one is read, too: the push tells of that. */
function isRead(slug: string, { alone }: Part): boolean {
  return SCORES.some((score) => score.slug === slug && score.read(alone) !== null);
}

function wordsOf(slug: string, { name, value }: Part): string {
  return `${slug}: ${name} (${short(String(value), LONGEST_WORD)}) is kept and mapped to nothing`;
}

function quoted(text: string): string {
  return `"${short(text, LONGEST_WORD)}"`;
}
