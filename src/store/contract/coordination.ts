/** What several processes on one store agree on, and whom they tell. */
export interface Coordination {
  /** True for the one process that may run this job for this due time. */
  openTick(job: string, dueAt: number): Promise<boolean>;
  /** The newest due time for which the job ran; null before the first. */
  lastTick(job: string): Promise<number | null>;
  /** Makes this process known as a running service until it ends, however it ends. */
  enterService(): Promise<void>;
  /** How many services are alive on this store. */
  runningServices(): Promise<number>;
  /** Opens an alert for each incident that is new, and closes those that are over; one that could not be sent stays for a day. */
  keepIncidents(incidents: readonly Incident[], now: number): Promise<void>;
  /** Alerts that were not sent yet and may be tried now. */
  dueAlerts(now: number): Promise<DueAlert[]>;
  noteAlert(id: number, note: AlertNote): Promise<void>;
}

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
