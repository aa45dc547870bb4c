/** What an administrator makes candidate properties of. */
import { isRecord } from "../../http.ts";

export interface Definition {
  id: string;
  /** The administrator's own name for it. */
  key: string;
  label: string;
  type: string;
}

/** As an administrator has made some of them before anybody connects. */
export const DEFAULT_DEFINITIONS: readonly Definition[] = [
  define(1, "jc_disc_d", "JC DISC — Dominance", "NUMBER"),
  define(2, "jc_disc_i", "JC DISC — Influence", "NUMBER"),
  define(3, "jc_disc_s", "JC DISC — Steadiness", "NUMBER"),
  define(4, "jc_disc_c", "JC DISC — Conscientiousness", "NUMBER"),
  define(5, "jc_mbti_type", "JC MBTI Type", "TEXT"),
  define(6, "jc_completed_at", "JC Completed At", "DATE"),
  define(7, "notice_period", "Notice period", "TEXT"),
];

function define(number: number, key: string, label: string, type: string): Definition {
  return { id: `5b1f0a4e-0000-4000-8000-${String(number).padStart(12, "0")}`, key, label, type };
}

export function isDefinitions(value: unknown): value is Definition[] {
  return (
    Array.isArray(value) &&
    value.every(
      (each) =>
        isRecord(each) && ["id", "key", "label", "type"].every((name) => typeof each[name] === "string"),
    )
  );
}
