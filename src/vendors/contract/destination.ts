import type { CommonErrors } from "../../core/advice/common-errors.ts";
import type { Authorization } from "../../core/authorization.ts";
import type { Account, ConnectionName, Environment, LeftOutField } from "../../core/connection.ts";
import type { Answer } from "../../core/delivery/answer.ts";
import type { RateLimit } from "../../core/delivery/rate-window.ts";
import type { Forgotten } from "../../core/forgotten.ts";
import type { Invite } from "../../core/invite.ts";
import type { KnownRecord, MappingWarning, Projection, SeenRecord, SubjectKind } from "../../core/push.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Config } from "../../shared/config.ts";
import type { Http } from "../../shared/http.ts";
import type { Access } from "./access.ts";
import type { Ats } from "./ats.ts";

/** What a destination is made from. */
export interface VendorOptions {
  config: Config;
  org: string;
  environment: Environment;
  http: Http;
  clock: Clock;
}

/** One subject's current projection, on its way to the vendor. */
export interface Update {
  subject: string;
  /** Names this very write; unique within a call. */
  traceId: string;
  /** Grows with each change of what the subject is to be told. */
  version: number;
  projection: Projection;
  /** The vendor held it once; absent where it was never told. */
  wasDelivered?: true;
  /** Which record the subject was last; absent while nobody knows. */
  known?: KnownRecord;
  /** What this destination asked to be kept of the subject when it was accepted last; absent where it was nothing. */
  receipt?: string;
}

export interface SendResult {
  /** In the order of the updates. */
  answers: Answer[];
  /** Subjects that the vendor made a record for; absent where it does not tell. */
  made?: readonly string[];
  /** Which record each accepted one is, in the same order; absent where subjects are records of their own. */
  records?: readonly (SeenRecord | null)[];
  /** What it wants back with the subject's next update, of each accepted one, in the same order; null leaves what is kept. */
  receipts?: readonly (string | null)[];
  /** What the vendor took without a part of it, in the same order: the parts, and why. */
  leftOut?: readonly (readonly MappingWarning[])[];
  httpStatus: number | null;
  correlationId: string | null;
  durationMs: number;
}

/** What the bootstrap would do (`plan`) or did (`apply`) to the fields in the account. */
export interface FieldPlan {
  /** Null where the vendor's fields have none. */
  group: { name: string; exists: boolean } | null;
  create: string[];
  existing: string[];
  /** Differences that are left alone, each in words. */
  drifted: { name: string; difference: string }[];
  /** Fields that the account's quota leaves no room for. */
  overQuota: string[];
  /** Fields that are there and cannot take our values. */
  leftOut: LeftOutField[];
  /** Fields that only the account's own people can create; absent where we do. */
  wanted?: readonly WantedField[];
}

/** A field that an administrator has to create, as the vendor's people see it. */
export interface WantedField {
  name: string;
  label: string;
  /** In the vendor's word. */
  type: string;
}

/** As the account knows a person who is to be forgotten. */
export interface ErasedPerson {
  /** What the account was told of: addresses, assessments or results. */
  subjects: readonly string[];
  /** Its own ids of the same. */
  records: readonly string[];
  /** What `send` asked to be kept of them. */
  receipts: readonly string[];
  /** Where their invites say that they are in it. */
  places: readonly { candidateId: string; jobId: string | null }[];
  addresses: readonly string[];
}

export interface Erasure {
  /** What was done, for people. */
  words: string;
  /** What no call can do and a person has to; null where nothing is left. Names nobody but by the vendor's ids. */
  left: string | null;
}

export interface OwnFields {
  names: readonly string[];
  /** One of them by its name, as after a value was refused. Throws `VENDOR_*`. */
  look(access: Access, name: string): Promise<FieldLook>;
}

/** `unfit`: why it cannot take our values, in words; null where its definition says that it can. */
export type FieldLook = { isThere: false } | { isThere: true; unfit: string | null };

/** How people speak of it. */
export interface DestinationWords {
  vendor: string;
  /** As people write it: "HubSpot". */
  label: string;
  /** What the fields are to the vendor's people, one and many: "property", "properties". */
  fieldWords: readonly [one: string, many: string];
  /** What the vendor's setup guide says about the errors people meet most; absent where it has no such list. */
  commonErrors?: CommonErrors;
  /** What stays there of a person whom it was asked to forget, and no `--allow` of ours takes back; absent where nothing does. */
  afterErase?: string;
}

/** Someone who shall hold the results. */
export interface Destination extends DestinationWords {
  subject: SubjectKind;
  /** Most updates one call may carry. */
  batchSize: number;
  /** The account's limit, shared by all calls to it; null for none. */
  rateLimit: RateLimit | null;
  authorization: Authorization;
  /** The contract it speaks, where the vendor has more than one; absent for the first. */
  profile?: string;
  /** Whose account it is, for advice; absent where that is nobody's in particular. */
  place?: Pick<ConnectionName, "org" | "environment">;
  /** Where the account's data rest, where the operator has to declare it: null while nobody did. Absent where `account` tells. */
  declaredRegion?: string | null;
  /** Who gave consent. Throws `VENDOR_*`. */
  account(access: Access): Promise<Account>;
  /** Scopes that calls are refused for want of; absent where the tokens' own answer tells. Throws `VENDOR_*`. */
  missingScopes?(access: Access): Promise<string[]>;
  /** Removes our app from the account; absent where the vendor offers no such call. Throws `VENDOR_*`. */
  uninstall?(access: Access): Promise<void>;
  /**
   * Pure: what the account shall hold about one subject, given all its invites. What newer invites had told that are gone
   * (`forgotten`) is left out and named as `withheld`: the account has it.
   */
  project(
    invites: readonly Invite[],
    knownFields: readonly string[] | null,
    forgotten?: Forgotten | null,
  ): { projection: Projection; warnings: MappingWarning[]; withheld?: string[] };
  /**
   * One call. Answers for every update, also when the vendor is out of reach; throws only what `token()` throws
   * beyond that (`RECONNECT_NEEDED`, `VAULT_UNAVAILABLE`, wrong configuration), and the signal's reason.
   */
  send(access: Access, updates: readonly Update[]): Promise<SendResult>;
  /**
   * Which of these subjects the account holds. Absent where whatever is gone from the account is made anew; else `send`
   * holds what was delivered once and is not there. Throws `VENDOR_*`.
   */
  present?(access: Access, subjects: readonly string[]): Promise<string[]>;
  /**
   * Has the account forget a person: all of them where it offers that, else only what we wrote. One who is gone already is
   * fine. Absent where the vendor offers no such call. Throws `VENDOR_*` and what `token()` throws.
   */
  erase?(access: Access, person: ErasedPerson): Promise<Erasure>;
  /**
   * Reads the account's fields and says what is missing. Changes nothing. `leftOut`: fields that are known to be there,
   * also where no list shows them.
   */
  planFields(access: Access, leftOut?: readonly LeftOutField[]): Promise<FieldPlan>;
  /** Creates what the plan says, tolerates that another run was first, reads back. Returns what now is. */
  applyFields(access: Access, plan: FieldPlan): Promise<FieldReport>;
  /** The account's own people make the fields that results fill: what there is now is looked at now and then. */
  peopleMakeFields?: true;
  /** The fields that results fill, where they are ours and the same in every account. */
  ownFields?: OwnFields;
  /** Everybody there with this address; absent where nobody has to say whose a result is. Throws `VENDOR_*`. */
  candidatesWith?(access: Access, email: string): Promise<FoundCandidate[]>;
  /** What an applicant tracking system offers beside; absent where the vendor is none. */
  ats?: Ats;
  /**
   * Why nothing may be tried out there, in words: it is production, or may be. Null where made-up people do no harm.
   * `account` is null while nobody knows it. Absent where any account will do. Pure.
   */
  refuseTrial?(account: Account | null): string | null;
  /** Looking at, and taking away, what a trial sent; absent where the trial goes another way. */
  trial?: Trial;
}

/** A candidate as people choose among several. */
export interface FoundCandidate {
  candidateId: string;
  /** As people there read it; blank where there is none. */
  name: string;
  /** The job they are on; null where they are on none. */
  job: { id: string; title: string | null } | null;
  status: string | null;
}

/** Both throw `VENDOR_*` and what `token()` throws. */
export interface Trial {
  /** What the account holds of these fields about the subject; null where it holds no such subject. */
  read(
    access: Access,
    wanted: { subject: string; fields: readonly string[] },
  ): Promise<Record<string, string> | null>;
  /** Says whether there was one. */
  remove(access: Access, subject: string): Promise<boolean>;
}

export interface FieldReport {
  created: string[];
  existing: string[];
  drifted: FieldPlan["drifted"];
  overQuota: string[];
  leftOut: LeftOutField[];
  wanted?: readonly WantedField[];
  /** Every field of ours that the account now has and that can take our values. */
  known: string[];
}
