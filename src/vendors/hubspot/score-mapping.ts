/** What HubSpot shall know about a contact, given all invites of that e-mail. Pure. */
import type { Forgotten } from "../../core/forgotten.ts";
import type { Invite } from "../../core/invite.ts";
import type { MappingWarning, Projection } from "../../core/push.ts";
import { newestReading, type Reading, resultUrlOf, SCORES } from "../../core/scores.ts";
import { contactHeads } from "../../core/subject.ts";
import { isoTime } from "../../shared/clock.ts";
import type { PropertyName } from "./properties.ts";

interface Mapped {
  projection: Projection;
  warnings: MappingWarning[];
  /** Left out, since a newer invite that is gone had told it; absent where nothing is. */
  withheld?: string[];
}

/** Left out for that reason. */
const WITHHELD = "withheld";

/**
 * The whole current projection, in texts as HubSpot wants them, and nothing else: an absent value is left out,
 * never sent empty, which would clear it. Empty while every invite is merely invited.
 * `knownFields`: what the portal's properties were at the last bootstrap; null for all of ours. `forgotten`: what invites
 * told that are gone.
 */
export function mapContact(
  invites: readonly Invite[],
  { resultBase, knownFields, forgotten = null }: MappingContext,
): Mapped {
  const readings = [...readScores(invites, forgotten), ...readHeads(invites, { resultBase, forgotten })];
  const known = readings.filter(([property]) => !knownFields || knownFields.includes(property));
  const mapped: Mapped = { projection: {}, warnings: [] };
  const withheld: string[] = [];
  for (const [property, reading] of known) {
    if (!reading) continue;
    if (reading === WITHHELD) withheld.push(property);
    else if ("value" in reading) mapped.projection[property] = reading.value;
    else mapped.warnings.push({ field: property, reason: reading.problem });
  }
  return withheld.length > 0 ? { ...mapped, withheld } : mapped;
}

interface MappingContext {
  resultBase: string;
  knownFields: readonly string[] | null;
  forgotten?: Forgotten | null;
}

type Property = [PropertyName, Reading | typeof WITHHELD];

function readScores(invites: readonly Invite[], forgotten: Forgotten | null): Property[] {
  return SCORES.map((score): Property => {
    const newest = newestReading(score, invites);
    const isTold = isOlder(newest?.at ?? null, forgotten?.tests[score.slug] ?? null);
    return [`jc_${score.name}`, isTold ? WITHHELD : (newest?.reading ?? null)];
  });
}

function readHeads(
  invites: readonly Invite[],
  { resultBase, forgotten }: { resultBase: string; forgotten: Forgotten | null },
): Property[] {
  const heads: readonly Head[] = forgotten === null ? invites : [...invites, ...gone(forgotten)];
  const { latest, latestCompleted } = contactHeads(heads);
  const ofLatest = (reading: (head: Invite) => Reading): Property[1] =>
    latest === null ? null : isGone(latest) ? WITHHELD : reading(latest);
  return [
    ["jc_test_status", ofLatest(({ status }) => ({ value: status }))],
    ["jc_result_url", ofLatest((head) => resultUrlOf(head, resultBase))],
    ["jc_completed_at", completedAtOf(latestCompleted)],
    ["jc_invitation_id", ofLatest(({ invitationId }) => ({ value: invitationId }))],
  ];
}

function completedAtOf(head: Head | null): Property[1] {
  if (head !== null && isGone(head)) return WITHHELD;
  const completedAt = head?.completedAt ?? null;
  return completedAt === null ? null : { value: isoTime(completedAt) };
}

/** What may speak for the contact: an invite, or one that is gone and had spoken. */
type Head = Invite | GoneHead;

interface GoneHead
  extends Pick<Invite, "invitationId" | "status" | "sentAt" | "earliestAt" | "tests" | "origin" | "toldBy"> {
  isGone: true;
}

function isGone(head: Head): head is GoneHead {
  return "isGone" in head;
}

/** Of the same moment an invite counts before it, as its id is none: it may be the same one, made anew. */
function gone(forgotten: Forgotten): GoneHead[] {
  return forgotten.heads.map(({ status, madeAt, hasCompletedTest, toldBy, vendor }) => ({
    isGone: true,
    invitationId: "",
    status,
    sentAt: madeAt,
    earliestAt: madeAt,
    tests: hasCompletedTest ? [{ slug: "", status: "completed", completedAt: null, result: null }] : [],
    origin: vendor === null ? null : { vendor, candidateId: "", jobId: null, assessmentId: null },
    ...(toldBy === null ? {} : { toldBy }),
  }));
}

/** Of the same moment it may be the same invite, made anew by a newer event. */
function isOlder(at: number | null, goneAt: number | null): boolean {
  return goneAt !== null && (at === null || at < goneAt);
}
