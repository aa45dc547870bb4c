import { BEGUN } from "../../../postgres/sql.ts";

/**
 * Part of the first migration: what an intake reads and writes, each in one round trip, its statements planned once a session.
 * Their plans are made for tables that grow: those of a new log would read all of it.
 */
const PLANNED_FOR_GROWTH =
  "SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan";

export const INTAKE_FUNCTIONS = `
  -- Gives pushes their new versions, one row for each push. One that waits keeps the moment since which it waits and, unless it is
  -- urgent, its turn; one in flight remembers when it moved; a held one stays held.
  CREATE FUNCTION jc.raise_pushes(connections bigint[], subjects text[], causes text[], versions bigint[], moments bigint[],
    runs bigint[], urgent boolean) RETURNS void LANGUAGE plpgsql ${PLANNED_FOR_GROWTH} AS $$
    BEGIN
      INSERT INTO jc.pushes AS p (connection_id, subject, state, held_cause, version, pending_since, due_at, run_id)
        SELECT connection_id, subject, CASE WHEN hold_cause IS NULL THEN 'pending' ELSE 'held' END, hold_cause, version, now, now, run_id
        FROM unnest(connections, subjects, causes, versions, moments, runs) AS r (connection_id, subject, hold_cause, version, now, run_id)
      ON CONFLICT (connection_id, subject) DO UPDATE SET
        version = excluded.version,
        moved_at = CASE WHEN p.lease IS NULL THEN NULL ELSE coalesce(p.moved_at, excluded.pending_since) END,
        due_at = CASE WHEN p.state <> 'pending' THEN excluded.due_at
          WHEN urgent THEN least(p.due_at, excluded.due_at) ELSE p.due_at END,
        tries = CASE WHEN p.state = 'pending' THEN p.tries ELSE 0 END,
        alone = 0,
        run_id = coalesce(excluded.run_id, p.run_id),
        pending_since = CASE WHEN p.state IN ('pending', 'held') THEN coalesce(p.pending_since, excluded.pending_since)
          ELSE excluded.pending_since END,
        held_cause = CASE WHEN p.state = 'held' THEN p.held_cause ELSE excluded.held_cause END,
        state = CASE WHEN p.state = 'held' THEN 'held' ELSE excluded.state END;
    END $$;

  -- All that an intake goes by of a connection.
  CREATE FUNCTION jc.mark_of(c jc.connections) RETURNS text LANGUAGE sql STABLE AS
    $$ SELECT (c.id, c.org, c.vendor, c.environment, c.subject_kind, c.hold_cause)::text $$;

  -- What stands of events, orgs, invites and candidates before they are folded, and the numbers that new rows will have.
  CREATE FUNCTION jc.read_intake(sources text[], event_ids text[], orgs text[], invite_orgs text[], invitations text[],
    graves bytea[], trial_orgs text[], trial_vendors text[], trial_candidates text[]) RETURNS json
    LANGUAGE plpgsql ${PLANNED_FOR_GROWTH} AS $$
    BEGIN
      RETURN json_build_object(
        'hasErasures', EXISTS (SELECT 1 FROM jc.erasures),
        'hasUnmatched', EXISTS (SELECT 1 FROM jc.confirmations c WHERE c.org = ANY (orgs) AND c.state = 'unmatched'),
        'bodies', (SELECT json_agg(DISTINCT jsonb_build_array(e.source, e.event_id, encode(e.body_hash, 'hex')))
          FROM unnest(sources, event_ids) AS k (source, event_id)
            JOIN jc.events e ON e.event_id = k.event_id AND e.source = k.source),
        'invites', (SELECT json_agg(json_build_object('id', i.id, 'contact', i.contact, 'state', i.state))
          FROM unnest(invite_orgs, invitations) AS k (org, invitation_id)
            JOIN jc.invites i ON i.org = k.org AND i.invitation_id = k.invitation_id),
        'tombstones', (SELECT json_agg(json_build_object('invite', encode(t.invite, 'hex'), 'at', t.at, 'completed', t.completed,
            'status', t.status, 'body', encode(t.body, 'hex'), 'earliest_at', t.earliest_at))
          FROM unnest(graves) AS k (invite) JOIN jc.tombstones t ON t.invite = k.invite),
        'destinations', (SELECT json_agg(json_build_object('id', c.id, 'org', c.org, 'vendor', c.vendor, 'environment', c.environment,
            'subject_kind', c.subject_kind, 'hold_cause', c.hold_cause, 'mark', jc.mark_of(c)) ORDER BY c.id)
          FROM jc.connections c WHERE c.org = ANY (orgs) AND c.account_id IS NOT NULL),
        'trials', (SELECT json_agg(json_build_array(t.org, t.vendor, t.candidate_id))
          FROM unnest(trial_orgs, trial_vendors, trial_candidates) AS k (org, vendor, candidate_id)
            JOIN jc.trials t ON t.org = k.org AND t.vendor = k.vendor AND t.candidate_id = k.candidate_id),
        'seqs', (SELECT json_agg(nextval('jc.events_seq_seq')) FROM generate_series(1, cardinality(event_ids))),
        'ids', (SELECT json_agg(nextval('jc.invites_id_seq')) FROM generate_series(1, cardinality(invitations))),
        'versions', (SELECT json_agg(nextval('jc.versions')) FROM generate_series(1, cardinality(event_ids))));
    END $$;

  CREATE FUNCTION jc.end_requests(ended text[], ends bigint[]) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
      IF cardinality(ended) > 0 THEN
        UPDATE jc.invite_requests r SET state = 'sent', reason = NULL, ended_at = n.now
          FROM unnest(ended, ends) AS n (assessment, now) WHERE r.assessment_id = n.assessment AND r.ended_at IS NULL;
      END IF;
    END $$;

  -- Invites (new, moved, and kept ones), events in their order, pushes, requests that ended, and counts.
  CREATE FUNCTION jc.write_intake(
    invite_ids bigint[], are_new boolean[], orgs text[], invitations text[], contacts text[], assessments text[], statuses text[],
    moments bigint[], owing integer[], state_versions bigint[], states text[],
    kept_ids bigint[], kept_states text[],
    seqs bigint[], sources text[], event_ids text[], hashes bytea[], types text[], event_moments bigint[], receipts bigint[],
    conflicts integer[], event_invites bigint[], payloads text[],
    connections bigint[], subjects text[], causes text[], versions bigint[], raised bigint[],
    ended text[], ends bigint[],
    counters text[], numbers bigint[]) RETURNS void LANGUAGE plpgsql ${PLANNED_FOR_GROWTH} AS $$
    BEGIN
      IF true = ANY (are_new) THEN
        INSERT INTO jc.invites (id, org, invitation_id, contact, assessment, status, at, owed, state_version, state)
          SELECT id, org, invitation_id, contact, assessment, status, at, owed, state_version, state
          FROM unnest(invite_ids, are_new, orgs, invitations, contacts, assessments, statuses, moments, owing, state_versions, states)
            AS n (id, is_new, org, invitation_id, contact, assessment, status, at, owed, state_version, state) WHERE n.is_new;
      END IF;
      IF false = ANY (are_new) THEN
        UPDATE jc.invites i SET contact = n.contact, assessment = n.assessment, status = n.status, at = n.at, owed = n.owed,
          state_version = n.state_version, state = n.state
          FROM unnest(invite_ids, are_new, contacts, assessments, statuses, moments, owing, state_versions, states)
            AS n (id, is_new, contact, assessment, status, at, owed, state_version, state) WHERE i.id = n.id AND NOT n.is_new;
      END IF;
      IF cardinality(kept_ids) > 0 THEN
        UPDATE jc.invites i SET state = n.state FROM unnest(kept_ids, kept_states) AS n (id, state)
          WHERE i.id = n.id AND i.state <> n.state;
      END IF;
      IF cardinality(seqs) > 0 THEN
        INSERT INTO jc.events (seq, source, event_id, body_hash, type, at, received_at, conflict, invite_id, payload)
          SELECT * FROM unnest(seqs, sources, event_ids, hashes, types, event_moments, receipts, conflicts, event_invites, payloads);
      END IF;
      IF cardinality(connections) > 0 THEN
        PERFORM jc.raise_pushes(connections, subjects, causes, versions, raised, array_fill(NULL::bigint, ARRAY[cardinality(connections)]), false);
      END IF;
      PERFORM jc.end_requests(ended, ends);
      IF cardinality(counters) > 0 THEN
        INSERT INTO jc.counter_changes SELECT * FROM unnest(counters, numbers);
      END IF;
    END $$;

  -- The same for invites that nobody knew, on the guess that nothing of all this is here and that the connections are these; where
  -- that does not hold, nothing is written and false returned. Numbers count from 1 and stand for new ones, since each must be
  -- above all that were given before.
  CREATE FUNCTION jc.append_new(
    invite_ids bigint[], graves bytea[], orgs text[], invitations text[], contacts text[], assessments text[], statuses text[],
    moments bigint[], owing integer[], state_versions bigint[], states text[],
    sources text[], event_ids text[], hashes bytea[], types text[], event_moments bigint[], receipts bigint[],
    conflicts integer[], event_invites bigint[], payloads text[],
    connections bigint[], subjects text[], causes text[], versions bigint[], raised bigint[],
    ended text[], ends bigint[],
    counters text[], numbers bigint[],
    of_orgs text[], destinations text[], trial_orgs text[], trial_vendors text[], trial_candidates text[]) RETURNS boolean
    LANGUAGE plpgsql ${PLANNED_FOR_GROWTH} AS $$
    DECLARE
      new_ids bigint[];
      new_versions bigint[];
    BEGIN
      IF current_setting('${BEGUN}', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'the transaction has not begun' USING ERRCODE = 'no_active_sql_transaction';
      END IF;
      IF EXISTS (SELECT 1 FROM jc.erasures)
        OR EXISTS (SELECT 1 FROM jc.confirmations c WHERE c.org = ANY (of_orgs) AND c.state = 'unmatched')
        OR EXISTS (SELECT 1 FROM unnest(sources, event_ids) AS k (source, event_id)
            JOIN jc.events e ON e.event_id = k.event_id AND e.source = k.source)
        OR EXISTS (SELECT 1 FROM unnest(orgs, invitations) AS k (org, invitation_id)
            JOIN jc.invites i ON i.org = k.org AND i.invitation_id = k.invitation_id)
        OR EXISTS (SELECT 1 FROM unnest(graves) AS k (invite) JOIN jc.tombstones t ON t.invite = k.invite)
        OR EXISTS (SELECT 1 FROM unnest(trial_orgs, trial_vendors, trial_candidates) AS k (org, vendor, candidate_id)
            JOIN jc.trials t ON t.org = k.org AND t.vendor = k.vendor AND t.candidate_id = k.candidate_id)
        OR destinations <> ARRAY(SELECT jc.mark_of(c) FROM jc.connections c
            WHERE c.org = ANY (of_orgs) AND c.account_id IS NOT NULL ORDER BY c.id)
      THEN
        RETURN false;
      END IF;
      new_ids := ARRAY(SELECT nextval('jc.invites_id_seq') FROM generate_series(1, cardinality(invite_ids)));
      new_versions := ARRAY(SELECT nextval('jc.versions') FROM generate_series(1, cardinality(event_ids)));
      INSERT INTO jc.invites (id, org, invitation_id, contact, assessment, status, at, owed, state_version, state)
        SELECT new_ids[id], org, invitation_id, contact, assessment, status, at, owed, new_versions[version], state
        FROM unnest(invite_ids, orgs, invitations, contacts, assessments, statuses, moments, owing, state_versions, states)
          AS n (id, org, invitation_id, contact, assessment, status, at, owed, version, state);
      INSERT INTO jc.events (source, event_id, body_hash, type, at, received_at, conflict, invite_id, payload)
        SELECT source, event_id, body_hash, type, at, received_at, conflict, new_ids[invite], payload
        FROM unnest(sources, event_ids, hashes, types, event_moments, receipts, conflicts, event_invites, payloads)
          AS n (source, event_id, body_hash, type, at, received_at, conflict, invite, payload);
      IF cardinality(connections) > 0 THEN
        PERFORM jc.raise_pushes(connections, subjects, causes, ARRAY(SELECT new_versions[version] FROM unnest(versions) AS version),
          raised, array_fill(NULL::bigint, ARRAY[cardinality(connections)]), false);
      END IF;
      PERFORM jc.end_requests(ended, ends);
      INSERT INTO jc.counter_changes SELECT * FROM unnest(counters, numbers);
      RETURN true;
    END $$;
`;
