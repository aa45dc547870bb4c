import { count, plain, shortTime } from "../../shared/text.ts";

/** What was refused of one source since it was last taken from. */
export interface RefusedSource {
  source: string;
  n: number;
  /** The most frequent first. */
  reasons: { reason: string; n: number }[];
  /** When the last one came, ms since the epoch. */
  lastAt: number;
  /** It is worth a banner: the source once was good, or insists. */
  isTold: boolean;
}

interface Refused {
  source: string;
  /** The minute it came in. */
  at: number;
  reason: string;
  n: number;
}

interface Standing {
  source: string;
  takenAt: number | null;
  refusedAt: number | null;
}

const MINUTE_MS = 60_000;
/** A passer-by does not come back so often. */
const INSISTENT = 10;

export function refusedSources(refused: readonly Refused[], standings: readonly Standing[]): RefusedSource[] {
  const bySource = new Map<string, Refused[]>();
  for (const each of refused) bySource.set(each.source, [...(bySource.get(each.source) ?? []), each]);
  return [...bySource].flatMap(([source, all]) => {
    const standing = standings.find((each) => each.source === source);
    const takenAt = standing?.takenAt ?? null;
    const lastAt = standing?.refusedAt ?? Math.max(...all.map(({ at }) => at));
    if (takenAt !== null && lastAt <= takenAt) return [];
    const since = all.filter(({ at }) => takenAt === null || at + MINUTE_MS > takenAt);
    const n = since.reduce((sum, each) => sum + each.n, 0);
    return [{ source, n, reasons: reasonsOf(since), lastAt, isTold: takenAt !== null || n >= INSISTENT }];
  });
}

function reasonsOf(refused: readonly Refused[]): RefusedSource["reasons"] {
  const counts = new Map<string, number>();
  for (const { reason, n } of refused) counts.set(reason, (counts.get(reason) ?? 0) + n);
  return [...counts].map(([reason, n]) => ({ reason, n })).sort((a, b) => b.n - a.n);
}

const MOST_REASONS = 3;

/** `label`: as people write the source's name; `command`: what to type. */
export function refusedWords(
  { n, reasons, lastAt }: RefusedSource,
  { label, command }: { label: string; command: string },
): string {
  const told = reasons
    .slice(0, MOST_REASONS)
    .map((each) => `${plain(each.reason)}${each.n > 1 ? ` (${each.n} times)` : ""}`);
  const more = reasons.length > MOST_REASONS ? "; …" : "";
  return `${count(n, "webhook")} of ${label} refused, the last at ${shortTime(lastAt)}: ${told.join("; ")}${more}. ${command}`;
}
