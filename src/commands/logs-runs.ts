import { isPlaceholder } from "../core/erasure.ts";
import { isoTime } from "../shared/clock.ts";
import type { Terminal } from "../shared/terminal.ts";
import { grouped, maskEmail, plain, shortTime } from "../shared/text.ts";
import type { Run } from "../store/contract/store.ts";
import { logToRead } from "./session/log-to-read.ts";
import { WHOLE } from "./session/option-values.ts";
import type { Session } from "./session/with-app.ts";

interface Flags {
  limit: number;
  all?: boolean;
  reveal?: boolean;
}

/** `logs --runs`: who sent what again, and what became of it. */
export async function showRuns(session: Session, flags: Flags): Promise<void> {
  const { app, terminal, print } = session;
  const store = await logToRead(session);
  const runs = (await store?.runs(app.org, flags.all ? WHOLE : flags.limit)) ?? [];
  print({
    json: {
      runs: runs.map((run) => ({
        ...run,
        filter: shownFilter(run, flags),
        startedAt: isoTime(run.startedAt),
        endedAt: run.endedAt === null ? null : isoTime(run.endedAt),
      })),
    },
    text: () => (runs.length === 0 ? "No replay or backfill yet." : renderRuns(runs, flags, terminal)),
  });
}

function shownFilter({ filter }: Run, { reveal }: Flags): Run["filter"] {
  const { email } = filter;
  if (reveal || typeof email !== "string" || isPlaceholder(email)) return filter;
  return { ...filter, email: maskEmail(email) };
}

function renderRuns(runs: readonly Run[], flags: Flags, { table }: Terminal): string {
  const rows = runs.map((run) => [
    shortTime(run.startedAt),
    run.command,
    plain(run.who),
    plain(filterWords(shownFilter(run, flags))),
    countsOf(run),
    run.endedAt === null ? "interrupted or under way" : "ended",
  ]);
  return table(
    [
      { name: "started", whole: true },
      "command",
      { name: "who", drop: 1 },
      { name: "filter", drop: 2 },
      "counts",
      { name: "state", drop: 3 },
    ],
    rows,
  );
}

const SHOWN_IDS = 3;

/** As it was typed, so that it can be typed again: `status rejected, since 2026-11-01`. */
function filterWords({ invitationIds, state, includeInProgress, ...rest }: Run["filter"]): string {
  const ids = Array.isArray(invitationIds) ? invitationIds.map(String) : [];
  const more = ids.length - SHOWN_IDS;
  const parts = [
    ...ids.slice(0, SHOWN_IDS),
    ...(more > 0 ? [`${grouped(more)} more`] : []),
    ...(state === undefined ? [] : [`status ${state}`]),
    ...Object.entries(rest).map(
      ([name, value]) => `${name} ${typeof value === "number" ? day(value) : value}`,
    ),
    ...(includeInProgress === true ? ["include in progress"] : []),
  ];
  return parts.join(", ") || "–";
}

/** "2026-11-01", or "2026-11-01T09:30:00Z" within a day. */
function day(at: number): string {
  return isoTime(at)
    .replace(/\.000Z$/, "Z")
    .replace(/T00:00:00Z$/, "");
}

function countsOf({ counts }: Run): string {
  if (!counts) return "–";
  const { queued, delivered, rejected, held = 0, skipped } = counts;
  const parts = [`${queued} queued`, `${delivered} delivered`, `${rejected} rejected`, `${held} held`];
  return [...parts, ...(skipped > 0 ? [`${skipped} held before`] : [])].join(", ");
}
