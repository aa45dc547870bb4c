import type { Faults } from "./faults.ts";
import type { Holding } from "./holding.ts";
import type { Store } from "./store.ts";

/** The contract's verbs as one list, for whoever forwards them or wraps each of them. */
export type VerbName = Exclude<keyof Store, LocalName>;
/** What each kind of store does in its own way. */
export type LocalName = "watch" | "copyTo" | "close" | keyof Faults | keyof Holding;

export interface VerbTraits {
  /** Someone may find work to do after it. */
  wakes?: true;
  /** It is a short write, of a delivery or of a job's tick, and shares its commit with others of the kind. */
  shares?: true;
}

/** Every verb of the contract: one that is missing here does not compile. */
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
  beginTick: { shares: true },
  endTick: { shares: true },
  runningServices: {},
  keepIncidents: {},
  takeAlert: {},
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

export function isVerbName(name: string): name is VerbName {
  return name in VERBS;
}
