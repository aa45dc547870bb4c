/** "JCLG": tells our file from anybody else's SQLite file. */
export const APPLICATION_ID = 0x4a434c47;

/**
 * Numbered by position, forward only, never edited after release. Points in time are ms since the epoch.
 * Partial indexes keep the work due, and nothing else, at hand; `invite_counts` and `push_counts` keep `status` fast at any size.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO counters VALUES ('version', 0), ('events', 0), ('ignored', 0), ('conflicts', 0);

  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    body_hash BLOB NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    conflict INTEGER NOT NULL,
    invite_id INTEGER REFERENCES invites (id),
    payload TEXT NOT NULL
  );
  CREATE UNIQUE INDEX events_identity ON events (event_id, source, body_hash);
  CREATE INDEX events_of_invite ON events (invite_id) WHERE invite_id IS NOT NULL;

  CREATE TABLE invites (
    id INTEGER PRIMARY KEY,
    org TEXT NOT NULL,
    invitation_id TEXT NOT NULL,
    contact TEXT NOT NULL,
    assessment TEXT,
    status TEXT NOT NULL,
    at INTEGER NOT NULL,
    owed INTEGER NOT NULL,
    state_version INTEGER NOT NULL,
    state TEXT NOT NULL,
    UNIQUE (org, invitation_id)
  );
  CREATE INDEX invites_of_contact ON invites (org, contact, status);
  CREATE INDEX invites_of_assessment ON invites (org, assessment, status) WHERE assessment IS NOT NULL;
  CREATE INDEX invites_by_time ON invites (org, at);
  CREATE INDEX invites_in_progress ON invites (org, contact) WHERE status = 'in_progress';

  CREATE TABLE invite_counts (org TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TRIGGER invites_counted AFTER INSERT ON invites BEGIN
    INSERT INTO invite_counts VALUES (new.org, 1) ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER invites_uncounted AFTER DELETE ON invites BEGIN
    UPDATE invite_counts SET n = n - 1 WHERE org = old.org;
  END;

  CREATE TABLE connections (
    id INTEGER PRIMARY KEY,
    org TEXT NOT NULL,
    vendor TEXT NOT NULL,
    environment TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    hold_cause TEXT,
    state TEXT NOT NULL,
    account_id TEXT,
    details TEXT NOT NULL,
    UNIQUE (org, vendor, environment)
  );

  CREATE TABLE leases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pid INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    claimed_at INTEGER NOT NULL
  );

  CREATE TABLE pushes (
    id INTEGER PRIMARY KEY,
    connection_id INTEGER NOT NULL REFERENCES connections (id),
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    held_cause TEXT,
    version INTEGER NOT NULL,
    delivered_version INTEGER NOT NULL DEFAULT 0,
    pending_since INTEGER,
    moved_at INTEGER,
    due_at INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    alone INTEGER NOT NULL DEFAULT 0,
    lease INTEGER REFERENCES leases (id),
    run_id INTEGER REFERENCES runs (id),
    projection TEXT,
    rejection TEXT,
    warnings TEXT,
    UNIQUE (connection_id, subject)
  );
  CREATE INDEX pushes_due ON pushes (connection_id, due_at) WHERE state = 'pending' AND lease IS NULL;
  CREATE INDEX pushes_waiting ON pushes (connection_id, pending_since) WHERE state = 'pending';
  CREATE INDEX pushes_held ON pushes (connection_id, held_cause) WHERE state = 'held';
  CREATE INDEX pushes_leased ON pushes (lease) WHERE lease IS NOT NULL;

  CREATE INDEX pushes_of_run ON pushes (run_id, state) WHERE run_id IS NOT NULL;

  CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    command TEXT NOT NULL,
    org TEXT NOT NULL,
    who TEXT NOT NULL,
    filter TEXT NOT NULL,
    counts TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER
  );

  CREATE TABLE push_counts (
    connection_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (connection_id, state)
  ) WITHOUT ROWID;
  CREATE TRIGGER pushes_counted AFTER INSERT ON pushes BEGIN
    INSERT INTO push_counts VALUES (new.connection_id, new.state, 1)
      ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER pushes_recounted AFTER UPDATE OF state ON pushes WHEN new.state <> old.state BEGIN
    UPDATE push_counts SET n = n - 1 WHERE connection_id = old.connection_id AND state = old.state;
    INSERT INTO push_counts VALUES (new.connection_id, new.state, 1)
      ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER pushes_uncounted AFTER DELETE ON pushes BEGIN
    UPDATE push_counts SET n = n - 1 WHERE connection_id = old.connection_id AND state = old.state;
  END;

  CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    push_id INTEGER NOT NULL REFERENCES pushes (id),
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    http_status INTEGER,
    correlation_id TEXT,
    duration_ms INTEGER NOT NULL,
    reason TEXT
  );
  CREATE INDEX attempts_of_push ON attempts (push_id, at);

  CREATE TABLE calls (key TEXT NOT NULL, at INTEGER NOT NULL);
  CREATE INDEX calls_in_window ON calls (key, at);
  CREATE TABLE call_limits (key TEXT PRIMARY KEY, calls INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;

  CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    org TEXT NOT NULL,
    text TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    sent_at INTEGER,
    tries INTEGER NOT NULL DEFAULT 0
  );

  CREATE TABLE services (
    pid INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    boot_id TEXT NOT NULL,
    PRIMARY KEY (boot_id, pid, started_at)
  ) WITHOUT ROWID;

  CREATE TABLE ticks (
    job TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    PRIMARY KEY (job, due_at)
  ) WITHOUT ROWID;
  `,
  `
  CREATE TABLE confirmations (
    seq INTEGER PRIMARY KEY REFERENCES events (seq),
    vendor TEXT NOT NULL,
    org TEXT NOT NULL,
    environment TEXT NOT NULL,
    candidate_id TEXT NOT NULL,
    job_id TEXT,
    assessment_id TEXT NOT NULL,
    invitation_id TEXT,
    status TEXT NOT NULL,
    at INTEGER NOT NULL,
    result TEXT,
    state TEXT NOT NULL
  );
  CREATE INDEX confirmations_of_org ON confirmations (org, vendor, seq);
  CREATE INDEX confirmations_of_assessment ON confirmations (org, assessment_id) WHERE state = 'unmatched';
  CREATE INDEX confirmations_of_invitation ON confirmations (org, invitation_id) WHERE state = 'unmatched';
  CREATE INDEX confirmations_asking ON confirmations (seq) WHERE state = 'asking';

  INSERT INTO counters VALUES ('unmatched', 0);
  CREATE TRIGGER confirmations_counted AFTER INSERT ON confirmations WHEN new.state = 'unmatched' BEGIN
    UPDATE counters SET value = value + 1 WHERE name = 'unmatched';
  END;
  CREATE TRIGGER confirmations_recounted AFTER UPDATE OF state ON confirmations
  WHEN old.state = 'unmatched' AND new.state <> 'unmatched' BEGIN
    UPDATE counters SET value = value - 1 WHERE name = 'unmatched';
  END;

  CREATE TABLE trials (
    org TEXT NOT NULL,
    vendor TEXT NOT NULL,
    candidate_id TEXT NOT NULL,
    PRIMARY KEY (org, vendor, candidate_id)
  ) WITHOUT ROWID;

  CREATE TABLE refusals (
    source TEXT NOT NULL,
    minute INTEGER NOT NULL,
    reason TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (source, minute, reason)
  ) WITHOUT ROWID;
  `,
  `
  CREATE TABLE consents (
    hash TEXT PRIMARY KEY,
    org TEXT NOT NULL,
    vendor TEXT NOT NULL,
    environment TEXT NOT NULL,
    verifier TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    allows_other_account INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    holder TEXT,
    outcome TEXT
  ) WITHOUT ROWID;
  CREATE INDEX consents_open ON consents (org, vendor, environment) WHERE outcome IS NULL;
  `,
  `
  ALTER TABLE ticks ADD COLUMN holder TEXT;
  ALTER TABLE ticks ADD COLUMN tries INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE ticks ADD COLUMN is_done INTEGER NOT NULL DEFAULT 1;
  `,
  `
  ALTER TABLE connections ADD COLUMN last_foreign_lease INTEGER NOT NULL DEFAULT 0;
  `,
  `
  CREATE TABLE log_file (id TEXT NOT NULL, copy TEXT, accepted_at INTEGER);
  INSERT INTO log_file VALUES (lower(hex(randomblob(16))), NULL, NULL);
  `,
  `
  CREATE TABLE questions (
    seq INTEGER PRIMARY KEY REFERENCES events (seq),
    vendor TEXT NOT NULL,
    org TEXT NOT NULL,
    environment TEXT NOT NULL,
    about TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    reason TEXT
  );
  CREATE INDEX questions_of_account ON questions (org, vendor, environment, seq);
  INSERT INTO questions (seq, vendor, org, environment, about, asked_at, due_at)
    SELECT c.seq, vendor, org, environment,
      json_object('candidateId', candidate_id, 'assessmentId', assessment_id), e.received_at, e.received_at
    FROM confirmations c JOIN events e ON e.seq = c.seq WHERE state = 'asking';
  DROP INDEX confirmations_asking;
  `,
  `
  CREATE TABLE marks (
    connection_id INTEGER NOT NULL REFERENCES connections (id),
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (connection_id, name)
  ) WITHOUT ROWID;
  INSERT INTO marks (connection_id, name, value)
    SELECT c.id, m.name, max(t.due_at)
    FROM (
      SELECT 'probe ' AS prefix, '' AS suffix, 'probe' AS name
      UNION ALL SELECT 'resync ', '', 'bootstrap begun'
      UNION ALL SELECT 'resync ', ' ended', 'bootstrap ended'
      UNION ALL SELECT 'released ', '', 'released'
      UNION ALL SELECT 'sandbox-test ', '', 'trial passed'
    ) m
    JOIN connections c
    JOIN ticks t ON t.job = m.prefix || c.id || m.suffix
    GROUP BY c.id, m.name;
  DELETE FROM ticks
    WHERE job GLOB 'probe [0-9]*' OR job GLOB 'resync [0-9]*' OR job GLOB 'released [0-9]*' OR job GLOB 'sandbox-test [0-9]*';
  `,
  `
  ALTER TABLE services ADD COLUMN facts TEXT;
  `,
  `
  CREATE TABLE sources (source TEXT PRIMARY KEY, taken_at INTEGER, refused_at INTEGER) WITHOUT ROWID;
  CREATE TABLE write_trials (bytes BLOB NOT NULL);
  `,
  `
  ALTER TABLE consents RENAME COLUMN verifier TO seal;
  ALTER TABLE consents ADD COLUMN account_id TEXT;
  UPDATE consents SET outcome = 'voided' WHERE outcome IS NULL;
  CREATE INDEX connections_of_account ON connections (vendor, account_id) WHERE account_id IS NOT NULL;
  `,
  `
  CREATE TABLE counted_calls (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, since INTEGER NOT NULL, holder TEXT);
  CREATE INDEX calls_of_key ON counted_calls (key);
  INSERT INTO counted_calls (key, since) SELECT key, 1e15 FROM calls WHERE at > 1000 * (unixepoch() - 15);
  DROP TABLE calls;
  ALTER TABLE counted_calls RENAME TO calls;
  CREATE TABLE told_limits (key TEXT PRIMARY KEY, calls INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO told_limits SELECT key, calls FROM call_limits;
  DROP TABLE call_limits;
  ALTER TABLE told_limits RENAME TO call_limits;
  `,
  `
  ALTER TABLE pushes ADD COLUMN record TEXT;
  CREATE INDEX pushes_of_record ON pushes (connection_id, record) WHERE record IS NOT NULL;
  `,
  `
  CREATE TABLE tombstones (
    invite BLOB PRIMARY KEY,
    at INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    earliest_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE forgotten (
    org TEXT NOT NULL,
    contact TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (org, contact)
  ) WITHOUT ROWID;
  CREATE TABLE purges (
    org TEXT NOT NULL,
    day INTEGER NOT NULL,
    what TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (org, day, what)
  ) WITHOUT ROWID;
  CREATE TABLE gone_counts (connection_id INTEGER PRIMARY KEY REFERENCES connections (id), delivered INTEGER NOT NULL);
  CREATE INDEX events_alone ON events (received_at) WHERE invite_id IS NULL;
  CREATE TRIGGER confirmations_uncounted AFTER DELETE ON confirmations WHEN old.state = 'unmatched' BEGIN
    UPDATE counters SET value = value - 1 WHERE name = 'unmatched';
  END;
  ALTER TABLE trials ADD COLUMN noted_at INTEGER;
  ALTER TABLE log_file ADD COLUMN pages INTEGER;
  `,
  `
  ALTER TABLE consents ADD COLUMN refused_at INTEGER;
  ALTER TABLE consents ADD COLUMN refusal TEXT;
  `,
  `
  ALTER TABLE consents ADD COLUMN allows_cross_region INTEGER NOT NULL DEFAULT 0;
  `,
  `
  ALTER TABLE pushes ADD COLUMN receipt TEXT;
  CREATE TABLE catalog (
    org TEXT NOT NULL,
    vendor TEXT NOT NULL,
    environment TEXT NOT NULL,
    job_id TEXT NOT NULL,
    stage TEXT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (org, vendor, environment, job_id, stage)
  ) WITHOUT ROWID;
  CREATE TABLE invite_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    org TEXT NOT NULL,
    vendor TEXT NOT NULL,
    environment TEXT NOT NULL,
    application_id TEXT NOT NULL,
    test TEXT NOT NULL,
    candidate_id TEXT NOT NULL,
    job_id TEXT NOT NULL,
    stage TEXT NOT NULL,
    entry TEXT NOT NULL,
    assessment_id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    reason TEXT,
    ended_at INTEGER,
    UNIQUE (org, vendor, environment, application_id, test)
  );
  CREATE INDEX invite_requests_wanted ON invite_requests (org, id) WHERE ended_at IS NULL;
  CREATE TABLE request_attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id INTEGER NOT NULL REFERENCES invite_requests (id),
    org TEXT NOT NULL,
    at INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    http_status INTEGER,
    duration_ms INTEGER NOT NULL,
    reason TEXT
  );
  CREATE INDEX request_attempts_of_org ON request_attempts (org, id);
  CREATE INDEX request_attempts_of_request ON request_attempts (request_id);
  `,
  `
  CREATE TABLE admin_links (
    hash TEXT PRIMARY KEY,
    org TEXT,
    who TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
  ) WITHOUT ROWID;
  CREATE TABLE admin_sessions (
    hash TEXT PRIMARY KEY,
    org TEXT,
    who TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    org TEXT,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    about TEXT NOT NULL
  );
  CREATE INDEX audit_of_org ON audit (org, id);
  ALTER TABLE consents ADD COLUMN begun_by TEXT;
  ALTER TABLE consents ADD COLUMN return_to TEXT;
  `,
  `
  CREATE TABLE erasures (
    mark BLOB PRIMARY KEY,
    person BLOB NOT NULL,
    org TEXT NOT NULL,
    at INTEGER NOT NULL,
    bytes_due INTEGER NOT NULL DEFAULT 1
  ) WITHOUT ROWID;
  CREATE INDEX erasures_of_person ON erasures (person);
  CREATE INDEX erasures_due ON erasures (mark) WHERE bytes_due <> 0;
  `,
  `
  ALTER TABLE refusals ADD COLUMN kind TEXT;
  ALTER TABLE refusals ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
  `,
];
