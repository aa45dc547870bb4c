/** One invite's road as people read it: the answer first, then all that it rests on. */
import { triedWords } from "../../core/advice/held-words.ts";
import { type Answer, answerWords } from "../../core/advice/result-answer.ts";
import type { Test, TestResult } from "../../core/event.ts";
import type { InviteStory } from "../../flows/status/invite-story.ts";
import { isoTime } from "../../shared/clock.ts";
import type { Terminal } from "../../shared/terminal.ts";
import { listed, plain, short } from "../../shared/text.ts";
import type { InviteHistory } from "../../store/contract/store.ts";
import { maskerFor, withMaskedAddresses } from "./masked-invite.ts";
import { inviteJson, placeOf, pushJson, stateWords } from "./invite-words.ts";
import { withoutEffectWords } from "./told-status.ts";
import { outcomeWords } from "./outcome.ts";
import type { ShownTime } from "./shown-time.ts";

export interface ShownInvite {
  history: InviteHistory;
  story: InviteStory;
}

/** Addresses are personal data: masked until asked for, in words about them too. */
export function masked({ history, story }: ShownInvite): ShownInvite {
  const words = maskerFor(history);
  return {
    history: withMaskedAddresses(history),
    story: {
      ...story,
      answers: story.answers.map((answer) => ({ ...answer, words: words(answer.words) })),
      leftOut: story.leftOut.map((each) => ({ ...each, reason: words(each.reason) })),
      unknown: story.unknown.map(words),
      oddities: story.oddities.map(words),
    },
  };
}

export function renderInvite({ history, story }: ShownInvite, terminal: Terminal, time: ShownTime): string {
  const { paint } = terminal;
  const { invite } = history;
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ["", paint.bold(title), ...lines];
  const table = (headings: Parameters<Terminal["table"]>[0], rows: string[][]) =>
    rows.length === 0 ? [] : [terminal.table(headings, rows)];
  return [
    ...story.answers.map((answer) => answerLine(answer, terminal)),
    "",
    `${paint.bold(plain(invite.invitationId))}  ${invite.status}  ${short(invite.candidate.email.trim())}`,
    ...story.oddities.map((words) => paint.yellow(`! ${plain(words)}`)),
    ...section(
      "Tests",
      table(
        ["test", "status", { name: "completed", drop: 1, whole: true }, "scores"],
        invite.tests.map((test) => [
          plain(test.slug),
          test.status,
          test.completedAt === null ? "–" : time.second(test.completedAt),
          scoresOf(test),
        ]),
      ),
    ),
    ...history.pushes.flatMap((push) => section(sentTitle(push), sentLines(push, table))),
    ...section("Left out, and why", leftOutLines(story, table)),
    ...section("Joined with", joinedLines(history, story)),
    ...section("Attempts", table(ATTEMPT_COLUMNS, attemptRows(history, time))),
    ...section("Events", table(EVENT_COLUMNS, eventRows(history, terminal, time))),
  ].join("\n");
}

const MARKS: Record<Answer["tone"], [mark: string, colour: "green" | "yellow" | "red"]> = {
  good: ["✓", "green"],
  waiting: ["·", "yellow"],
  bad: ["✗", "red"],
};

function answerLine(answer: Answer, { paint }: Terminal): string {
  const [mark, colour] = MARKS[answer.tone];
  return `${paint[colour](mark)} ${answerWords(answer)}`;
}

/** "Dominance 68, Influence 41", "INFJ-T", "112": as they came. */
function scoresOf({ result }: Test): string {
  if (result === null) return "–";
  const { dimensions = [], score, type, code }: TestResult = result;
  const parts = [
    ...dimensions.map((each) => `${plain(each.name)} ${shownValue(each.score)}`),
    ...[score, type, code].flatMap((each) => (each === undefined || each === null ? [] : [shownValue(each)])),
  ];
  return parts.join(", ") || "–";
}

function shownValue(value: unknown): string {
  return short(typeof value === "string" ? value : JSON.stringify(value), 80);
}

type TableOf = (headings: Parameters<Terminal["table"]>[0], rows: string[][]) => string[];

function sentTitle(push: InviteHistory["pushes"][number]): string {
  return `Sent to ${placeOf(push)}${push.state === "rejected" ? ", and refused" : ""}`;
}

function sentLines(
  { projection, state, ...push }: InviteHistory["pushes"][number],
  table: TableOf,
): string[] {
  const rows = Object.entries(projection ?? {}).map(([name, value]) => [plain(name), short(value)]);
  const words = stateWords({ ...push, state });
  const standing = rows.length === 0 ? `nothing so far (${words})` : "";
  return [
    ...(standing === "" ? [] : [standing]),
    ...table(["property", { name: "value", below: true }], rows),
  ];
}

function leftOutLines({ leftOut, unknown }: InviteStory, table: TableOf): string[] {
  const rows = leftOut.map((each) => [plain(each.field), placeOf(each), plain(each.reason)]);
  return [
    ...table(["property", { name: "at", drop: 1 }, { name: "why", below: true }], rows),
    ...unknown.map((words) => `- ${plain(words)}`),
  ];
}

const MOST_JOINED = 10;

function joinedLines({ pushes }: InviteHistory, { joinedInvites }: InviteStory): string[] {
  const shared = pushes.flatMap((push) => {
    if (!push.shared) return [];
    const others = listed(push.shared.subjects.map((subject) => short(subject)));
    return [
      `- ${push.vendor}: shares contact ${plain(push.shared.record)} with ${others}; it shows the newest results of all`,
    ];
  });
  if (joinedInvites.length === 0) return shared;
  const named = joinedInvites.slice(0, MOST_JOINED).map(plain).join(", ");
  const more = joinedInvites.length - MOST_JOINED;
  return [
    ...shared,
    `- other invitations of the same candidate: ${named}${more > 0 ? ` and ${more} more` : ""}`,
  ];
}

const ATTEMPT_COLUMNS = [
  { name: "outcome", whole: true },
  { name: "at", whole: true },
  { name: "vendor", drop: 2 },
  { name: "status", drop: 1 },
  { name: "ms", wide: true },
  { name: "correlation id", wide: true },
  { name: "words", below: true },
] as const;

function attemptRows({ attempts }: InviteHistory, time: ShownTime): string[][] {
  return attempts.map((attempt) => [
    outcomeWords(attempt.outcome),
    time.second(attempt.at),
    placeOf(attempt),
    String(attempt.httpStatus ?? "–"),
    String(attempt.durationMs),
    plain(attempt.correlationId ?? "–"),
    short(triedWords(attempt), 1_000),
  ]);
}

const EVENT_COLUMNS = [
  "type",
  { name: "happened", whole: true },
  { name: "received", drop: 2, whole: true },
  { name: "id", wide: true },
  "",
] as const;

function eventRows({ events }: InviteHistory, { paint }: Terminal, time: ShownTime): string[][] {
  return events.map((event) => [
    plain(event.type),
    time.second(event.at),
    time.second(event.receivedAt),
    plain(event.eventId),
    paint.yellow(oddityOf(event)),
  ]);
}

function oddityOf({ conflict, told }: InviteHistory["events"][number]): string {
  const words = [conflict ? "same id, other body" : "", told === null ? "" : withoutEffectWords(told)];
  return words.filter((each) => each !== "").join("; ");
}

export function inviteStoryJson({ history, story }: ShownInvite) {
  const { invite, events, pushes, attempts } = history;
  const { answers, leftOut, unknown, joinedInvites } = story;
  return {
    answers: answers.map((answer) => ({ ...answer, sentence: answerWords(answer) })),
    invite: inviteJson(invite),
    events: events.map((event) => ({
      ...event,
      at: isoTime(event.at),
      receivedAt: isoTime(event.receivedAt),
    })),
    pushes: pushes.map(pushJson),
    leftOut: [
      ...leftOut,
      ...unknown.map((reason) => ({ vendor: null, environment: null, field: null, reason })),
    ],
    joinedInvites,
    attempts: attempts.map((attempt) => ({ ...attempt, at: isoTime(attempt.at) })),
  };
}
