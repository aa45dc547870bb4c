/**
 * Makes a text from outside harmless in a terminal, a table or a log line: no control characters, no colour
 * codes, no line breaks, no reversed reading direction (CWE-150).
 */
export function plain(text: string): string {
  return text.replace(UNPRINTABLE, " ");
}

const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Hides who is meant, keeps what an operator needs to tell two apart: `a…@example.org`. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf("@");
  return at < 1 ? "…" : `${email.slice(0, 1)}…${email.slice(at)}`;
}

/** The same for every address within a text, as a vendor's words may hold them. */
export function maskEmailsIn(text: string): string {
  return text.replace(/[^\s"'<>()[\],;:=]+@[^\s"'<>()[\],;:]+/g, maskEmail);
}

/** "12,345". Not `toLocaleString`: its first use loads 20 ms worth of locales. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "3 results", "1 result". */
export function count(n: number, noun: string): string {
  return `${grouped(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** "just now", "4 min ago", "3 h ago", "in 25 min"; a date beyond two days. */
export function relativeTime(at: number, now: number): string {
  const seconds = Math.round(Math.abs(now - at) / 1_000);
  const isPast = at <= now;
  if (seconds < 5) return "just now";
  const words =
    seconds < 60
      ? `${seconds} s`
      : seconds < 3_600
        ? `${Math.round(seconds / 60)} min`
        : seconds < 48 * 3_600
          ? `${Math.round(seconds / 3_600)} h`
          : null;
  if (words === null) return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return isPast ? `${words} ago` : `in ${words}`;
}

/** "2026-11-22 10:15 UTC". */
export function shortTime(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** "HubSpot's", "SmartRecruiters'" */
export function possessive(name: string): string {
  return name.endsWith("s") ? `${name}'` : `${name}'s`;
}

/** "HubSpot", "HubSpot and SmartRecruiters", "HubSpot, SmartRecruiters and Telegram" */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}
