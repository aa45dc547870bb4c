import { ERASURE_RULES, LARGE_TABLES, type TableRule } from "../../rows/erasure-rules.ts";

/** The tables of this store in which an address may stand, by the rules that both stores share. */
export interface LookedTable {
  name: string;
  key: readonly string[];
  /** No two rows have the same in these: where scrubbing makes them so, the other one makes way. */
  unique: readonly string[];
  /** Those that are looked through. */
  columns: readonly string[];
  isLarge: boolean;
  /** Whose a row `t` is, in SQL; null where it is nobody's in particular. */
  org: string | null;
}

/** Where it is not the key. */
const UNIQUE: Readonly<Record<string, readonly string[]>> = { alerts: ["key"] };

/** Where the shared rule's SQL is SQLite's. */
const ORG: Readonly<Record<string, string>> = {
  events:
    "coalesce((SELECT i.org FROM jc.invites i WHERE i.id = t.invite_id), (SELECT c.org FROM jc.confirmations c WHERE c.seq = t.seq))",
  pushes: "(SELECT c.org FROM jc.connections c WHERE c.id = t.connection_id)",
  attempts:
    "(SELECT c.org FROM jc.pushes p JOIN jc.connections c ON c.id = p.connection_id WHERE p.id = t.push_id)",
};

export const LOOKED_THROUGH: readonly LookedTable[] = Object.entries(ERASURE_RULES).flatMap(
  ([name, rule]) => {
    const columns = namesOf(rule);
    if (columns.length === 0) return [];
    const isLarge = LARGE_TABLES.some((each) => each === name);
    const org = ORG[name] ?? (rule.org === undefined ? null : `t.${rule.org}`);
    return [{ name, key: rule.key, unique: UNIQUE[name] ?? rule.key, columns, isLarge, org }];
  },
);

function namesOf({ columns }: TableRule): string[] {
  return Object.entries(columns).flatMap(([name, how]) => (how === "looked through" ? [name] : []));
}

/** Whose an event of an unknown type says it is; PostgreSQL reads no JSON with a null character in it. */
export function orgIn(payload: unknown): string | null {
  if (typeof payload !== "string") return null;
  try {
    const { org } = Object(Object(JSON.parse(payload)).data);
    return typeof org === "string" ? org : null;
  } catch {
    return null;
  }
}

/** As text, whatever the column is. */
export const asText = (name: string) => (name === "details" ? "t.details::text AS details" : `t.${name}`);

/** A condition that names one row, its key's values from `$first` on. */
export function isRow({ key }: Pick<LookedTable, "key">, first: number): string {
  return key.map((name, index) => `t.${name} IS NOT DISTINCT FROM $${first + index}`).join(" AND ");
}
