/** The vendor settings a person may change over `/_control/{vendor}/settings`, checked before any is applied. */
import { isRecord } from "./http.ts";

/** Checks a value and gives back how to apply it; text is what was wrong with it. */
export type Setting = (value: unknown) => (() => void) | string;

export interface Settings {
  /** Every setting with its present value. */
  read(): Record<string, unknown>;
  /** In the order in which they take effect. */
  accept: Readonly<Record<string, Setting>>;
}

export function setting<T>(
  expected: string,
  isValid: (value: unknown) => value is T,
  apply: (value: T) => void,
): Setting {
  return (value) => (isValid(value) ? () => apply(value) : expected);
}

/** Applies all that was posted, or nothing. Returns what was wrong. */
export function changeSettings(settings: Settings, input: unknown): string | undefined {
  if (!isRecord(input)) return "settings are a JSON object";
  const known = Object.keys(settings.accept);
  const unknown = Object.keys(input).find((name) => !known.includes(name));
  if (unknown !== undefined) return `unknown setting "${unknown}"; known: ${known.join(", ") || "none"}`;
  const changes: (() => void)[] = [];
  for (const [name, check] of Object.entries(settings.accept)) {
    if (!(name in input)) continue;
    const change = check(input[name]);
    if (typeof change === "string") return `"${name}" must be ${change}`;
    changes.push(change);
  }
  for (const change of changes) change();
  return undefined;
}

export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

export function orNull<T>(isValid: (value: unknown) => value is T): (value: unknown) => value is T | null {
  return (value): value is T | null => value === null || isValid(value);
}
