import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readEvent } from "../../../src/flows/intake/read-event.ts";
import { EventRefused } from "../../../src/vendors/contract/source.ts";
import { eventIdOfLine } from "../../../src/vendors/jobcannon/event.ts";
import { jobcannon } from "../../../src/vendors/jobcannon/source.ts";

const RECEIVED_AT = Date.UTC(2026, 10, 22, 10, 20);
const KNOWN = {
  eventId: "msg_1",
  org: null,
  environment: "production",
  receivedAt: RECEIVED_AT,
} as const;

const EVENT = {
  type: "invite.completed",
  timestamp: "2026-11-22T10:15:00Z",
  data: {
    invitation_id: "inv_7Q2",
    org: "acme",
    status: "completed",
    sent_at: "2026-11-20T09:00:00Z",
    completed_at: "2026-11-22T10:14:58Z",
    candidate: { email: "Ann@Example.com", first_name: "Ann", last_name: "Lee" },
    tests: [
      {
        slug: "disc",
        status: "completed",
        completed_at: "2026-11-22T10:01:00Z",
        result: {
          dimensions: [{ name: "Dominance", score: 68, percentile: 65, interpretation: "high" }],
          duration_seconds: 245,
        },
      },
      { slug: "mbti", status: "completed", completed_at: "2026-11-22T10:14:58Z", result: { type: "INFJ-T" } },
    ],
    result_url: null,
    source: { vendor: "smartrecruiters", candidate_id: "c1", job_id: "j1", assessment_id: "a1" },
  },
};

function parse(event: unknown) {
  return jobcannon.parse(Buffer.from(JSON.stringify(event)), KNOWN);
}

/** The event with one value changed; undefined takes the field away. */
function changed(path: string, value: unknown) {
  const copy = structuredClone(EVENT);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const holder = keys.reduce<unknown>((each, key) => Reflect.get(Object(each), key), copy);
  Reflect.set(Object(holder), last, value);
  return copy;
}

function refusalOf(body: Buffer | string): string {
  try {
    readEvent(jobcannon, Buffer.from(body), KNOWN);
  } catch (error) {
    if (error instanceof EventRefused) return error.message;
    throw error;
  }
  return "taken";
}

test("a full event becomes a snapshot, with its body kept byte for byte", () => {
  const body = Buffer.from(`${JSON.stringify(EVENT, null, 1)}\n`);
  const event = jobcannon.parse(body, KNOWN);
  expect(event).toMatchObject({
    source: "jobcannon",
    eventId: "msg_1",
    type: "invite.completed",
    at: Date.UTC(2026, 10, 22, 10, 15),
    receivedAt: RECEIVED_AT,
    bodyHash: createHash("sha256").update(body).digest("hex"),
  });
  expect(Buffer.from(event.payload)).toEqual(body);
  expect(event.snapshot).toEqual({
    org: "acme",
    invitationId: "inv_7Q2",
    at: Date.UTC(2026, 10, 22, 10, 15),
    status: "completed",
    sentAt: Date.UTC(2026, 10, 20, 9),
    completedAt: Date.UTC(2026, 10, 22, 10, 14, 58),
    candidate: { email: "Ann@Example.com", firstName: "Ann", lastName: "Lee" },
    tests: [
      {
        slug: "disc",
        status: "completed",
        completedAt: Date.UTC(2026, 10, 22, 10, 1),
        result: {
          dimensions: [{ name: "Dominance", score: 68, percentile: 65, interpretation: "high" }],
          durationSeconds: 245,
        },
      },
      {
        slug: "mbti",
        status: "completed",
        completedAt: Date.UTC(2026, 10, 22, 10, 14, 58),
        result: { type: "INFJ-T" },
      },
    ],
    resultUrl: null,
    origin: { vendor: "smartrecruiters", candidateId: "c1", jobId: "j1", assessmentId: "a1" },
    warnings: [],
  });
});

test("an event with nothing but what is required is taken", () => {
  const data = { invitation_id: "inv_1", org: "acme", candidate: { email: "a@x.example" }, tests: [] };
  expect(parse({ type: "invite.sent", timestamp: "2026-11-22T10:15:00Z", data }).snapshot).toMatchObject({
    status: "invited",
    sentAt: null,
    completedAt: null,
    candidate: { email: "a@x.example", firstName: null, lastName: null },
    tests: [],
    resultUrl: null,
    origin: null,
  });
});

describe("the declared status", () => {
  test.each([
    ["invite.sent", "invited"],
    ["invite.progress", "in_progress"],
    ["invite.completed", "completed"],
    ["invite.expired", "expired"],
    ["invite.cancelled", "cancelled"],
  ])("of %s without data.status is %s", (type, status) => {
    for (const absent of [undefined, null])
      expect(parse({ ...changed("data.status", absent), type }).snapshot).toMatchObject({
        status,
        warnings: [],
      });
  });
  test("is data.status where it contradicts the type, with a warning", () => {
    expect(parse(changed("data.status", "expired")).snapshot).toMatchObject({
      status: "expired",
      warnings: ["data.status is expired, but the type says completed"],
    });
  });
});

describe("an event is taken", () => {
  test("of an unknown type with no snapshot and nothing else checked", () => {
    const event = parse({ type: "invite.reopened", timestamp: "2026-11-22T10:15:00Z", data: 7 });
    expect(event).toMatchObject({ type: "invite.reopened", snapshot: null });
  });
  test("with an unknown slug, and unknown fields are ignored", () => {
    const event = parse({ ...changed("data.tests.0.slug", "tarot"), extra: [1], __proto__x: {} });
    expect(event.snapshot?.tests[0]?.slug).toBe("tarot");
    expect(event.snapshot).not.toHaveProperty("extra");
  });
  test.each(["  Ann@Example.COM ", "not an address", "ümlaut@exämple.de"])(
    "with the e-mail %j as it came",
    (email) => {
      expect(parse(changed("data.candidate.email", email)).snapshot?.candidate.email).toBe(email);
    },
  );
  test.each([101, "68", "abc", -1, true, 1e300])(
    "with the score %j, which the destination judges",
    (score) => {
      const event = parse(changed("data.tests.0.result.dimensions.0.score", score));
      expect(event.snapshot?.tests[0]?.result?.dimensions?.[0]?.score).toBe(score);
    },
  );
  test("with names as they came, but for what no store can hold", () => {
    const names = { first_name: "A\u200dnn\u0301 \u202e\u001b[31m", last_name: "\0Lee\ud800" };
    const event = changed("data.candidate", { email: "ann@example.com", ...names });
    expect(parse(event).snapshot?.candidate).toMatchObject({
      firstName: names.first_name,
      lastName: "\ufffdLee\ufffd",
    });
    expect(parse(event).payload).toContain(String.raw`\u0000Lee\ud800`);
  });
  test("with a structure for a score, which can be written again however deep it is", () => {
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const body = JSON.stringify(changed("data.tests.1.result.type", "DEEP")).replace('"DEEP"', deep);
    const { snapshot } = jobcannon.parse(Buffer.from(body), KNOWN);
    expect(snapshot?.tests[1]?.result?.type).toBe("[structure]");
  });
  test("with __proto__ keys, which change nobody's prototype", () => {
    const body = JSON.stringify(EVENT).replace(
      '"invitation_id"',
      '"__proto__":{"org":"evil","polluted":1},"invitation_id"',
    );
    const { snapshot } = jobcannon.parse(Buffer.from(body), KNOWN);
    expect(snapshot?.org).toBe("acme");
    expect({}).not.toHaveProperty("polluted");
  });
  test("with a key twice, of which the last counts", () => {
    const body = JSON.stringify(EVENT).replace('"org":"acme"', '"org":"other","org":"acme"');
    expect(jobcannon.parse(Buffer.from(body), KNOWN).snapshot?.org).toBe("acme");
  });
  test.each([
    ["2026-11-22T10:15:00.123456Z", Date.UTC(2026, 10, 22, 10, 15, 0, 123)],
    ["2026-11-22t10:15:00z", Date.UTC(2026, 10, 22, 10, 15)],
    ["2026-11-22T15:45:00+05:30", Date.UTC(2026, 10, 22, 10, 15)],
    ["2024-02-29T00:00:00-01:00", Date.UTC(2024, 1, 29, 1)],
    ["2026-11-22T10:25:00Z", RECEIVED_AT + 5 * 60_000],
  ])("with the timestamp %s", (timestamp, at) => {
    expect(parse({ ...EVENT, timestamp }).at).toBe(at);
  });
});

describe("an event is refused with the field and without its value", () => {
  const cases: [path: string, value: unknown, reason: string][] = [
    ["type", undefined, "type is missing"],
    ["type", 7, "type is not a text"],
    ["timestamp", undefined, "timestamp is missing"],
    ["data", undefined, "data is missing"],
    ["data", [], "data is not an object"],
    ["data.invitation_id", undefined, "data.invitation_id is missing"],
    ["data.invitation_id", "  ", "data.invitation_id is blank"],
    ["data.invitation_id", 12, "data.invitation_id is not a text"],
    ["data.invitation_id", "x".repeat(201), "data.invitation_id is longer than 200 characters"],
    ["data.invitation_id", "a\ud800", "data.invitation_id holds characters that are no text"],
    ["data.org", undefined, "data.org is missing"],
    ["data.org", "../etc", "data.org is not a slug of up to 100 letters, digits and . _ -"],
    ["data.org", "a".repeat(101), "data.org is not a slug of up to 100 letters, digits and . _ -"],
    ["data.candidate", undefined, "data.candidate is missing"],
    ["data.candidate.email", undefined, "data.candidate.email is missing"],
    ["data.candidate.email", null, "data.candidate.email is missing"],
    ["data.candidate.email", " \t", "data.candidate.email is blank"],
    ["data.candidate.email", "a\u0000@x.example", "data.candidate.email holds characters that are no text"],
    ["data.candidate.email", "a\u202e@x.example", "data.candidate.email holds characters that are no text"],
    ["data.candidate.email", `${"a".repeat(321)}`, "data.candidate.email is longer than 320 characters"],
    [
      "data.candidate.first_name",
      "a".repeat(1_001),
      "data.candidate.first_name is longer than 1000 characters",
    ],
    ["data.tests.0.slug", "disc\u001b[31m", "data.tests[0].slug holds characters that are no text"],
    ["data.result_url", "x".repeat(10_001), "data.result_url is longer than 10000 characters"],
    ["type", "invite.completed\u0085", "type holds characters that are no text"],
    ["data.candidate.first_name", {}, "data.candidate.first_name is not a text"],
    ["data.status", "done", "data.status is not one of invited, in_progress, completed, expired, cancelled"],
    ["data.tests", undefined, "data.tests is missing"],
    ["data.tests", {}, "data.tests is not a list"],
    ["data.tests.1", "mbti", "data.tests[1] is not an object"],
    ["data.tests.1.slug", undefined, "data.tests[1].slug is missing"],
    ["data.tests.1.status", "done", "data.tests[1].status is not one of assigned, started, completed"],
    ["data.tests.1.status", undefined, "data.tests[1].status is missing"],
    ["data.tests.0.result", "good", "data.tests[0].result is not an object"],
    ["data.tests.0.result.dimensions", "D", "data.tests[0].result.dimensions is not a list"],
    ["data.tests.0.result.dimensions.0", 3, "data.tests[0].result.dimensions[0] is not an object"],
    ["data.tests.0.result.dimensions.0.name", 3, "data.tests[0].result.dimensions[0].name is not a text"],
    ["data.result_url", 3, "data.result_url is not a text"],
    ["data.source", "sr", "data.source is not an object"],
    ["data.source.candidate_id", undefined, "data.source.candidate_id is missing"],
  ];
  test.each(cases)("%s = %j", (path, value, reason) => {
    expect(refusalOf(JSON.stringify(changed(path, value)))).toBe(reason);
  });

  test.each([
    "2026-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-11-22T24:00:00Z",
    "2026-11-22T10:15:00",
    "2026-11-22T10:15:00+99:00",
    "2026-11-22",
    "yesterday",
    "1795342500",
  ])("a time such as %s", (time) => {
    const reason = "is not a time with a zone, such as 2026-11-22T10:15:00Z";
    for (const path of ["timestamp", "data.sent_at", "data.completed_at"])
      expect(refusalOf(JSON.stringify(changed(path, time)))).toBe(`${path} ${reason}`);
    expect(refusalOf(JSON.stringify(changed("data.tests.0.completed_at", time)))).toBe(
      `data.tests[0].completed_at ${reason}`,
    );
  });

  test("a timestamp more than five minutes ahead of us, of an unknown type too", () => {
    const ahead = { ...EVENT, timestamp: "2026-11-22T11:20:00Z" };
    expect(refusalOf(JSON.stringify(ahead))).toBe("timestamp is more than 5 minutes ahead of our clock");
    expect(refusalOf(JSON.stringify({ ...ahead, type: "x" }))).toMatch(/^timestamp is more/);
    expect(refusalOf(JSON.stringify({ ...EVENT, timestamp: "2026-11-22T10:25:00.001Z" }))).toMatch(/ahead/);
  });

  test("an unknown type without a proper timestamp", () => {
    expect(refusalOf('{"type":"x"}')).toBe("timestamp is missing");
  });

  test.each([
    ["", "the body is not JSON"],
    ['{"type":"invite.sent"', "the body is not JSON"],
    ["\ufeff{}", "the body is not JSON"],
    ["[]", "the body is not an object"],
    ["null", "the body is missing"],
    ['"text"', "the body is not an object"],
  ])("the body %j", (body, reason) => {
    expect(refusalOf(body)).toBe(reason);
  });

  test("bytes that are no UTF-8", () => {
    expect(refusalOf(Buffer.from([0x22, 0xff, 0x22]))).toBe("the body is not UTF-8");
  });
});

test("a line is known by its own hash, so that the same line is the same event", () => {
  const line = Buffer.from(JSON.stringify(EVENT));
  expect(eventIdOfLine(line)).toBe(createHash("sha256").update(line).digest("hex"));
  expect(eventIdOfLine(Buffer.from(`${line} `))).not.toBe(eventIdOfLine(line));
});
