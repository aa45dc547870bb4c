import type { Invite } from "../../core/invite.ts";
import type { EraseRequest, Person, ToldAccount } from "../contract/erasure.ts";

/** Rows of one org that name a person, by table. */
export type MentionsByTable = Map<string, Record<string, unknown>[]>;

/** How far each large table was looked through. */
export type LookedThrough = Record<string, number>;

/** Rows that are a person's, by their numbers, and rows of others that name them. */
export interface Theirs {
  person: Omit<Person, "rows">;
  invites: number[];
  events: number[];
  pushes: number[];
  /** To be scrubbed. */
  named: MentionsByTable;
}

/** Small tables are looked through whole both times. */
export function together(a: MentionsByTable, b: MentionsByTable): MentionsByTable {
  const rows = (table: string) => [...(a.get(table) ?? []), ...(b.get(table) ?? [])];
  return new Map([...new Set([...a.keys(), ...b.keys()])].map((table) => [table, rows(table)]));
}

export function hasMore(person: Person, known: EraseRequest["known"]): boolean {
  const isNew = <Name>(names: readonly Name[], before: readonly Name[]) => {
    const texts = new Set(before.map((each) => JSON.stringify(each)));
    return names.some((each) => !texts.has(JSON.stringify(each)));
  };
  return (
    isNew(person.addresses, known.addresses) ||
    isNew(person.invitationIds, known.invitationIds) ||
    isNew(person.candidates, known.candidates)
  );
}

/** Where invites say that their candidates are at a vendor. */
export function placesIn(vendor: string, invites: readonly Invite[]): ToldAccount["places"] {
  const all = invites.flatMap(({ origin, assigned }) => [origin ?? [], assigned ?? []].flat());
  const here = all.filter((each) => each.vendor === vendor);
  return distinct(here.map(({ candidateId, jobId }) => ({ candidateId, jobId: jobId ?? null })));
}

export function candidateOf({ origin, assigned }: Invite): Person["candidates"] {
  return [origin, assigned].flatMap((each) =>
    each ? [{ vendor: each.vendor, candidateId: each.candidateId }] : [],
  );
}

export function distinct<Item>(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

export function dropIds(named: MentionsByTable, table: string, ids: ReadonlySet<number>): void {
  const left = (named.get(table) ?? []).filter(({ id }) => !ids.has(Number(id)));
  if (left.length > 0) named.set(table, left);
  else named.delete(table);
}

export function summed(counts: readonly [string, number][]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [table, n] of counts) if (n > 0) sums[table] = (sums[table] ?? 0) + n;
  return sums;
}
