import { count, plain, shortTime } from "../../shared/text.ts";

/**
 * What a refusal tells of its sender. `signature`: it was signed, by no secret of ours. `content`: ours signed it, and it is no
 * event that we take. `call`: nothing of it was signed, or looked at: anybody may call.
 */
export type RefusalKind = "signature" | "content" | "call";

/** What was refused of one source since it was last taken from. */
export interface RefusedSource {
  source: string;
  n: number;
  /** The most frequent first. */
  reasons: RefusedReason[];
  /** When the last one came, ms since the epoch. */
  lastAt: number;
  /** What is worth telling: whatever was signed, where the source once was good or insists; calls where they insist. */
  told: RefusalKind[];
}

export interface RefusedReason {
  reason: string;
  kind: RefusalKind;
  n: number;
  /** The minute the last one came in. */
  lastAt: number;
}

interface Refused {
  source: string;
  /** The minute it came in. */
  at: number;
  reason: string;
  kind: RefusalKind | null;
  n: number;
  settled: number;
}

interface Standing {
  source: string;
  takenAt: number | null;
  refusedAt: number | null;
}

/** A passer-by does not come back so often. */
const INSISTENT = 10;
const KINDS: readonly RefusalKind[] = ["signature", "content", "call"];

export function refusedSources(refused: readonly Refused[], standings: readonly Standing[]): RefusedSource[] {
  const open = refused.filter(({ n, settled }) => n > settled);
  return [...new Set(open.map(({ source }) => source))].map((source) => {
    const standing = standings.find((each) => each.source === source);
    const reasons = reasonsOf(open.filter((each) => each.source === source));
    const of = (kind: RefusalKind) =>
      reasons.filter((each) => each.kind === kind).reduce((sum, { n }) => sum + n, 0);
    const isInsistent = (kind: RefusalKind) => of(kind) >= INSISTENT;
    const wasGood = standing?.takenAt != null;
    return {
      source,
      n: reasons.reduce((sum, { n }) => sum + n, 0),
      reasons,
      lastAt: standing?.refusedAt ?? Math.max(...reasons.map(({ lastAt }) => lastAt)),
      told: KINDS.filter((kind) => isInsistent(kind) || (kind !== "call" && wasGood && of(kind) > 0)),
    };
  });
}

function reasonsOf(refused: readonly Refused[]): RefusedReason[] {
  const found = new Map<string, RefusedReason>();
  for (const { reason, kind, n, settled, at } of refused) {
    const known = found.get(reason) ?? { reason, kind: kind ?? "call", n: 0, lastAt: at };
    found.set(reason, { ...known, n: known.n + n - settled, lastAt: Math.max(known.lastAt, at) });
  }
  return [...found.values()].sort((a, b) => b.n - a.n);
}

const MOST_REASONS = 3;

/** `label`: as people write the source's name; `command`: what to type. */
export function refusedWords(
  { n, reasons, lastAt }: Pick<RefusedSource, "n" | "reasons" | "lastAt">,
  { label, command }: { label: string; command: string },
): string {
  const told = reasons
    .slice(0, MOST_REASONS)
    .map((each) => `${plain(each.reason)}${each.n > 1 ? ` (${each.n} times)` : ""}`);
  const more = reasons.length > MOST_REASONS ? "; …" : "";
  return `${count(n, "webhook")} of ${label} refused, the last at ${shortTime(lastAt)}: ${told.join("; ")}${more}. ${command}`;
}
