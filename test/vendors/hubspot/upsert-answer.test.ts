import { describe, expect, test } from "vitest";
import type { Update } from "../../../src/vendors/contract/destination.ts";
import type { ApiAnswer } from "../../../src/vendors/hubspot/api.ts";
import { readProblem } from "../../../src/vendors/hubspot/problem.ts";
import { readAnswers } from "../../../src/vendors/hubspot/upsert-answer.ts";

const NOW = Date.UTC(2026, 10, 22, 12, 20);
const ANN: Update = { subject: "ann@x.example", traceId: "t-1", version: 1, projection: { jc_disc_d: "1" } };
const JOANN: Update = {
  subject: "joann@x.example",
  traceId: "t-2",
  version: 1,
  projection: { jc_disc_d: "2" },
};
const BOB: Update = { subject: "bob@x.example", traceId: "t-3", version: 1, projection: { jc_disc_i: "3" } };
const ALL = [ANN, JOANN, BOB];

function answerOf(status: number, body: unknown, headers: Record<string, string> = {}): ApiAnswer {
  return { status, headers, body, problem: readProblem(body), correlationId: "c-1", durationMs: 5 };
}

function kinds(status: number, body: unknown, updates = ALL): string[] {
  return readAnswers(updates, answerOf(status, body), NOW).map(({ kind }) => kind);
}

const accepted = (update: Update) => ({ id: "1", objectWriteTraceId: update.traceId, properties: {} });
const refused = (message: string, more: object = {}) => ({
  status: "error",
  category: "VALIDATION_ERROR",
  message,
  ...more,
});
const traced = (update: Update) => ({ context: { objectWriteTraceId: [update.traceId] } });

describe("a record is known", () => {
  test("by its trace id, in whatever order results come", () => {
    const results = [accepted(BOB), accepted(ANN)];
    expect(kinds(207, { results, errors: [refused("no", traced(JOANN))] })).toEqual([
      "accepted",
      "rejected",
      "accepted",
    ]);
  });
  test("by its address in lower case where results carry no trace id", () => {
    const results = [
      { id: "1", properties: { email: " Bob@X.example" } },
      { id: "2", properties: { email: null } },
    ];
    expect(kinds(200, { results })).toEqual(["retry", "retry", "accepted"]);
  });
  test("by the trace id alone where there is one, since a secondary address meets another's contact", () => {
    const results = [{ ...accepted(BOB), properties: { email: ANN.subject } }];
    expect(kinds(200, { results })).toEqual(["retry", "retry", "accepted"]);
  });
  test("by its address in an error's context or message, but never by a part of another's", () => {
    for (const error of [
      refused("bad", { context: { ids: ["JOANN@x.example"] } }),
      refused('Email address "joann@x.example" is invalid.'),
      refused("Email address joann@x.example."),
    ])
      expect(kinds(207, { results: [accepted(ANN), accepted(BOB)], errors: [error] })).toEqual([
        "accepted",
        "rejected",
        "accepted",
      ]);
  });
});

describe("an error's address", () => {
  test("beside a trace id is that of the contact it clashed with", () => {
    const clash = { context: { objectWriteTraceId: [ANN.traceId], existing: [JOANN.subject] } };
    for (const results of [[accepted(JOANN), accepted(BOB)], [accepted(BOB)]])
      expect(kinds(207, { results, errors: [refused(`clash with ${JOANN.subject}`, clash)] })).toEqual([
        "rejected",
        results.length === 2 ? "accepted" : "retry",
        "accepted",
      ]);
  });
  test("beside a trace id that is none of ours blames nobody", () => {
    const error = refused("no", { context: { objectWriteTraceId: ["t-9"], existing: [ANN.subject] } });
    expect(kinds(207, { results: [accepted(ANN), accepted(JOANN)], errors: [error] })).toEqual([
      "accepted",
      "accepted",
      "rejected",
    ]);
  });
  test.each([
    ["context", refused("in use", { context: { existing: [ANN.subject] } })],
    ["message", refused(`in use by ${ANN.subject}`)],
  ])("in its %s does not reject a record that was confirmed", (_where, error) => {
    const byAddress = { id: "1", properties: { email: ANN.subject } };
    for (const result of [accepted(ANN), byAddress]) {
      const results = [result, accepted(BOB)];
      expect(kinds(207, { results, errors: [error] })).toEqual(["accepted", "rejected", "accepted"]);
      expect(kinds(207, { results, errors: [error] }, [ANN, BOB])).toEqual(["accepted", "accepted"]);
    }
  });
  test("in its context, of a confirmed record, leaves the one in its message to blame", () => {
    const error = refused(`${JOANN.subject} is taken`, { context: { existing: [ANN.subject] } });
    expect(kinds(207, { results: [accepted(ANN)], errors: [error] })).toEqual([
      "accepted",
      "rejected",
      "retry",
    ]);
  });
});

describe("of several errors for one record", () => {
  const bad = refused("bad", traced(ANN));
  const slow = { ...refused("slow down", traced(ANN)), category: "RATE_LIMITS" };
  const scope = { ...refused("no scope", traced(ANN)), category: "MISSING_SCOPES" };
  const missing = refused("no such property", {
    context: { objectWriteTraceId: [ANN.traceId], propertyName: ["jc_disc_d"] },
    errors: [{ code: "PROPERTY_DOESNT_EXIST", context: { propertyName: ["jc_disc_d"] } }],
  });
  test.each([
    ["a missing property", missing, bad, { kind: "held", cause: "property", detail: "jc_disc_d" }],
    ["a missing property", missing, scope, { kind: "held", cause: "property" }],
    ["a missing property", missing, slow, { kind: "held", cause: "property" }],
    ["a missing scope", scope, bad, { kind: "held", cause: "scope" }],
    ["a refusal", bad, slow, { kind: "rejected", rejection: { message: "bad" } }],
  ])("%s counts, whichever comes first", (_what, heeded, other, answer) => {
    for (const errors of [
      [heeded, other],
      [other, heeded],
    ])
      expect(readAnswers([ANN, BOB], answerOf(207, { results: [accepted(BOB)], errors }), NOW)).toMatchObject(
        [answer, { kind: "accepted" }],
      );
  });
  test("that name nobody, a refusal splits the records nobody heard of", () => {
    const errors = [{ ...refused("slow down"), category: "RATE_LIMITS" }, refused("bad")];
    expect(kinds(207, { results: [], errors }, [ANN, BOB])).toEqual(["split", "split"]);
  });
});

describe("results that tell neither trace id nor our address", () => {
  const stranger = { id: "1", properties: { email: "primary@x.example" } };
  const bare = { id: "2", properties: {} };

  test.each([200, 201])("confirm as many records as nobody heard of (%i)", (status) => {
    const results = [accepted(BOB), stranger, bare];
    expect(kinds(status, { results })).toEqual(["accepted", "accepted", "accepted"]);
    expect(kinds(status, { results: [stranger], errors: [] }, [ANN])).toEqual(["accepted"]);
  });
  test.each<[string, number, object]>([
    ["fewer than those", 200, { results: [stranger] }],
    ["more than those", 200, { results: [stranger, bare, bare, bare] }],
    ["under 207", 207, { results: [stranger, bare, bare] }],
    ["with another's trace id", 200, { results: ALL.map(() => ({ ...bare, objectWriteTraceId: "t-9" })) }],
    ["without an id", 200, { results: ALL.map(() => ({})) }],
    ["beside an unreadable error", 200, { results: [stranger, bare, bare], errors: [null] }],
  ])("confirm none where they are %s", (_what, status, body) => {
    expect(kinds(status, body)).toEqual(["retry", "retry", "retry"]);
  });
});

describe("under 200 as under 207", () => {
  test("an error counts before a result", () => {
    const body = { results: ALL.map(accepted), errors: [refused("no", traced(BOB))] };
    expect(kinds(200, body)).toEqual(["accepted", "accepted", "rejected"]);
  });
  test("an error that names nobody is that of the one record nobody heard of", () => {
    expect(kinds(207, { results: [accepted(ANN), accepted(BOB)], errors: [refused("no")] })).toEqual([
      "accepted",
      "rejected",
      "accepted",
    ]);
  });
  test("an error that names nobody splits the records nobody heard of", () => {
    expect(kinds(207, { results: [accepted(ANN)], errors: [refused("no")] })).toEqual([
      "accepted",
      "split",
      "split",
    ]);
  });
  const passing = [
    { category: "RATE_LIMITS" },
    { category: "RATE_LIMITED" },
    { category: undefined, policyName: "TEN_SECONDLY_ROLLING" },
    { category: "INTERNAL_ERROR" },
    { category: "SERVICE_UNAVAILABLE" },
  ];
  test.each(passing)("a record that met a limit or HubSpot's own trouble waits: %j", (more) => {
    const error = refused("not now", { ...more, ...traced(ANN) });
    expect(kinds(207, { results: [accepted(BOB)], errors: [error] }, [ANN, BOB])).toEqual([
      "retry",
      "accepted",
    ]);
  });
  test.each(passing)("such an error splits nobody, named or not: %j", (more) => {
    const error = refused("not now", more);
    expect(kinds(207, { results: [accepted(BOB)], errors: [error] })).toEqual(["retry", "retry", "accepted"]);
    expect(kinds(400, error)).toEqual(["retry", "retry", "retry"]);
  });
  test("records that met HubSpot's limit say that it was one, whatever the call's status", () => {
    const error = refused("not now", { policyName: "SECONDLY" });
    const updates = [ANN, BOB];
    expect(readAnswers(updates, answerOf(207, { results: [], errors: [error] }), NOW)).toMatchObject([
      { kind: "retry", isThrottle: true },
      { kind: "retry", isThrottle: true },
    ]);
    const trouble = refused("not now", { category: "INTERNAL_ERROR" });
    expect(readAnswers(updates, answerOf(207, { results: [], errors: [trouble] }), NOW)).toMatchObject([
      { kind: "retry", isThrottle: false },
      { kind: "retry", isThrottle: false },
    ]);
  });
  test("a record that wants a scope is held as a whole call is", () => {
    const scopes = { context: { requiredGranularScopes: ["crm.a"], objectWriteTraceId: [ANN.traceId] } };
    const error = refused("no", { category: "MISSING_SCOPES", ...scopes });
    const body = { results: [accepted(BOB)], errors: [error] };
    expect(readAnswers([ANN, BOB], answerOf(207, body), NOW)).toEqual([
      { kind: "held", cause: "scope", detail: "crm.a" },
      { kind: "accepted" },
    ]);
    const unnamed = { results: [accepted(BOB)], errors: [refused("no", { category: "MISSING_SCOPES" })] };
    expect(kinds(207, unnamed)).toEqual(["held", "held", "accepted"]);
  });
  test.each([
    [{}],
    [[]],
    [null],
    ["text"],
    [{ results: "x", errors: 7 }],
    [{ results: [null], errors: [null] }],
  ])("the body %j confirms nothing", (body) => {
    expect(kinds(200, body, [ANN])).toEqual(["retry"]);
  });
});

describe("a call refused whole", () => {
  test("with names leaves the others free of suspicion", () => {
    const body = refused("Duplicate IDs found in batch input: [ann@x.example]", {
      context: { ids: ["ann@x.example"] },
    });
    expect(readAnswers(ALL, answerOf(400, body), NOW)).toMatchObject([
      { kind: "split", suspect: true },
      { kind: "split", suspect: false },
      { kind: "split", suspect: false },
    ]);
  });
  test("for a property that does not exist holds whoever carries it", () => {
    const details = [
      { isValid: false, message: "no such property", error: "PROPERTY_DOESNT_EXIST", name: "jc_disc_d" },
    ];
    const body = refused(`Property values were not valid: ${JSON.stringify(details)}`);
    expect(readAnswers(ALL, answerOf(400, body), NOW)).toMatchObject([
      { kind: "held", cause: "property", detail: "jc_disc_d" },
      { kind: "held", cause: "property", detail: "jc_disc_d" },
      { kind: "split", suspect: false },
    ]);
  });
  test("of one record names the property and repeats HubSpot's words, not their wrapping", () => {
    const details = [{ message: "Email is invalid", error: "INVALID_EMAIL", name: "email" }];
    const body = refused(`Property values were not valid: ${JSON.stringify(details)}`, {
      correlationId: "c-2",
    });
    expect(readAnswers([ANN], answerOf(400, body), NOW)).toEqual([
      {
        kind: "rejected",
        rejection: {
          message: "Email is invalid",
          category: "VALIDATION_ERROR",
          field: "email",
          httpStatus: 400,
          correlationId: "c-2",
        },
      },
    ]);
  });
  test("names the property of a detail beside the message, too", () => {
    const errors = [
      { message: "bad", code: "INVALID_OPTION", context: { propertyName: ["jc_test_status"] } },
    ];
    expect(readAnswers([ANN], answerOf(400, refused("no", { errors })), NOW)).toMatchObject([
      { kind: "rejected", rejection: { field: "jc_test_status", correlationId: "c-1" } },
    ]);
  });
  test("by something on the way, whose answer is no JSON object, is no verdict on any record", () => {
    for (const status of [302, 400, 403, 404]) expect(kinds(status, undefined, [ANN])).toEqual(["retry"]);
  });
  test.each([400, 409, 413, 414])("with %i and without a word is an outage", (status) => {
    for (const body of [{}, { status: "COMPLETE" }, { ok: false, error: "busy" }, { errors: [] }])
      for (const updates of [ALL, [ANN]])
        expect(
          readAnswers(updates, answerOf(status, body, { "retry-after": "30" }), NOW).map((answer) =>
            answer.kind === "retry" ? [answer.reason, answer.notBefore] : answer.kind,
          ),
        ).toEqual(updates.map(() => [`HubSpot answered ${status}, not in its own words`, NOW + 30_000]));
  });
  test.each([
    { message: "no" },
    { category: "VALIDATION_ERROR" },
    { status: "error" },
    { errors: [{ message: "no" }] },
  ])("in a word of HubSpot's (%j) is a refusal", (body) => {
    expect(kinds(400, body)).toEqual(["split", "split", "split"]);
    expect(kinds(400, body, [ANN])).toEqual(["rejected"]);
  });
  test.each([413, 414])(
    "for its size (%i) is sent in parts, and one that is too large alone is rejected",
    (status) => {
      expect(kinds(status, refused("too large"))).toEqual(["split", "split", "split"]);
      expect(kinds(status, refused("too large"), [ANN])).toEqual(["rejected"]);
    },
  );
});

describe("a call refused for no record's sake", () => {
  const reasonsOf = (status: number, body: unknown) =>
    readAnswers(ALL, answerOf(status, body), NOW).map((answer) =>
      answer.kind === "retry" ? answer.reason : answer.kind,
    );

  test.each([402, 404, 405, 406, 410, 415, 418, 422, 451])(
    "with %i lets all of them wait, in HubSpot's words, and leads to the path's version",
    (status) => {
      const body = refused("there is no such path", { category: "OBJECT_NOT_FOUND" });
      for (const reason of reasonsOf(status, body)) {
        expect(reason).toContain(`${status}`);
        expect(reason).toMatch(/hubspot\.api_version.*there is no such path/);
      }
      expect(kinds(status, body, [ANN])).toEqual(["retry"]);
    },
  );
  test("is held against nobody, even one that it names", () => {
    expect(kinds(404, refused("no ann@x.example here", traced(ANN)))).toEqual(["retry", "retry", "retry"]);
  });
  test("with a page for people leads to the path's version too", () => {
    expect(reasonsOf(404, undefined)[0]).toContain("hubspot.api_version");
    expect(reasonsOf(503, undefined)[0]).not.toContain("hubspot.api_version");
  });
  test("with a 403 that speaks of no scope waits as in an outage", () => {
    expect(reasonsOf(403, refused("blocked", { category: "BANNED" }))).toEqual(
      Array(3).fill("HubSpot refused the call with 403, not a record of it. HubSpot: blocked"),
    );
  });
  test.each([
    ["by its category", { category: "MISSING_SCOPES" }, "no"],
    [
      "by naming one",
      { errors: [{ context: { requiredGranularScopes: ["crm.a", "crm.b"] } }] },
      "crm.a or crm.b",
    ],
    [
      "by naming one of the older kind",
      { errors: [{ context: { requiredScopes: ["contacts"] } }] },
      "contacts",
    ],
  ])("with a 403 that speaks of a scope (%s) holds them", (_how, more, detail) => {
    expect(readAnswers([ANN, BOB], answerOf(403, refused("no", more)), NOW)).toEqual([
      { kind: "held", cause: "scope", detail },
      { kind: "held", cause: "scope", detail },
    ]);
  });
  test("is none where HubSpot refuses single records of a call, whatever it calls that", () => {
    const error = refused("not found", { category: "OBJECT_NOT_FOUND", ...traced(ANN) });
    expect(kinds(207, { results: [accepted(BOB)], errors: [error] }, [ANN, BOB])).toEqual([
      "rejected",
      "accepted",
    ]);
  });
});

describe("HubSpot's time to come back", () => {
  const HOUR = 3_600_000;
  const cases: [
    what: string,
    status: number,
    body: object,
    headers: Record<string, string>,
    notBefore: number | null,
  ][] = [
    ["the rolling window", 429, { policyName: "TEN_SECONDLY_ROLLING" }, {}, NOW + 10_000],
    ["a policy it does not name", 429, {}, {}, NOW + 10_000],
    ["the second", 429, { policyName: "SECONDLY" }, {}, NOW + 1_000],
    ["the day, which may end with any hour", 429, { policyName: "DAILY" }, {}, NOW + 40 * 60_000 + 10_000],
    ["a longer Retry-After", 429, { policyName: "SECONDLY" }, { "retry-after": "30" }, NOW + 30_000],
    ["its window where Retry-After is shorter", 429, {}, { "retry-after": "1" }, NOW + 10_000],
    [
      "a Retry-After that is a date",
      503,
      {},
      { "retry-after": "Sun, 22 Nov 2026 12:21:00 GMT" },
      NOW + 60_000,
    ],
    ["a lock", 423, {}, {}, NOW + 2_000],
    ["a move between data centers", 477, {}, { "retry-after": "86400" }, NOW + 24 * HOUR],
    ["a failure that names none", 500, {}, {}, null],
    ["a Retry-After in the past", 503, {}, { "retry-after": "Sun, 22 Nov 2020 12:21:00 GMT" }, null],
    ["a Retry-After of a year", 503, {}, { "retry-after": "31536000" }, null],
    ["a Retry-After of nonsense", 503, {}, { "retry-after": "-5" }, null],
  ];
  test.each(cases)("is that of %s", (_, status, body, headers, notBefore) => {
    expect(readAnswers([ANN], answerOf(status, body, headers), NOW)).toMatchObject([
      { kind: "retry", notBefore },
    ]);
  });

  const daily = (now: number, timeZone?: string) =>
    readAnswers([ANN], answerOf(429, { policyName: "DAILY" }), now, timeZone)[0];
  test.each([
    ["America/New_York", "2026-11-22T12:20:00Z", "2026-11-23T05:00:10Z"],
    ["America/New_York", "2026-11-23T04:59:59.999Z", "2026-11-23T05:00:10Z"],
    ["America/New_York", "2026-11-01T05:30:00Z", "2026-11-02T05:00:10Z"],
    ["Asia/Kolkata", "2026-11-22T12:20:00Z", "2026-11-22T18:30:10Z"],
    ["Nowhere/Land", "2026-11-22T12:20:00Z", "2026-11-22T13:00:10Z"],
  ])("is past midnight in %s at %s", (timeZone, now, then) => {
    expect(daily(Date.parse(now), timeZone)).toMatchObject({ kind: "retry", notBefore: Date.parse(then) });
  });
  test.each(["2026-11-23T05:00:00Z", "2026-11-23T05:00:10Z", "2026-11-23T05:59:59Z"])(
    "is soon where the day's limit was met in its first hour, at %s",
    (text) => {
      const now = Date.parse(text);
      expect(daily(now, "America/New_York")).toMatchObject({ kind: "retry", notBefore: now + 5 * 60_000 });
    },
  );
  test("is the next midnight again once the first hour is over", () => {
    expect(daily(Date.parse("2026-11-23T06:00:00Z"), "America/New_York")).toMatchObject({
      notBefore: Date.parse("2026-11-24T05:00:10Z"),
    });
  });
});
