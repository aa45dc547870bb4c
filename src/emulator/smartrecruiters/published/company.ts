/** What a company has on the published face alone. */
import type { CallTimes } from "../../rate-limit.ts";

export interface PublishedSubscription {
  id: string;
  callbackUrl: string;
  events: { name: string; version: string }[];
  status: string;
  /** Newest last; an older one signs for a day more. */
  keys: { secretKey: string; madeAt: number }[];
  failures: number;
  log: LoggedCallback[];
}

/** One try of one event, as callbacks-log shows it. */
export interface LoggedCallback {
  status: "successful" | "failed";
  at: number;
  url: string;
  body: string;
  headers: Record<string, string>;
}

/** A candidate in a job. */
export interface Application {
  applicationId: string;
  candidateId: string;
  jobId: string;
  status: string;
  subStatus: string | null;
  updatedAt: number;
  /** Of its properties, by the definitions' ids. */
  values: Map<string, unknown>;
}

export interface Note {
  id: string;
  content: string;
  correlationId: string | null;
  shareWith: unknown;
  /** The profiles that it is linked to. */
  candidateIds: string[];
  at: number;
}

export interface PublishedCompany {
  name: string;
  subscriptions: Map<string, PublishedSubscription>;
  /** By id. */
  applications: Map<string, Application>;
  /** In the activity feed, oldest first. */
  notes: Note[];
  /** When the calls of each endpoint were admitted. */
  calls: Map<string, CallTimes>;
  /** Calls under way, and those of each endpoint. */
  atOnce: number;
  atOnceBy: Map<string, number>;
  /** The most that ever were. */
  mostAtOnce: number;
}

export function emptyPublished(): PublishedCompany {
  return {
    name: "Emulated Ltd",
    subscriptions: new Map(),
    applications: new Map(),
    notes: [],
    calls: new Map(),
    atOnce: 0,
    atOnceBy: new Map(),
    mostAtOnce: 0,
  };
}

export function applicationOf(
  { applications }: PublishedCompany,
  candidateId: string,
  jobId: string,
): Application | undefined {
  return [...applications.values()].find((each) => each.candidateId === candidateId && each.jobId === jobId);
}
