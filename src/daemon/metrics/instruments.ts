import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Every metric there is, by its name: `docs/monitoring.md` lists them for people. None names a person. */
export function createInstruments({ isByOrg }: { isByOrg: boolean }) {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const seconds = <Label extends string>(
    name: string,
    help: string,
    { buckets, labelNames }: { buckets: number[]; labelNames: readonly Label[] },
  ) => new Histogram({ name, help, labelNames, buckets, registers });
  const whose = [...(isByOrg ? ["org"] : []), "vendor", "environment"];
  return {
    registry,
    acknowledged: counter("jc_webhooks_acknowledged_total", "Webhooks that were answered 202: on disk.", [
      "source",
      "outcome",
    ]),
    refused: counter("jc_webhooks_refused_total", "Webhooks that were refused for good (4xx).", [
      "source",
      "reason",
    ]),
    notStored: counter("jc_webhooks_not_stored_total", "Webhooks that were answered 503, to be sent again.", [
      "source",
    ]),
    checked: counter(
      "jc_webhooks_checked_total",
      "Calls that brought no event: a vendor greeted our receiver, or tried whether it answers.",
      ["source"],
    ),
    ingest: seconds("jc_ingest_seconds", "From a webhook's headers to its 202, commit included.", {
      labelNames: ["source"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    }),
    webhookToContact: seconds(
      "jc_webhook_to_contact_seconds",
      "From the oldest change that was undelivered to the vendor's yes.",
      {
        labelNames: ["vendor"],
        buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200, 86_400],
      },
    ),
    calls: counter("jc_vendor_calls_total", "Calls to a vendor's API, by the status of their answer.", [
      "vendor",
      "status",
    ]),
    callTimes: seconds("jc_vendor_call_seconds", "What a call to a vendor's API took.", {
      labelNames: ["vendor"],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    }),
    jobRuns: counter("jc_job_runs_total", "Runs of a job, by how they ended.", ["job", "outcome"]),
    jobDone: gauge("jc_job_last_done_timestamp_seconds", "When a job was last done without a failure.", [
      "job",
    ]),
    loopDelay: seconds(
      "jc_event_loop_delay_seconds",
      "How late the event loop came to a tick, once a second.",
      {
        labelNames: [],
        buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
      },
    ),
    buildInfo: gauge("jc_build_info", "Always 1; what runs.", ["version", "build"]),
    startedAt: gauge("jc_start_time_seconds", "When the service started."),
    isReady: gauge("jc_ready", "1 while /readyz says ready."),
    isReadable: gauge("jc_store_readable", "1 where the log could be read for this scrape."),
    logBytes: gauge("jc_log_bytes", "Size of log.db."),
    backupAt: gauge(
      "jc_last_backup_timestamp_seconds",
      "When the newest good backup was taken, or the log was begun where there is none.",
      ["is"],
    ),
    walBytes: gauge("jc_log_wal_bytes", "Size of log.db-wal."),
    pushes: gauge("jc_pushes", "Pushes by state.", [...whose, "state"]),
    oldestPending: gauge(
      "jc_oldest_pending_seconds",
      "For how long the longest waiting pending push is undelivered.",
      whose,
    ),
    connectionUp: gauge("jc_connection_up", "1 while connected, 0 while it must reconnect.", whose),
    lastSyncAt: gauge("jc_last_sync_timestamp_seconds", "When results were last delivered.", whose),
    tokenExpiresAt: gauge("jc_token_expires_timestamp_seconds", "When the access token expires.", whose),
    loginAge: gauge("jc_login_age_seconds", "Age of the login, and so of its refresh token.", whose),
    loginEndsAt: gauge(
      "jc_login_ends_timestamp_seconds",
      "When the login ends by itself; none where it does not.",
      whose,
    ),
    windowCalls: gauge("jc_rate_window_calls", "Calls in the vendor's rate window now.", whose),
    windowLimit: gauge("jc_rate_window_limit", "Calls that fit into the vendor's rate window.", whose),
    certificateEndsAt: gauge(
      "jc_tls_certificate_expires_timestamp_seconds",
      "When the certificate ends that the listeners show; none without TLS.",
      ["names"],
    ),
  };
}

export type Instruments = ReturnType<typeof createInstruments>;
