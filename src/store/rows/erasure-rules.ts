/**
 * Where in the log an address may stand: the one list of all tables and of their columns that hold text. A new table or
 * column is one line here, and `test/store/erasure.test.ts` asks for it.
 */
export interface TableRule {
  /** What tells one row from another, for who scrubs it. */
  key: readonly string[];
  /** Whose a row is, in SQL; absent where it is nobody's in particular. Null: that cannot be told, and it is looked at all the same. */
  org?: string;
  /** Does a mention take the row out, with its event? Else the mention is scrubbed. */
  goes?: true;
  columns: Readonly<Record<string, ColumnRule>>;
}

/** Else why no address stands there, beyond that of a row which is found by it and goes. */
export type ColumnRule = "looked through" | { no: string };

const OURS = { no: "our own words" };
const VENDORS_ID = { no: "an id that a vendor made; the row goes with its candidate" };
const SLUG = { no: "an org, a vendor or an environment, by its short name" };
const HASH = { no: "a hash" };

const OF_PUSH = "(SELECT c.org FROM connections c WHERE c.id = connection_id)";

export const ERASURE_RULES: Readonly<Record<string, TableRule>> = {
  events: {
    key: ["seq"],
    org: `coalesce((SELECT i.org FROM invites i WHERE i.id = invite_id), (SELECT c.org FROM confirmations c WHERE c.seq = events.seq),
      iif(json_valid(payload), json_extract(payload, '$.data.org'), NULL))`,
    goes: true,
    columns: {
      source: SLUG,
      event_id: "looked through",
      body_hash: HASH,
      type: { no: "a name of a kind, without @ by the door's rule" },
      payload: "looked through",
    },
  },
  invites: {
    key: ["id"],
    org: "org",
    columns: {
      org: SLUG,
      invitation_id: "looked through",
      contact: { no: "found by its index: the row goes" },
      assessment: VENDORS_ID,
      status: OURS,
      state: "looked through",
    },
  },
  pushes: {
    key: ["id"],
    org: OF_PUSH,
    columns: {
      subject: { no: "found by its index: the row goes" },
      state: OURS,
      held_cause: OURS,
      projection: "looked through",
      rejection: "looked through",
      warnings: "looked through",
      record: VENDORS_ID,
      receipt: "looked through",
    },
  },
  attempts: {
    key: ["id"],
    org: `(SELECT c.org FROM pushes p JOIN connections c ON c.id = p.connection_id WHERE p.id = push_id)`,
    columns: { outcome: OURS, correlation_id: VENDORS_ID, reason: "looked through" },
  },
  confirmations: {
    key: ["seq"],
    org: "org",
    goes: true,
    columns: {
      vendor: SLUG,
      org: SLUG,
      environment: SLUG,
      candidate_id: VENDORS_ID,
      job_id: VENDORS_ID,
      assessment_id: VENDORS_ID,
      invitation_id: "looked through",
      status: "looked through",
      result: "looked through",
      state: OURS,
    },
  },
  questions: {
    key: ["seq"],
    org: "org",
    goes: true,
    columns: {
      vendor: SLUG,
      org: SLUG,
      environment: SLUG,
      about: "looked through",
      reason: "looked through",
    },
  },
  runs: {
    key: ["id"],
    org: "org",
    columns: {
      command: OURS,
      org: SLUG,
      who: { no: "an operator's name" },
      filter: "looked through",
      counts: OURS,
    },
  },
  forgotten: {
    key: ["org", "contact"],
    org: "org",
    columns: { org: SLUG, contact: { no: "found by its key: the row goes" }, facts: OURS },
  },
  trials: {
    key: ["org", "vendor", "candidate_id"],
    org: "org",
    columns: { org: SLUG, vendor: SLUG, candidate_id: VENDORS_ID },
  },
  alerts: { key: ["id"], org: "org", columns: { key: "looked through", org: SLUG, text: "looked through" } },
  refusals: {
    key: ["source", "minute", "reason"],
    columns: { source: SLUG, reason: "looked through", kind: OURS },
  },
  consents: {
    key: ["hash"],
    org: "org",
    columns: {
      hash: HASH,
      org: SLUG,
      vendor: SLUG,
      environment: SLUG,
      seal: HASH,
      redirect_uri: OURS,
      account_id: VENDORS_ID,
      holder: OURS,
      outcome: OURS,
      refusal: "looked through",
      begun_by: HASH,
      return_to: OURS,
    },
  },
  connections: {
    key: ["id"],
    org: "org",
    columns: {
      org: SLUG,
      vendor: SLUG,
      environment: SLUG,
      subject_kind: OURS,
      hold_cause: OURS,
      state: OURS,
      account_id: VENDORS_ID,
      details: "looked through",
    },
  },
  invite_requests: {
    key: ["id"],
    org: "org",
    columns: {
      org: SLUG,
      vendor: SLUG,
      environment: SLUG,
      application_id: VENDORS_ID,
      test: OURS,
      candidate_id: VENDORS_ID,
      job_id: VENDORS_ID,
      stage: { no: "a job's stage, by its name" },
      entry: OURS,
      assessment_id: OURS,
      state: OURS,
      reason: "looked through",
    },
  },
  request_attempts: {
    key: ["id"],
    org: "org",
    columns: { org: SLUG, outcome: OURS, reason: "looked through" },
  },
  audit: {
    key: ["id"],
    org: "org",
    columns: { org: SLUG, who: { no: "an operator's name" }, what: OURS, about: "looked through" },
  },
  catalog: {
    key: ["org", "vendor", "environment", "job_id", "stage"],
    columns: {
      org: SLUG,
      vendor: SLUG,
      environment: SLUG,
      job_id: VENDORS_ID,
      stage: { no: "a job's stage, by its name" },
      entry: OURS,
    },
  },
  admin_links: { key: ["hash"], columns: { hash: HASH, org: SLUG, who: { no: "an operator's name" } } },
  admin_sessions: { key: ["hash"], columns: { hash: HASH, org: SLUG, who: { no: "an operator's name" } } },
  erasures: { key: ["mark"], columns: { mark: HASH, person: HASH, org: SLUG } },
  tombstones: { key: ["invite"], columns: { invite: HASH, body: HASH } },
  purges: { key: ["org", "day", "what"], columns: { org: SLUG, what: OURS } },
  calls: { key: ["id"], columns: { key: OURS, holder: OURS } },
  call_limits: { key: ["key"], columns: { key: OURS } },
  leases: { key: ["id"], columns: { started_at: OURS, boot_id: OURS } },
  services: {
    key: ["boot_id", "pid", "started_at"],
    columns: { started_at: OURS, boot_id: OURS, facts: OURS },
  },
  ticks: { key: ["job", "due_at"], columns: { job: OURS, holder: OURS } },
  marks: { key: ["connection_id", "name"], columns: { name: OURS } },
  sources: { key: ["source"], columns: { source: SLUG } },
  counters: { key: ["name"], columns: { name: OURS } },
  invite_counts: { key: ["org"], columns: { org: SLUG } },
  push_counts: { key: ["connection_id", "state"], columns: { state: OURS } },
  gone_counts: { key: ["connection_id"], columns: {} },
  log_file: { key: ["id"], columns: { id: HASH, copy: HASH } },
  write_trials: { key: ["bytes"], columns: { bytes: { no: "emptied at once" } } },
};

/** Those whose rows are too many to be looked through in one go. They have a number of their own. */
export const LARGE_TABLES = [
  "events",
  "invites",
  "pushes",
  "attempts",
  "confirmations",
  "questions",
] as const;

/** A mention of an address takes these out. All three are about one event. */
export const GOING = Object.keys(ERASURE_RULES).filter((table) => ERASURE_RULES[table]?.goes);
