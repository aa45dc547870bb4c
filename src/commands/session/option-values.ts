import { InvalidArgumentError } from "commander";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import { count } from "../../shared/text.ts";

/** A point in time as it was typed, ms since the epoch: where it names no zone, in UTC and by the machine's clock. */
export interface PointInTime {
  utc: number;
  local: number;
}

/** A date, a time, with or without a zone, `yesterday`, or how long ago, as `1h`; a bare date is its first moment, a bare time the last such one. */
export function timeReader(clock: Pick<Clock, "now">): (text: string) => PointInTime {
  return (text) => {
    const now = clock.now();
    const point = agoOf(text, now) ?? dayOf(text, now) ?? timeOfDay(text, now) ?? dateOf(text);
    if (point) return point;
    throw new InvalidArgumentError(
      "It is a date or a time, as 2026-11-01, 2026-11-01T09:30:00Z, 2026-11-01T09:30+02:00, 22:00, yesterday or 1h.",
    );
  };
}

/** For commands that know UTC alone and act on it: a time of day says whose it is. */
export function utcReader(clock: Pick<Clock, "now">): (text: string) => number {
  const read = timeReader(clock);
  return (text) => {
    if (/\d{2}:\d{2}(?::[\d.]+)?$/.test(text) && !/[+-]\d{2}:\d{2}$/.test(text))
      throw new InvalidArgumentError(
        "It lacks its zone, as in 2026-11-01T09:30:00Z, 2026-11-01T09:30+02:00 or 22:00Z.",
      );
    return read(text).utc;
  };
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1_000,
  min: 60_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

function agoOf(text: string, now: number): PointInTime | null {
  const [, n, unit = ""] = /^(\d{1,5}) ?(s|min|m|h|d|w)(?: ago)?$/.exec(text) ?? [];
  const ms = UNITS[unit];
  return n === undefined || ms === undefined
    ? null
    : { utc: now - Number(n) * ms, local: now - Number(n) * ms };
}

function dayOf(text: string, now: number): PointInTime | null {
  if (text === "now") return { utc: now, local: now };
  const back = ["today", "yesterday"].indexOf(text);
  if (back === -1) return null;
  const date = new Date(now);
  return {
    utc: Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() - back),
    local: new Date(date.getFullYear(), date.getMonth(), date.getDate() - back).getTime(),
  };
}

/** `22:00`: today's, or yesterday's where that is to come. */
function timeOfDay(text: string, now: number): PointInTime | null {
  if (!/^\d{2}:\d{2}(?::\d{2})? ?(?:Z|[+-]\d{2}(?::?\d{2})?)?$/.test(text)) return null;
  const dayAt = (back: number) => new Date(now - back * DAY_MS).toISOString().slice(0, 10);
  // By the machine's clock or in another zone it may be a day further already, or still one before.
  const days = [-1, 0, 1, 2].map((back) => dateOf(`${dayAt(back)}T${text}`));
  const [first] = days;
  if (!first) return null;
  const last = (of: keyof PointInTime) =>
    Math.max(...days.flatMap((day) => (day && day[of] <= now ? [day[of]] : [])));
  return { utc: last("utc"), local: last("local") };
}

const DAY_MS = 86_400_000;

function dateOf(text: string): PointInTime | null {
  const [, date = "", time = "00:00", zone] =
    /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/.exec(
      text,
    ) ?? [];
  const offset = zone?.replace(
    /^([+-]\d{2}):?(\d{2})?$/,
    (_, hours, minutes = "00") => `${hours}:${minutes}`,
  );
  const utc = Date.parse(`${date}T${time}${offset ?? "Z"}`);
  if (Number.isNaN(utc) || !isOnCalendar(date)) return null;
  return { utc, local: zone === undefined ? Date.parse(`${date}T${time}`) : utc };
}

/** `Date.parse` takes 30 February for 2 March. */
function isOnCalendar(date: string): boolean {
  return new Date(`${date}T00:00:00Z`).toISOString().startsWith(date);
}

export interface TimeFlags {
  since?: PointInTime;
  until?: PointInTime;
  local?: boolean;
}

/** As they were meant. Throws `USAGE` where nothing is between them. */
export function timesOf({ since, until, local }: TimeFlags): { since?: number; until?: number } {
  const meant = (point: PointInTime) => (local ? point.local : point.utc);
  const times = {
    ...(since === undefined ? {} : { since: meant(since) }),
    ...(until === undefined ? {} : { until: meant(until) }),
  };
  refuseEmptyTimes(times);
  return times;
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

/** A limit for what was asked for whole. */
export const WHOLE = Number.MAX_SAFE_INTEGER;
/** Further nobody counts. */
const COUNTED = 10_000;
export const COUNTED_AT_MOST = COUNTED + 1;

/** What is there beside what is shown, and how to see it; null where that is all. */
export function moreWords(more: number, noun: string): string | null {
  if (more <= 0) return null;
  const many = count(Math.min(more, COUNTED), `more ${noun}`);
  return `${more > COUNTED ? "over " : ""}${many}: --limit shows as many as you say, --all all of them`;
}

/** Leaves out what was not given, as the filters want it. */
export function defined<T extends object>(values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
