import { isoTime } from "../../shared/clock.ts";

/** Points in time for people: in UTC, or by the clock of the machine (`--local`). */
export interface ShownTime {
  /** "2026-11-22". */
  day(at: number): string;
  /** "10:15:03". */
  clock(at: number): string;
  /** "2026-11-22 10:15 UTC". */
  minute(at: number): string;
  /** "2026-11-22 10:15:03 UTC". */
  second(at: number): string;
  /** Whose time it is: "UTC", or "UTC+01:00" as of that moment. */
  zone(at: number): string;
}

export const LOCAL_OPTION = "--local";
export const LOCAL_WORDS = "times by this machine's clock, not in UTC";

export function shownTime(isLocal: boolean | undefined): ShownTime {
  const text = (at: number) => isoTime(at - (isLocal ? offsetOf(at) : 0) * 60_000);
  const zone = (at: number) => (isLocal ? zoneOf(offsetOf(at)) : "UTC");
  return {
    day: (at) => text(at).slice(0, 10),
    clock: (at) => text(at).slice(11, 19),
    minute: (at) => `${text(at).slice(0, 16).replace("T", " ")} ${zone(at)}`,
    second: (at) => `${text(at).slice(0, 19).replace("T", " ")} ${zone(at)}`,
    zone,
  };
}

/** Minutes to be added to the local time for UTC. */
function offsetOf(at: number): number {
  return new Date(at).getTimezoneOffset();
}

function zoneOf(offset: number): string {
  const minutes = Math.abs(offset);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((n) => String(n).padStart(2, "0"));
  return `UTC${offset > 0 ? "-" : "+"}${hours}:${rest}`;
}
