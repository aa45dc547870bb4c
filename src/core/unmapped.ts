/** What a snapshot's tests say that no score is read from. It is kept; an operator hears of it. Pure. */
import { short } from "../shared/text.ts";
import type { Snapshot, Test, TestResult } from "./event.ts";
import { isScored, SCORES } from "./scores.ts";

/** Its result has no property of its own; a scorecard shows it as it came. */
const SHOWN_ONLY = "eq";
const SLUGS: ReadonlySet<string> = new Set(SCORES.map(({ slug }) => slug));

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
  if (slug === SHOWN_ONLY) return [];
  if (!SLUGS.has(slug))
    return [`the test ${quoted(slug)} is unknown: its result is kept and mapped to nothing`];
  if (isScored(test)) return unreadIn(slug, test.result).map((part) => wordsOf(slug, part));
  if (result !== null)
    return [`${slug} is ${status}, but has a result: it counts once the test is completed`];
  return status === "completed" ? [`${slug} is completed, but came without a result`] : [];
}

type Part = "score" | "type" | "code";
type Unread = { is: "dimension"; name: string; value: unknown } | { is: Part; value: unknown };

/** The parts of a result that no score is read from. A value that is no valid one is read, too: the push tells of that. */
function unreadIn(slug: string, { dimensions, score, type, code }: TestResult): Unread[] {
  const unread = dimensions ? unreadDimensions(slug, dimensions) : [];
  if (!isAbsent(score) && !isPart(slug, "score")) unread.push({ is: "score", value: score });
  if (!isAbsent(type) && !isPart(slug, "type")) unread.push({ is: "type", value: type });
  if (!isAbsent(code) && !isPart(slug, "code")) unread.push({ is: "code", value: code });
  return unread;
}

function unreadDimensions(slug: string, dimensions: NonNullable<TestResult["dimensions"]>): Unread[] {
  const unread: Unread[] = [];
  const names = new Set<string>();
  for (const { name, score: value } of dimensions) {
    if (isAbsent(value)) continue;
    const key = name.trim().toLowerCase();
    // Of two with one name the first is read.
    if (names.has(key) || !isDimension(slug, key)) unread.push({ is: "dimension", name, value });
    names.add(key);
  }
  return unread;
}

/** What scores are read from does not hang on its value, so each answer is found once; senders choose the names. */
const MOST_KNOWN = 1_000;
const isDimension = remembering((slug, name) => isRead(slug, { dimensions: [{ name, score: 0 }] }));
const isPart = remembering((slug, part) => isRead(slug, { [part]: 0 }));

function isRead(slug: string, alone: TestResult): boolean {
  return SCORES.some((score) => score.slug === slug && score.read(alone) !== null);
}

function remembering(find: (slug: string, name: string) => boolean): (slug: string, name: string) => boolean {
  const known = new Map(SCORES.map(({ slug }) => [slug, new Map<string, boolean>()]));
  return (slug, name) => {
    const answers = known.get(slug);
    const answer = answers?.get(name) ?? find(slug, name);
    if (answers && answers.size < MOST_KNOWN && name.length <= LONGEST_WORD) answers.set(name, answer);
    return answer;
  };
}

function isAbsent(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function wordsOf(slug: string, part: Unread): string {
  const { value } = part;
  const name = part.is === "dimension" ? `the dimension ${quoted(part.name)}` : `its ${part.is}`;
  return `${slug}: ${name} (${short(String(value), LONGEST_WORD)}) is kept and mapped to nothing`;
}

function quoted(text: string): string {
  return `"${short(text, LONGEST_WORD)}"`;
}
