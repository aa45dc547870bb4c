import type { Faults, Store } from "../contract/store.ts";
import { type ClaimedText, claimedOf } from "./delivery/claims-text.ts";
import type { Sliced } from "./file/slices.ts";

/** The contract's verbs as types and as one list, and the `Store` that forwards them to whoever holds the file open. */
export type VerbName = Exclude<keyof Store, LocalName>;
/** What each kind of store does in its own way. */
type LocalName = "watch" | "copyTo" | "close" | keyof Faults;
export type VerbArgs = { [Name in VerbName]: Parameters<Store[Name]> };
export type VerbResult = {
  [Name in VerbName]: Name extends keyof InText ? InText[Name] : Awaited<ReturnType<Store[Name]>>;
};
/** What crosses to another thread as text. */
interface InText {
  claim: ClaimedText;
}
export type Verbs = {
  [Name in VerbName]: (...args: VerbArgs[Name]) => VerbResult[Name] | Sliced<VerbResult[Name]>;
};

export interface VerbTraits {
  /** Someone may find work to do after it. */
  wakes?: true;
  /** It is a short write of a delivery, and shares its commit with others of the kind. */
  shares?: true;
}

/** Every verb of the contract: one that is missing here, or in `createVerbs`, does not compile. */
export const VERBS: Readonly<Record<VerbName, VerbTraits>> = {
  append: { wakes: true },
  assign: { wakes: true },
  connections: {},
  connection: {},
  saveConnection: { wakes: true },
  openConsent: {},
  takeConsent: {},
  endConsents: {},
  mark: {},
  claim: { shares: true },
  settle: { wakes: true, shares: true },
  letGo: {},
  dueWork: {},
  hold: { wakes: true },
  release: { wakes: true },
  raise: { wakes: true },
  takeCall: { shares: true },
  endCall: { shares: true },
  limitCalls: {},
  subjects: {},
  countPushes: {},
  selectSubjects: {},
  saveRun: {},
  runs: {},
  questions: {},
  settleQuestion: { wakes: true },
  catalogEntries: {},
  saveCatalogEntry: {},
  inviteRequests: {},
  noteRequest: { wakes: true },
  requestAttempts: {},
  received: {},
  noteRefusals: {},
  refusals: {},
  noteSources: {},
  sources: {},
  taken: {},
  tryWriting: {},
  startTrial: {},
  invites: {},
  countInvites: {},
  invite: {},
  overview: {},
  figures: {},
  attempts: {},
  countAttempts: {},
  attemptSums: {},
  orgs: {},
  deliveryLog: {},
  webhookLog: {},
  beginTick: {},
  endTick: {},
  runningServices: {},
  keepIncidents: {},
  noteAlert: {},
  purge: {},
  openAdminLink: {},
  lookAtAdminLink: {},
  redeemAdminLink: {},
  adminSession: {},
  endAdminSession: {},
  audit: {},
  audited: {},
  person: {},
  personRows: {},
  erase: { wakes: true },
  erasedAt: {},
  allowAgain: {},
  bytesDue: {},
  leasesOpen: {},
  people: {},
  erasures: {},
  keepErasures: {},
};

/** Each verb as one call to whoever carries it out: directly, or as a message to another thread. */
type Forwarded = { [Name in VerbName]: (...args: VerbArgs[Name]) => Promise<VerbResult[Name]> };
export type Call = <Name extends VerbName>(name: Name, args: VerbArgs[Name]) => Promise<VerbResult[Name]>;

export function storeOf(call: Call, rest: Pick<Store, LocalName>): Store {
  const forwarded = forwardAll(call);
  return {
    ...forwarded,
    claim: async (...args) => claimedOf(await call("claim", args)),
    ...rest,
  };
}

/** Whole, as `VERBS` names every verb: the compiler holds that, and cannot see it in entries. */
function forwardAll(call: Call): Forwarded {
  const forwarded: Forwarded = Object.create(null);
  const entries = Object.keys(VERBS)
    .filter(isVerbName)
    .map((name) => [name, (...args: VerbArgs[VerbName]) => call(name, args)]);
  return Object.assign(forwarded, Object.fromEntries(entries));
}

function isVerbName(name: string): name is VerbName {
  return name in VERBS;
}
