/** What several processes on one store agree on, and whom they tell. */
export interface CoordinationVerbs {
  /** Begins the run of a job for its due time, unless it was done, or any run of this job is under way. */
  beginTick(request: TickRequest): Promise<TickStanding>;
  /** Ends the run that this process began. One that was not done is begun again after a pause. */
  endTick(job: string, dueAt: number, isDone: boolean): Promise<void>;
  /**
   * How many services are alive on this store. `enter`: this process is one from now on, until it ends, however it ends.
   */
  runningServices(options?: { enter: true }): Promise<number>;
  /**
   * Opens an alert for each incident that is new, and closes those that are over; one that could not be sent stays for a
   * day. Returns those that were not sent yet and may be tried now.
   */
  keepIncidents(incidents: readonly Incident[], now: number): Promise<DueAlert[]>;
  noteAlert(id: number, note: AlertNote): Promise<void>;
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

export interface DueAlert extends Pick<Incident, "org" | "text"> {
  id: number;
  tries: number;
}

export type AlertNote = { sentAt: number } | { dueAt: number };
