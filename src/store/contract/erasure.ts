import type { Marks } from "../../core/erasure.ts";

/** One person's rows: found, told, and taken out. An address is in lower case and without blanks around it (`emailKey`). */
export interface ErasureVerbs {
  /** Who a person is in one org, and how many rows are theirs. Its cost grows with the log: every text is looked through. */
  person(org: string, address: string): Promise<Person>;
  /** All rows that are theirs or name them, by table. */
  personRows(org: string, address: string): Promise<PersonRows>;
  /**
   * Takes all of a person's rows out, in one transaction with the marks by which later events are refused; what else names
   * them is scrubbed. Where they turn out to have more names than `known`, nothing is done, and the answer is who they are.
   * Repeated, it finds nothing more.
   */
  erase(request: EraseRequest): Promise<Erased>;
  /** When the person was erased, by the mark of the address; null where they never were, or were allowed again. */
  erasedAt(mark: string): Promise<number | null>;
  /** Takes back what was refused for this person. False where nothing was. */
  allowAgain(request: { mark: string; org: string; who: string; now: number }): Promise<boolean>;
  /** Is anybody erased whose bytes may still be in the file? */
  bytesDue(): Promise<boolean>;
  /** Of these leases, how many are still under way. */
  leasesOpen(leases: readonly number[]): Promise<number>;
  /** Names of the people in the log, in pages: for who has to find those whose hash alone is known. */
  people(after: string | null): Promise<PeoplePage>;
  /** Every mark, with that of its person's address. */
  erasures(): Promise<{ mark: string; person: string; at: number }[]>;
  /** Takes over marks that are kept elsewhere. Returns how many were new. */
  keepErasures(kept: readonly KeptErasure[]): Promise<number>;
}

/** What a person is in an account that was told of them. */
export interface ToldAccount {
  connectionId: number;
  /** Addresses, assessments or results. */
  subjects: string[];
  /** The vendor's own ids. */
  records: string[];
  /** What its destination had kept with their results. */
  receipts: string[];
  /** Where their invites say that they are in it: candidate, and job where one is named. */
  places: { candidateId: string; jobId: string | null }[];
}

export interface Person {
  /** The address, and those that a vendor showed to be the same contact. */
  addresses: string[];
  invitationIds: string[];
  candidates: { vendor: string; candidateId: string }[];
  told: ToldAccount[];
  /** Rows that are theirs, and rows that name them, by table; without those that have none. */
  rows: Readonly<Record<string, number>>;
}

export type PersonRows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

export interface KeptErasure {
  org: string;
  /** Of the address that was erased, hex. */
  person: string;
  at: number;
  /** With that of the address. */
  marks: Marks;
}

export interface EraseRequest extends KeptErasure {
  address: string;
  /** The names that `marks` are of; others found meanwhile end it. */
  known: Pick<Person, "addresses" | "invitationIds" | "candidates">;
  /** For the record, which names no address. */
  who: string;
  now: number;
}

export type Erased =
  | {
      kind: "erased";
      rows: Person["rows"];
      /** Under which results of theirs were being sent that moment. */
      leases: number[];
    }
  | { kind: "has more names"; person: Person };

export interface PeoplePage {
  people: {
    org: string;
    /** In lower case. */
    address: string;
    invitationId: string | null;
    candidate: { vendor: string; candidateId: string } | null;
  }[];
  next: string | null;
}
