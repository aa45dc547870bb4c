import { addressName, candidateName, inviteName, type PersonName } from "../../core/erasure.ts";
import { AppError } from "../../shared/errors.ts";
import type { Person, Store, ToldAccount } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import { findInVault, forgetInVault, keepInVault, type VaultErasure } from "./kept.ts";
import { makeMarker, type Marker, readMarker } from "./marks.ts";

/**
 * A person taken out of one org: the vault learns of it first, so that no copy of the log brings them back; then all rows
 * go in one transaction. Cut off between two steps, typed again it does the rest.
 */
export interface EraseContext {
  store: Store;
  vault(): Promise<Vault>;
  clock: { now(): number };
}

export interface ErasePlan {
  org: string;
  /** In lower case. */
  address: string;
  person: Person;
  /** When that was done before; null where it was not. */
  erasedAt: number | null;
  /** What vendors are still to be asked of an erasure that was begun before. */
  remote: VaultErasure["remote"];
}

/** Throws `VAULT_UNAVAILABLE`, before anything is done. */
export async function planErase(
  { store, vault }: EraseContext,
  { org, address }: { org: string; address: string },
): Promise<ErasePlan> {
  const opened = await vault();
  const marker = await readMarker(opened);
  const mark = marker && markOf(marker, org, address);
  const [person, erasedAt, kept] = await Promise.all([
    store.person(org, address),
    mark === null ? null : store.erasedAt(mark),
    mark === null ? null : findInVault(opened, org, mark),
  ]);
  return { org, address, person, erasedAt, remote: kept?.remote ?? null };
}

export interface ErasedRows {
  rows: Person["rows"];
  /** Of the address: what the vault keeps it under. */
  mark: string;
  /** What vendors are to be asked; null where nobody asked for that. */
  remote: VaultErasure["remote"];
}

/** Names that come while it is at work are looked for again; nobody makes that many. */
const MOST_ROUNDS = 10;
const LONGEST_FLIGHT_MS = 60_000;
const LOOK_EVERY_MS = 200;

/** Returns once nothing of theirs is on its way to a vendor any more. */
export async function eraseRows(
  context: EraseContext & { clock: { sleep(ms: number, signal: AbortSignal): Promise<void> } },
  plan: ErasePlan,
  { who, isRemote, signal }: { who: string; isRemote: boolean; signal: AbortSignal },
): Promise<ErasedRows> {
  const { store, clock } = context;
  const vault = await context.vault();
  const marker = await makeMarker(vault);
  const { org, address } = plan;
  const mark = markOf(marker, org, address);
  const before = await findInVault(vault, org, mark);
  const at = before?.at ?? clock.now();
  let { person } = plan;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    signal.throwIfAborted();
    const marks = [...new Set([...marker(personNames(org, person)), ...(before?.marks ?? [])])];
    const remote = isRemote || before?.remote ? withTold(before?.remote ?? null, person) : null;
    await keepInVault(vault, { org, person: mark, at, marks, remote });
    const erased = await store.erase({
      org,
      address,
      person: mark,
      at,
      marks,
      who,
      now: clock.now(),
      known: person,
    });
    if (erased.kind === "has more names") {
      person = erased.person;
      continue;
    }
    for (let waited = 0; waited < LONGEST_FLIGHT_MS; waited += LOOK_EVERY_MS) {
      if (erased.leases.length === 0 || (await store.leasesOpen(erased.leases)) === 0) break;
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
    return { rows: erased.rows, mark, remote };
  }
  throw new AppError("STORE_UNAVAILABLE", "more of this person came in than could be erased", {
    hint: "Run it again.",
  });
}

/** From now on their events are taken again. False where nothing was refused. */
export async function allowAgain(
  { store, vault, clock }: EraseContext,
  { org, address, who }: { org: string; address: string; who: string },
): Promise<boolean> {
  const opened = await vault();
  const marker = await readMarker(opened);
  if (marker === null) return false;
  const mark = markOf(marker, org, address);
  // The log first: what only the vault knew of would be heeded by nobody before a restore.
  const isLifted = await store.allowAgain({ mark, org, who, now: clock.now() });
  const isKept = (await findInVault(opened, org, mark)) !== null;
  if (isKept) await forgetInVault(opened, org, mark);
  return isLifted || isKept;
}

const markOf = (marker: Marker, org: string, address: string): string =>
  marker([addressName(org, address)])[0] ?? "";

function distinctPlaces(places: ToldAccount["places"]): ToldAccount["places"] {
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}

function personNames(org: string, { addresses, invitationIds, candidates }: Person): PersonName[] {
  return [
    ...addresses.map((address) => addressName(org, address)),
    ...invitationIds.map((id) => inviteName(org, id)),
    ...candidates.map(({ vendor, candidateId }) => candidateName(org, vendor, candidateId)),
  ];
}

/** With what an erasure that was cut off had found. */
function withTold(
  before: VaultErasure["remote"],
  { addresses, told }: Person,
): NonNullable<VaultErasure["remote"]> {
  const all = [...(before?.told ?? []), ...told];
  const ids = [...new Set(all.map(({ connectionId }) => connectionId))];
  return {
    addresses: [...new Set([...(before?.addresses ?? []), ...addresses])],
    told: ids.map((connectionId) => {
      const of = all.filter((each) => each.connectionId === connectionId);
      return {
        connectionId,
        subjects: [...new Set(of.flatMap(({ subjects }) => subjects))],
        records: [...new Set(of.flatMap(({ records }) => records))],
        receipts: [...new Set(of.flatMap(({ receipts }) => receipts))],
        places: distinctPlaces(of.flatMap(({ places }) => places)),
      };
    }),
  };
}
