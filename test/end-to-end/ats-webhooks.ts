/** The webhooks of both sides about candidates of SmartRecruiters, good and bad, and what must come of them. */
import { createHmac } from "node:crypto";
import { disc, type InviteEvent, sign } from "../world.ts";
import { type Asked, type BothWorld, inviteOf } from "./ats-world.ts";

export interface Webhook {
  source: "jobcannon" | "smartrecruiters";
  id: string;
  path: string;
  body: string;
  headers: Record<string, string>;
  isBad: boolean;
  /** What a good one of JobCannon tells. */
  event?: InviteEvent;
}

/** So many webhooks in a wild order: every good one twice, and bad ones for the rest. */
export function webhooksAbout(asked: readonly Asked[], n: number, world: BothWorld): Webhook[] {
  const good = asked.flatMap((each, index) => [
    ...storyOf(each, index).map(fromJobcannon),
    fromSmartrecruiters(each, index, world),
  ]);
  const bad = good.slice(0, n - 2 * good.length).map(spoiled);
  return shuffled([...good, ...good, ...bad]);
}

const DIMENSIONS = ["Dominance", "Influence", "Steadiness", "Conscientiousness"];

function scoresOf(index: number): [number, number, number, number] {
  return [index % 101, (index * 7) % 101, (index * 13) % 101, (index * 29) % 101];
}

function moment(index: number, hour: number): string {
  return new Date(Date.UTC(2024, 4, 1 + (index % 20), hour)).toISOString();
}

function completedTest(index: number) {
  return { ...disc(scoresOf(index)), completed_at: moment(index, 10) };
}

/** What JobCannon tells of one invitation, in the order in which things happened. */
function storyOf(asked: Asked, index: number): InviteEvent[] {
  const at = (hour: number) => moment(index, hour);
  const test = (status: string) => ({ slug: "disc", status });
  const done = { sent_at: at(8), completed_at: at(10), tests: [completedTest(index)] };
  return [
    inviteOf(asked, { sent_at: at(8), type: "invite.sent", timestamp: at(8), tests: [test("assigned")] }),
    inviteOf(asked, { sent_at: at(8), type: "invite.progress", timestamp: at(9), tests: [test("started")] }),
    inviteOf(asked, { ...done, timestamp: at(10) }),
    // Told once more, as a newer snapshot of the same.
    inviteOf(asked, { ...done, timestamp: at(11) }),
  ];
}

function fromJobcannon(event: InviteEvent, index: number): Webhook {
  const id = `msg_${event.data.invitation_id}_${index}`;
  const body = JSON.stringify(event);
  const headers = sign(body, undefined, { id });
  return { source: "jobcannon", id, path: "/jobcannon/events", body, headers, isBad: false, event };
}

/** Every third one names the invitation, every fifth has the result. */
function fromSmartrecruiters(
  { candidateId, assessmentId }: Asked,
  index: number,
  { signedWith }: BothWorld,
): Webhook {
  const id = `evt_of_${assessmentId}`;
  const body = JSON.stringify({
    id,
    event: "candidate.assessment.completed",
    occurredAt: moment(index, 12),
    data: {
      candidateId,
      assessmentId,
      status: "completed",
      ...(index % 3 === 0 && { invitationId: `inv_${assessmentId}` }),
      ...(index % 5 === 0 && { result: completedTest(index).result }),
    },
  });
  const headers = signature(body, signedWith);
  return { source: "smartrecruiters", id, path: "/smartrecruiters/webhooks", body, headers, isBad: false };
}

function signature(body: string, key: string): Record<string, string> {
  const hex = createHmac("sha256", key).update(body).digest("hex");
  return { "content-type": "application/json", "x-smartrecruiters-signature": `sha256=${hex}` };
}

const STRANGE_SECRET = `whsec_${Buffer.from("somebody else's own secret").toString("base64")}`;

/** A webhook with the wrong secret, without its signature's header, or changed on its way. */
function spoiled(good: Webhook, index: number): Webhook {
  const isJobcannons = good.source === "jobcannon";
  const id = `${good.id}_bad`;
  const body = isJobcannons ? good.body : good.body.replace(good.id, id);
  const { event: _, ...webhook } = { ...good, id, body, isBad: true };
  const signed = isJobcannons ? sign(body, undefined, { id }) : good.headers;
  if (index % 3 === 0) {
    const headers = isJobcannons ? sign(body, STRANGE_SECRET, { id }) : signature(body, STRANGE_SECRET);
    return { ...webhook, headers };
  }
  if (index % 3 === 1) {
    const { "webhook-signature": _, "x-smartrecruiters-signature": __, ...headers } = signed;
    return { ...webhook, headers };
  }
  return {
    ...webhook,
    body: body.replace("assessment_id", "job_id").replace("completed", "begun"),
    headers: signed,
  };
}

/** The same order each time. */
function shuffled<T>(list: readonly T[]): T[] {
  const place = (index: number) => createHmac("sha256", "order").update(String(index)).digest("hex");
  return list
    .map((item, index) => ({ item, place: place(index) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ item }) => item);
}

/** The one entry on the candidate's scorecard, as people shall see it. */
export function entryOf({ assessmentId }: Asked, index: number): object {
  const scores = scoresOf(index);
  return {
    assessmentId,
    title: "JobCannon: DISC",
    score: null,
    summary: `DISC: ${DIMENSIONS.map((name, place) => `${name} ${scores[place]}`).join(", ")}`,
    resultUrl: `https://jobcannon.io/business/dashboard/invites/inv_${assessmentId}`,
    completedAt: moment(index, 10),
    fields: ["d", "i", "s", "c"].map((letter, place) => ({
      fieldId: `cf-disc-${letter}`,
      value: String(scores[place]),
    })),
  };
}
