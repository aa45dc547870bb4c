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
  const erasures = new Map((await store.erasures()).map((each) => [each.mark, each]));
  const nobody = { people: 0, isErased: () => false, marked: (event: NewEvent) => ({ ...event, marks: [] }) };
  if (marker === null)
    return { ...nobody, unknown: new Set([...erasures.values()].map(({ person }) => person)).size };
  const markOf = (name: string): string => marker([name])[0] ?? "";
  const erasureOf = (each: PeoplePage["people"][number]) =>
    namesOf(each).flatMap((name) => erasures.get(markOf(name)) ?? [])[0];
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
    isErased: (org, address) => erasures.has(markOf(addressName(org, address))),
    marked: (event) => ({ ...event, marks: marker(namesIn(event)) }),
  };
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
