import { addressName, candidateName, inviteName, namesIn } from "../../core/erasure.ts";
import type { NewEvent } from "../../core/event.ts";
import type { PeoplePage, Store } from "../../store/contract/store.ts";
import type { VaultErasure } from "./kept.ts";
import type { Marker } from "./marks.ts";

/** What the vault knows of erasures; `marker` is null where nobody was erased, or the key is gone. */
export interface KnownErasures {
  kept: readonly VaultErasure[];
  marker: Marker | null;
}

export interface ErasedAgain {
  /** How many were found in the log, and taken out. */
  people: number;
  /** So many were erased that nobody can know again, since the key of their hashes is gone. */
  unknown: number;
  /** Is that subject an erased person's address? */
  isErased(org: string, address: string): boolean;
  /** As the store knows erased people's events. */
  marked(event: NewEvent): NewEvent;
}

/**
 * Takes out of a log whoever was erased since it was written, by their hashes alone: of everybody in it the hashes are made
 * and compared.
 */
export async function eraseAgain(
  store: Pick<Store, "keepErasures" | "erasures" | "people" | "person" | "erase">,
  { kept, marker }: KnownErasures,
): Promise<ErasedAgain> {
  await store.keepErasures(kept);
  const all = await store.erasures();
  const erasures = new Map(all.map((each) => [each.mark, each]));
  const nobody = { people: 0, isErased: () => false, marked: (event: NewEvent) => ({ ...event, marks: [] }) };
  if (marker === null) return { ...nobody, unknown: peopleOf(all) };
  const erasureOf = createErasureOf(erasures, marker);
  const found = new Map<string, { org: string; address: string; person: string; at: number }>();
  for (let after: string | null = null, isEnd = erasures.size === 0; !isEnd; ) {
    const page: PeoplePage = await store.people(after);
    for (const each of page.people) {
      const erasure = erasureOf(each);
      const { org, address } = each;
      if (erasure) found.set(`${org}/${address}`, { org, address, person: erasure.person, at: erasure.at });
    }
    after = page.next;
    isEnd = after === null;
  }
  for (const each of found.values()) await eraseOne(store, marker, each);
  return {
    people: found.size,
    unknown: 0,
    isErased: (org, address) => erasures.has(marker([addressName(org, address)])[0] ?? ""),
    marked: (event) => ({ ...event, marks: marker(namesIn(event)) }),
  };
}

/** How many of these people `eraseAgain` would find, and how many nobody can know again; nothing is changed. */
export function erasedAmong(
  { kept, marker }: KnownErasures,
  old: readonly { mark: string; person: string }[],
  pages: Iterable<PeoplePage["people"]>,
): Pick<ErasedAgain, "people" | "unknown"> {
  const all = [...old, ...kept.flatMap(({ person, marks }) => marks.map((mark) => ({ mark, person })))];
  if (marker === null) return { people: 0, unknown: peopleOf(all) };
  const erasureOf = createErasureOf(new Map(all.map((each) => [each.mark, each])), marker);
  const found = new Set<string>();
  for (const page of all.length === 0 ? [] : pages)
    for (const each of page) if (erasureOf(each)) found.add(`${each.org}/${each.address}`);
  return { people: found.size, unknown: 0 };
}

function peopleOf(erasures: readonly { person: string }[]): number {
  return new Set(erasures.map(({ person }) => person)).size;
}

function createErasureOf<Erasure>(erasures: ReadonlyMap<string, Erasure>, marker: Marker) {
  return (each: PeoplePage["people"][number]): Erasure | undefined =>
    marker(namesOf(each)).flatMap((mark) => erasures.get(mark) ?? [])[0];
}

async function eraseOne(
  store: Pick<Store, "person" | "erase">,
  marker: Marker,
  { org, address, person: mark, at }: { org: string; address: string; person: string; at: number },
): Promise<void> {
  const person = await store.person(org, address);
  const marks = marker([
    ...person.addresses.map((each) => addressName(org, each)),
    ...person.invitationIds.map((id) => inviteName(org, id)),
    ...person.candidates.map(({ vendor, candidateId }) => candidateName(org, vendor, candidateId)),
  ]);
  const erased = await store.erase({
    org,
    address,
    person: mark,
    at,
    marks,
    who: "restore",
    now: at,
    known: person,
  });
  if (erased.kind !== "erased") throw new Error("a log that nobody else writes has changed");
}

function namesOf({ org, address, invitationId, candidate }: PeoplePage["people"][number]): string[] {
  return [
    addressName(org, address),
    ...(invitationId === null ? [] : [inviteName(org, invitationId)]),
    ...(candidate === null ? [] : [candidateName(org, candidate.vendor, candidate.candidateId)]),
  ];
}
