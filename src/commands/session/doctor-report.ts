/** What `doctor` prints for people: the worst first, and what to type at the end. */
import type { Area, Finding } from "../../flows/doctor/finding.ts";
import type { Mended } from "../../flows/doctor/mend.ts";
import type { Terminal } from "../../shared/terminal.ts";
import { count, listed, plain } from "../../shared/text.ts";

interface Report {
  areas: readonly Area[];
  /** Those of them that were looked at and found good. */
  well: readonly Area[];
  /** In the order of their weight. */
  findings: readonly Finding[];
  mended: readonly Mended[];
  isPart: boolean;
  place: { org: string | null; environment: string | null };
}

const LABEL_COLUMNS = 16;

export function renderReport(
  { areas, well, findings, mended, isPart, place }: Report,
  { paint }: Pick<Terminal, "paint">,
): string {
  // With the blank behind it, by which a line that goes on below is indented.
  const marks = { error: paint.red("✗ "), warning: paint.yellow("! "), note: paint.dim("· ") };
  const [serious, notes] = [
    findings.filter(({ level }) => level !== "note"),
    findings.filter(({ level }) => level === "note"),
  ];
  const where =
    place.org === null
      ? ""
      : `${paint.bold(place.org)}${place.environment === "sandbox" ? " (sandbox)" : ""}  `;
  const unlooked = areas.flatMap(({ label, notLookedAt: why }) =>
    why === null ? [] : [{ label, calm: why }],
  );
  const lines = [
    `${where}${verdict(serious, { isAll: unlooked.length === 0 && !isPart })}`,
    ...mended.map(({ did, problem }) =>
      did === null ? `${marks.error}not mended: ${problem?.message ?? ""}` : `${paint.green("✓ ")}${did}`,
    ),
    "",
    ...serious.flatMap((each) => [...blockOf(each, { mark: marks[each.level], paint }), ""]),
    ...(serious.length === 0 ? [...well.map((area) => calmLine(area, { mark: paint.green("✓ ") })), ""] : []),
    ...notes.flatMap((each) => blockOf(each, { mark: marks.note, paint })),
    ...(notes.length > 0 ? [""] : []),
    ...(serious.length > 0 && well.length > 0
      ? [paint.dim(`Well: ${listed(well.map(({ label }) => label))}.`), ""]
      : []),
    ...(unlooked.length > 0
      ? [paint.dim("Not looked at:"), ...unlooked.map((area) => calmLine(area, { mark: marks.note })), ""]
      : []),
    ...(isPart ? [paint.dim("All else is looked at once the configuration is right."), ""] : []),
  ];
  const next = serious.find(({ code, command }) => code === null && command !== null);
  // Where there is a fault, what to type stands in the error that follows.
  const last = serious.every(({ code }) => code === null) && next ? [`→ ${next.command}`] : [];
  return [...lines, ...last].join("\n").trimEnd();
}

function verdict(serious: readonly Finding[], { isAll }: { isAll: boolean }): string {
  const faults = serious.filter(({ level }) => level === "error").length;
  const warnings = serious.length - faults;
  const parts = [
    ...(faults > 0 ? [count(faults, "fault")] : []),
    ...(warnings > 0 ? [count(warnings, "warning")] : []),
  ];
  if (parts.length > 0) return parts.join(", ");
  return isAll ? "all is well" : "what was looked at is well";
}

function blockOf(
  { level, what, why, command, who }: Finding,
  { mark, paint }: { mark: string; paint: Terminal["paint"] },
): string[] {
  return [
    `${mark}${sentence(plain(what))}`,
    // In one glance: what is only left to be done has its reason in the JSON.
    ...(level === "note" && command !== null ? [] : [`  ${paint.dim(plain(why))}`]),
    ...(who === null ? [] : [`  ${plain(who)}`]),
    // Whole, so that it can be copied.
    ...(command === null ? [] : [`  ${paint.cyan("→")} ${command}`]),
  ];
}

function sentence(text: string): string {
  return /^[a-z]+[ ,]/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}

function calmLine({ label, calm }: Pick<Area, "label" | "calm">, { mark }: { mark: string }): string {
  const head = label.padEnd(LABEL_COLUMNS);
  return `${mark}${head}${plain(calm)}`;
}
