/** What HubSpot shall know about a contact, given all invites of that e-mail. Pure. */
import type { Test, TestResult } from "../../core/event.ts";
import type { Invite } from "../../core/invite.ts";
import type { MappingWarning, Projection } from "../../core/push.ts";
import { contactHeads } from "../../core/subject.ts";
import { isoTime } from "../../shared/clock.ts";
import type { PropertyName } from "./properties.ts";
import { type Reading, type Score, SCORES } from "./readings.ts";

interface Mapped {
  projection: Projection;
  warnings: MappingWarning[];
}

/**
 * The whole current projection, in texts as HubSpot wants them, and nothing else: an absent value is left out,
 * never sent empty, which would clear it. Empty while every invite is merely invited.
 * `knownFields`: what the portal's properties were at the last bootstrap; null for all of ours.
 */
export function mapContact(
  invites: readonly Invite[],
  { resultBase, knownFields }: { resultBase: string; knownFields: readonly string[] | null },
): Mapped {
  const readings: [PropertyName, Reading][] = [
    ...SCORES.map((score): [PropertyName, Reading] => [score.property, newestReading(score, invites)]),
    ...readHeads(invites, resultBase),
  ];
  const known = readings.filter(([property]) => !knownFields || knownFields.includes(property));
  const mapped: Mapped = { projection: {}, warnings: [] };
  for (const [property, reading] of known) {
    if (!reading) continue;
    if ("value" in reading) mapped.projection[property] = reading.value;
    else mapped.warnings.push({ field: property, reason: reading.problem });
  }
  return mapped;
}

interface Told {
  reading: Reading;
  at: number;
  invitationId: string;
}

/**
 * The newest completed test that speaks of the property decides, also when what it says is no valid value: an
 * older score would pass for the newest one.
 */
function newestReading({ slug, read }: Score, invites: readonly Invite[]): Reading {
  let newest: Told | null = null;
  for (const invite of invites) {
    for (const test of invite.tests) {
      if (test.slug !== slug || !isScored(test)) continue;
      const reading = read(test.result);
      const told = { reading, at: test.completedAt ?? invite.at, invitationId: invite.invitationId };
      if (reading && (!newest || !isOlder(told, newest))) newest = told;
    }
  }
  return newest?.reading ?? null;
}

function isScored(test: Test): test is Test & { result: TestResult } {
  return test.status === "completed" && test.result !== null;
}

function isOlder(a: Told, b: Told): boolean {
  return a.at === b.at ? a.invitationId < b.invitationId : a.at < b.at;
}

function readHeads(invites: readonly Invite[], resultBase: string): [PropertyName, Reading][] {
  const { latest, latestCompleted } = contactHeads(invites);
  if (!latest) return [];
  const completedAt = latestCompleted?.completedAt ?? null;
  return [
    ["jc_test_status", { value: latest.status }],
    ["jc_result_url", readResultUrl(latest, resultBase)],
    ["jc_completed_at", completedAt === null ? null : { value: isoTime(completedAt) }],
    ["jc_invitation_id", { value: latest.invitationId }],
  ];
}

/** Unless the event carries its own, the page in the dashboard, which opens for people signed in there. */
function readResultUrl({ resultUrl, invitationId }: Invite, resultBase: string): Reading {
  if (resultUrl === null)
    return {
      value: `${resultBase.replace(/\/+$/, "")}/business/dashboard/invites/${encodeURIComponent(invitationId)}`,
    };
  const scheme = URL.canParse(resultUrl) ? new URL(resultUrl).protocol : null;
  const isWeb = scheme === "https:" || scheme === "http:";
  return isWeb ? { value: resultUrl.trim() } : { problem: "is no web address" };
}
