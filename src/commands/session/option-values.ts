import { InvalidArgumentError } from "commander";
import { AppError } from "../../shared/errors.ts";

/** ISO 8601; a bare date is its first moment in UTC. */
export function readTime(text: string): number {
  const [, date, time] =
    /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/.exec(text) ?? [];
  const at = Date.parse(`${date}${time ?? "T00:00:00Z"}`);
  if (!Number.isNaN(at) && isOnCalendar(date)) return at;
  throw new InvalidArgumentError("It is a date or a time, as 2026-11-01 or 2026-11-01T09:30:00Z.");
}

/** `Date.parse` takes 30 February for 2 March. */
function isOnCalendar(date = ""): boolean {
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}

export function readCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 1.");
}

/** Two times that leave nothing between them: an empty answer would be no news. */
export function refuseEmptyTimes({ since, until }: { since?: number; until?: number }): void {
  if (since === undefined || until === undefined || since < until) return;
  throw new AppError("USAGE", "--since is not before --until", {
    hint: "--until is exclusive: for one day, as --since 2026-11-01 --until 2026-11-02.",
  });
}

/** `--limit`: how much of the newest to show. */
export function readLimit(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number from 1 to 99999.");
}
