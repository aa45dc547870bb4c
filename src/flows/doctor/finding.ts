/** What `doctor` found: what is wrong, why that matters, and what mends it. Pure. */
import { type AppError, ERROR_CODES, type ErrorCode } from "../../shared/errors.ts";

/** `note`: nothing is wrong, and something is left to be done. */
export type Level = "error" | "warning" | "note";

export interface Finding {
  /** The same in every release, as `hubspot.scopes`. */
  id: string;
  level: Level;
  what: string;
  why: string;
  /** Typed as it stands it mends it; null where no command can. */
  command: string | null;
  /** Who does what where, for what no command mends; null where the command does all. */
  who: string | null;
  /** What the process ends with on its account; null where it is no fault. */
  code: ErrorCode | "BUG" | null;
  /** What `--fix` may do about it; absent where a person must decide. */
  remedy?: Remedy;
}

export type Remedy =
  | { does: "back up" }
  | { does: "create fields"; vendor: string }
  | { does: "subscribe"; vendor: string };

/** One part of the installation: what was found there, or in a few words how it stands. */
export interface Area {
  id: string;
  label: string;
  findings: Finding[];
  calm: string;
  /** Why it was not looked at, or not to its end; null where it was, or a finding says it. */
  notLookedAt: string | null;
}

/** Only what was looked at and found good. */
export function isWell({ findings, notLookedAt }: Pick<Area, "findings" | "notLookedAt">): boolean {
  return notLookedAt === null && findings.every(({ level }) => level === "note");
}

type Words = Pick<Finding, "what" | "why"> & Partial<Pick<Finding, "command" | "who" | "remedy">>;

export function fault(id: string, code: NonNullable<Finding["code"]>, words: Words): Finding {
  return { ...finding(id, "error", words), code };
}

export function warning(id: string, words: Words): Finding {
  return finding(id, "warning", words);
}

export function note(id: string, words: Words): Finding {
  return finding(id, "note", words);
}

function finding(id: string, level: Level, words: Words): Finding {
  return { id, level, command: null, who: null, code: null, ...words };
}

/** An error as a fault of its own; its hint is a command, or says who does what. */
export function faultOf(id: string, { code, message, hint }: AppError, why: string): Finding {
  return fault(id, code, { what: message, why, ...fixIn(hint) });
}

/** A hint that a shell takes as it stands is a command. */
export function fixIn(hint: string | undefined): Pick<Finding, "command" | "who"> {
  if (!hint) return { command: null, who: null };
  const isCommand =
    /^(?:sudo (?!-)|cd |chmod |jc-integrations (?!.*[,;] ))/.test(hint) && !hint.endsWith(".");
  return isCommand ? { command: hint, who: null } : { command: null, who: hint };
}

export function area(
  id: string,
  label: string,
  {
    found,
    calm,
    notLookedAt = null,
  }: { found: readonly (Finding | null)[]; calm: string; notLookedAt?: string | null },
): Area {
  const findings = found.filter((each) => each !== null);
  const isTold = findings.some(({ level }) => level !== "note");
  return { id, label, findings, calm, notLookedAt: isTold ? null : notLookedAt };
}

/** The order in which exit codes count: a bug, what is ours to set right, the vault, a login, a vendor, a part. */
const WORST_FIRST: readonly number[] = [1, 2, 5, 4, 6, 7, 3, 0];
const LEVELS: readonly Level[] = ["error", "warning", "note"];

export function exitOf({ code }: Pick<Finding, "code">): number {
  if (code === null) return 0;
  return code === "BUG" ? 1 : ERROR_CODES[code].exit;
}

/** The worst first; those that are alike stay in the order of the areas. */
export function byWeight(areas: readonly Area[]): Finding[] {
  const weight = (each: Finding) =>
    WORST_FIRST.indexOf(exitOf(each)) * LEVELS.length + LEVELS.indexOf(each.level);
  return areas.flatMap(({ findings }) => findings).toSorted((a, b) => weight(a) - weight(b));
}
