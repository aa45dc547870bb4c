/**
 * Makes a text from outside harmless in a terminal, a table or a log line: no control characters, no colour
 * codes, no line breaks, no reversed reading direction (CWE-150).
 */
export function plain(text: string): string {
  return text.replace(UNPRINTABLE, " ");
}

const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}\p{Cs}]/gu;

/** The same for a whole text of our own, whose lines and colours stay: what somebody forgot ends here. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE_OR_COLOUR, (found) => (found === "\n" || found.length > 2 ? found : " "));
}

const UNPRINTABLE_OR_COLOUR = new RegExp(`\u001b\\[[0-9;]{0,20}m|${UNPRINTABLE.source}`, "gu");

/** JSON in which a terminal finds nothing to obey: C1, DEL and what turns the reading direction come escaped, too. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(UNPRINTABLE, (found) =>
    found.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}

/** One cell of a table, or one word of a line: made plain, and not longer than a person reads. */
export function short(text: string, longest = 320): string {
  return plain(text.length > longest ? `${text.slice(0, longest)}…` : text);
}

/** The text up to so many characters; what is cut in the middle of a word loses the word, which may be an address. */
export function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const head = text.slice(0, longest);
  const end = head.search(/\s\S*$/);
  return `${head.slice(0, Math.max(0, end))}…`;
}

/** Of an address of any length so much is shown. */
const LONGEST_MASKED = 320;

/** Hides who is meant, keeps what an operator needs to tell two apart: `a…@example.org`. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf("@");
  if (at < 1) return "…";
  const [first = ""] = email.slice(0, 2);
  return `${first}…${email.slice(at, at + LONGEST_MASKED)}`;
}

/** Of a name its first letter is left: `A…`. */
export function maskName(name: string): string {
  const [first = ""] = name.trim();
  return `${first}…`;
}

/** The same for every address within a text, as a vendor's words may hold them. */
export function maskEmailsIn(text: string): string {
  return text.replace(/[^\s"'<>()[\],;:=]+/g, (word) => (/.@./s.test(word) ? maskEmail(word) : word));
}

/** The same for whatever was given as an address, in whichever case the text has it. */
export function maskAll(text: string, email: string): string {
  const [lowText, lowEmail] = [lowered(text), lowered(email)];
  const parts: string[] = [];
  let from = 0;
  for (
    let at = lowText.indexOf(lowEmail);
    at !== -1 && lowEmail !== "";
    at = lowText.indexOf(lowEmail, from)
  ) {
    parts.push(text.slice(from, at), maskEmail(email));
    from = at + email.length;
  }
  return parts.join("") + text.slice(from);
}

/** In lower case, each character where it was: some would become two. */
function lowered(text: string): string {
  const low = text.toLowerCase();
  if (low.length === text.length) return low;
  return text.replace(/[\s\S]/g, (unit) => (unit.toLowerCase().length === 1 ? unit.toLowerCase() : unit));
}

/** "12,345". Not `toLocaleString`: its first use loads 20 ms worth of locales. */
export function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "280 MB"; below one, in kB. */
export function shortBytes(bytes: number): string {
  const MB = 1024 * 1024;
  return bytes >= MB ? `${grouped(Math.round(bytes / MB))} MB` : `${Math.ceil(bytes / 1024)} kB`;
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
