/**
 * What becomes of each table's rows in time: the one list of all tables. A new table is one line here, and
 * `test/store/retention.test.ts` asks for it. Rows are forgotten in this order.
 */
import { aged } from "./aged.ts";
import { purgeAttempts } from "./attempts.ts";
import { purgeEvents } from "./events.ts";
import { purgeInvites } from "./invites.ts";
import { purgePushes } from "./pushes.ts";
import { cutoffIn, type Rule } from "./rule.ts";
import { purgeRuns } from "./runs.ts";
import { membersOf } from "./stays.ts";

export const RULES: Readonly<Record<string, Rule>> = {
  invites: {
    rule: "gone when nothing was heard for so long; not while a push of its contact or assessment is pending or held, or a vendor is still to be asked",
    purge: purgeInvites,
  },
  events: {
    rule: "payloads too: gone with their invite; those without one by when they came",
    purge: purgeEvents,
  },
  confirmations: { rule: "gone with their event" },
  questions: { rule: "stay until they are answered" },
  attempts: { rule: "gone by their time; the last one of a push with that", purge: purgeAttempts },
  pushes: {
    rule: "gone when they are delivered or rejected, their invites are gone, and the last attempt was so long ago",
    purge: purgePushes,
  },
  runs: { rule: "gone by when they began, once nothing of theirs is open", purge: purgeRuns },
  forgotten: {
    rule: "gone with the last invite of the contact and of those that are one record with it",
    purge: aged(
      "forgotten",
      "org, contact",
      `NOT EXISTS (SELECT 1 FROM invites i WHERE i.org = forgotten.org AND i.contact = forgotten.contact)
        AND NOT EXISTS (${membersOf("c.org = forgotten.org AND p.subject = forgotten.contact")})`,
    ),
  },
  erasures: { rule: "stay: keyed hashes, by which an erased person's later events are refused" },
  tombstones: { rule: "stay: a hash of the id, and how new its last snapshot was" },
  trials: {
    rule: "gone so long after the first retention that met them",
    purge: aged("trials", "org, vendor, candidate_id", `noted_at < ${cutoffIn("org")}`, {
      first: "UPDATE trials SET noted_at = @now WHERE noted_at IS NULL",
    }),
  },
  catalog: { rule: "stays: what a person set" },
  request_attempts: {
    rule: "gone by their time; those of a request that is still wanted stay",
    purge: aged(
      "request_attempts",
      "id",
      `at < ${cutoffIn("org")} AND request_id IN (SELECT id FROM invite_requests WHERE ended_at IS NOT NULL)`,
    ),
  },
  invite_requests: {
    rule: "gone so long after they ended, once their attempts are: the same application may ask again then",
    purge: aged(
      "invite_requests",
      "id",
      `ended_at < ${cutoffIn("org")} AND id NOT IN (SELECT request_id FROM request_attempts)`,
    ),
  },
  refusals: {
    rule: "counts: gone by their minute",
    purge: aged("refusals", "source, minute, reason", "minute < @cutoff / 60000"),
  },
  consents: {
    rule: "gone 30 days after they ended",
    purge: aged("consents", "hash", "expires_at < @now - 30 * 86400000"),
  },
  ticks: {
    rule: "gone by the time at which they were due",
    purge: aged("ticks", "job, due_at", "due_at < @cutoff AND holder IS NULL"),
  },
  purges: {
    rule: "counts of what was removed: gone by their day",
    purge: aged("purges", "org, day, what", `day < ${cutoffIn("org")} / 86400000`),
  },
  admin_links: {
    rule: "gone a day after they ended",
    purge: aged("admin_links", "hash", "expires_at < @now - 86400000"),
  },
  admin_sessions: {
    rule: "gone when they have ended",
    purge: aged("admin_sessions", "hash", "expires_at <= @now"),
  },
  audit: {
    rule: "gone by its time",
    purge: aged("audit", "id", `at < ${cutoffIn("org")}`),
  },
  calls: { rule: "gone one window after their answers, with the next call; never more than a window has" },
  call_limits: { rule: "stay, one a window, until the vendor names another" },
  alerts: { rule: "gone when the trouble is over" },
  leases: { rule: "gone when what they hold is settled, or their process has ended" },
  services: { rule: "gone when their process has ended and another one enters" },
  connections: { rule: "stay, disconnected ones too" },
  marks: { rule: "stay, one of a name" },
  sources: { rule: "stay, one a source" },
  counters: { rule: "stay" },
  invite_counts: { rule: "stay" },
  push_counts: { rule: "stay" },
  gone_counts: { rule: "stay: what was delivered and is gone counts on" },
  log_file: { rule: "stays" },
  write_trials: { rule: "emptied at once" },
};
