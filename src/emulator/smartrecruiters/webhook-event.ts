export interface WebhookEvent {
  id: string;
  event: unknown;
  occurredAt: unknown;
  data?: unknown;
}

/** One try. */
export interface WebhookTry {
  subscriptionId: string;
  eventId: string;
  assessmentId: string | null;
  targetUrl: string;
  attempt: number;
  /** 0 when the receiver could not be reached. */
  status: number;
  at: number;
}
