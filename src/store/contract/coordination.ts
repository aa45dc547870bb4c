/** What several processes on one store agree on, and whom they tell. */
export interface CoordinationVerbs {
  /** Begins the run of a job for its due time, unless it was done, or any run of this job is under way. */
  beginTick(request: TickRequest): Promise<TickStanding>;
  /** Ends the run that this process began. One that was not done is begun again after a pause. */
  endTick(job: string, dueAt: number, isDone: boolean): Promise<void>;
  /**
   * What the services that are alive on this store say of themselves; null for one of a version that said nothing.
   * `enter`: this process is one from now on, until it ends, however it ends; again to change what it says.
   */
  runningServices(options?: { enter: ServiceFacts }): Promise<(ServiceFacts | null)[]>;
  /**
   * Opens an alert for each incident that is new, and closes those that are over; one that could not be sent stays for a
   * day. Returns those that were not sent yet, each with the time of its next try.
   */
  keepIncidents(incidents: readonly Incident[], now: number): Promise<UnsentAlert[]>;
  /**
   * Has it for this process alone until then. False where another took it since it was read, or it is sent or over. `dueAt`: as it
   * was read.
   */
  takeAlert(alert: Pick<UnsentAlert, "id" | "dueAt">, until: number): Promise<boolean>;
  noteAlert(id: number, note: AlertNote): Promise<void>;
}

/** What a running service says of itself. */
export interface ServiceFacts {
  /** Ms since the epoch. */
  startedAt: number;
  /** The machine's name; an older version did not say it. */
  host?: string;
  version: string;
  build: string;
  /** Where its program was installed when it started. */
  directory: string;
  /** Null when there was no file; its digest is of the bytes that were read. */
  config: { file: string; digest: string } | null;
  /** How many lines of its log could not be written. */
  lostLines: number;
  /** Null where it speaks no TLS; absent in a version that spoke none. */
  tls?: ServiceCertificate | null;
  /** Absent in a version that did not tell. */
  pid?: number;
  /** The address that it takes webhooks at; null until it listens. Absent in a version that did not tell. */
  listen?: string | null;
  /** The address of its admin listener; null where it has none. Absent in a version that did not tell. */
  admin?: string | null;
  /**
   * What keeps it from reading anything in the vault; null where nothing does. Absent until it has looked, and in a version
   * that did not tell.
   */
  vaultTrouble?: { reason: string; fix: string | null } | null;
}

/** The certificate that a running service shows. */
export interface ServiceCertificate {
  /** Whom it is for. */
  names: string;
  /** Ms since the epoch. */
  endsAt: number;
  /** Why the files that stand there now were not taken; null where they were. */
  problem: string | null;
}

export interface TickRequest {
  job: string;
  dueAt: number;
  now: number;
  /** Done once for each due time ever, whatever the clock does; else only the newest due time is remembered. */
  once: boolean;
}

/** `ours`: for the one process that is to run it now. `later`: it is under way, or rests after it failed. */
export type TickStanding = "ours" | "done" | "later";

/** Trouble that its org's owner shall hear of, once. */
export interface Incident {
  /** The same as long as it is the same trouble. */
  key: string;
  org: string;
  text: string;
}

export interface UnsentAlert extends Pick<Incident, "org" | "text"> {
  id: number;
  tries: number;
  /** When it may be taken, ms since the epoch. */
  dueAt: number;
}

export type AlertNote = { sentAt: number } | { dueAt: number };
