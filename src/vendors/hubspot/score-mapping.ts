/** What HubSpot shall know about a contact, given all invites of that e-mail. Pure. */
import type { Invite } from "../../core/invite.ts";
import type { MappingWarning, Projection } from "../../core/push.ts";
import { newestReading, type Reading, resultUrlOf, SCORES } from "../../core/scores.ts";
import { contactHeads } from "../../core/subject.ts";
import { isoTime } from "../../shared/clock.ts";
import type { PropertyName } from "./properties.ts";

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
    ...SCORES.map((score): [PropertyName, Reading] => [`jc_${score.name}`, newestReading(score, invites)]),
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

function readHeads(invites: readonly Invite[], resultBase: string): [PropertyName, Reading][] {
  const { latest, latestCompleted } = contactHeads(invites);
  if (!latest) return [];
  const completedAt = latestCompleted?.completedAt ?? null;
  return [
    ["jc_test_status", { value: latest.status }],
    ["jc_result_url", resultUrlOf(latest, resultBase)],
    ["jc_completed_at", completedAt === null ? null : { value: isoTime(completedAt) }],
    ["jc_invitation_id", { value: latest.invitationId }],
  ];
}
