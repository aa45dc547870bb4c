/**
 * What a CRM shall hold about each candidate once all events are in and a sweep has been. Written from the product's
 * description alone and for clarity only; it shares no line with the program.
 */
import type { InviteEvent, InviteTest } from "../world.ts";

type Properties = Record<string, string>;

interface InviteState {
  id: string;
  email: string;
  status: string;
  at: number;
  earliestAt: number;
  sentAt: number | null;
  completedAt: string | null;
  tests: InviteTest[];
}

const RANKS = ["invited", "in_progress", "completed", "expired", "cancelled"];

export function expectedContacts(events: readonly InviteEvent[]): Record<string, Properties> {
  const invites = [...groupBy(events, ({ data }) => data.invitation_id).values()].map(stateOf);
  const people = groupBy(invites, ({ email }) => email);
  const contacts = [...people].map(([email, theirs]) => [email, propertiesOf(theirs)] as const);
  return Object.fromEntries(contacts.filter(([, properties]) => Object.keys(properties).length > 0));
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function stateOf(snapshots: readonly InviteEvent[]): InviteState {
  const [newest] = [...snapshots].sort(
    (a, b) => time(b) - time(a) || completed(b) - completed(a) || rank(b) - rank(a),
  );
  if (!newest) throw new Error("an invite without a snapshot");
  const { data } = newest;
  return {
    id: data.invitation_id,
    email: data.candidate.email.trim().toLowerCase(),
    status: statusOf(newest),
    at: time(newest),
    earliestAt: Math.min(...snapshots.map(time)),
    sentAt: data.sent_at ? Date.parse(data.sent_at) : null,
    completedAt: data.completed_at ?? null,
    tests: data.tests,
  };
}

function statusOf({ type, data }: InviteEvent): string {
  if (data.tests.length > 0 && data.tests.every(({ status }) => status === "completed")) return "completed";
  if (type === "invite.expired" || type === "invite.cancelled") return type.slice("invite.".length);
  return data.tests.some(({ status }) => status !== "assigned") ? "in_progress" : "invited";
}

const time = ({ timestamp }: InviteEvent) => Date.parse(timestamp);
const completed = ({ data }: InviteEvent) => data.tests.filter(({ status }) => status === "completed").length;
const rank = (event: InviteEvent) => RANKS.indexOf(statusOf(event));

function propertiesOf(invites: readonly InviteState[]): Properties {
  const newest = (those: readonly InviteState[]) =>
    [...those].sort(
      (a, b) => (b.sentAt ?? b.earliestAt) - (a.sentAt ?? a.earliestAt) || (b.id > a.id ? 1 : -1),
    )[0];
  const latest = newest(invites.filter(({ status }) => status !== "invited"));
  if (!latest) return {};
  const latestCompleted = newest(invites.filter(({ status }) => status === "completed"));
  return {
    ...scoresOf(invites),
    jc_test_status: latest.status,
    jc_invitation_id: latest.id,
    jc_result_url: `https://jobcannon.io/business/dashboard/invites/${latest.id}`,
    ...(latestCompleted?.completedAt
      ? { jc_completed_at: new Date(latestCompleted.completedAt).toISOString() }
      : {}),
  };
}

/** Oldest first, so that the newest has the last word. */
function scoresOf(invites: readonly InviteState[]): Properties {
  const done = invites.flatMap(({ id, at, tests }) =>
    tests
      .filter(({ status }) => status === "completed")
      .map((test) => ({ id, at: test.completed_at ? Date.parse(test.completed_at) : at, test })),
  );
  done.sort((a, b) => a.at - b.at || (a.id > b.id ? 1 : -1));
  return Object.assign({}, ...done.map(({ test }) => scoresOfTest(test)));
}

interface Result {
  dimensions?: { name: string; score: number | string }[];
  score?: number | string;
  type?: string;
  code?: string;
}

const LETTERS: Record<string, Record<string, string>> = {
  disc: {
    Dominance: "jc_disc_d",
    Influence: "jc_disc_i",
    Steadiness: "jc_disc_s",
    Conscientiousness: "jc_disc_c",
  },
  "big-five": {
    Openness: "jc_bigfive_o",
    Conscientiousness: "jc_bigfive_c",
    Extraversion: "jc_bigfive_e",
    Agreeableness: "jc_bigfive_a",
    Neuroticism: "jc_bigfive_n",
  },
};
const HOLLAND = ["Realistic", "Investigative", "Artistic", "Social", "Enterprising", "Conventional"];

function scoresOfTest({ slug, result = {} }: InviteTest): Properties {
  const { dimensions = [], score, type, code }: Result = result;
  if (slug === "iq-test") return { jc_iq_score: String(Number(score)) };
  if (slug === "integrity") return { jc_integrity_score: String(Number(score)) };
  if (slug === "mbti" && type) return { jc_mbti_type: type.slice(0, 4).toUpperCase() };
  if (slug === "riasec") return { jc_riasec_holland: code ?? hollandCode(dimensions) };
  return Object.fromEntries(
    dimensions.flatMap(({ name, score: value }) => {
      if (slug === "big-five" && name === "Emotional Stability")
        return [["jc_bigfive_n", String(100 - Number(value))]];
      const property = LETTERS[slug]?.[name];
      return property ? [[property, String(Number(value))]] : [];
    }),
  );
}

function hollandCode(dimensions: readonly { name: string; score: number | string }[]): string {
  const scoreOf = (name: string) => Number(dimensions.find((each) => each.name === name)?.score);
  const ranked = [...HOLLAND].sort(
    (a, b) => scoreOf(b) - scoreOf(a) || HOLLAND.indexOf(a) - HOLLAND.indexOf(b),
  );
  return ranked
    .slice(0, 3)
    .map((name) => name[0])
    .join("");
}
