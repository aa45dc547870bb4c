import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EventRefused, type Verified } from "../../../src/vendors/contract/source.ts";
import { smartrecruiters } from "../../../src/vendors/smartrecruiters/source.ts";
import { tries } from "../../tries.ts";

const KNOWN: Verified & { receivedAt: number } = {
  eventId: null,
  org: "acme",
  environment: "sandbox",
  receivedAt: Date.UTC(2026, 10, 22, 10, 20),
};
const EVENT = {
  id: "evt_1",
  event: "candidate.assessment.completed",
  occurredAt: "2026-11-22T10:15:00Z",
  data: {
    candidateId: "c1",
    jobId: "j1",
    assessmentId: "a1",
    invitationId: "inv_7Q2",
    status: "completed",
    result: { dimensions: [{ name: "Dominance", score: 68, percentile: 65 }], duration_seconds: 245 },
  },
};

function parse(event: unknown, known = KNOWN) {
  return smartrecruiters.parse(Buffer.from(JSON.stringify(event)), known);
}

function refusalOf(body: Buffer | string, known = KNOWN): string {
  try {
    smartrecruiters.parse(Buffer.from(body), known);
  } catch (error) {
    if (error instanceof EventRefused) return error.message;
    throw error;
  }
  return "taken";
}

/** The event with one value changed; undefined takes the field away. */
function changed(path: string, value: unknown): string {
  const copy = structuredClone(EVENT);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const holder = keys.reduce<unknown>((each, key) => Reflect.get(Object(each), key), copy);
  Reflect.set(Object(holder), last, value);
  return JSON.stringify(copy);
}

describe("the event of a completed assessment", () => {
  test("is a confirmation that belongs to the org whose secret signed it", () => {
    expect(parse(EVENT)).toEqual({
      source: "smartrecruiters",
      eventId: "evt_1",
      type: "candidate.assessment.completed",
      at: Date.UTC(2026, 10, 22, 10, 15),
      receivedAt: KNOWN.receivedAt,
      payload: JSON.stringify(EVENT),
      bodyHash: createHash("sha256").update(JSON.stringify(EVENT)).digest("hex"),
      snapshot: null,
      confirmation: {
        vendor: "smartrecruiters",
        org: "acme",
        environment: "sandbox",
        candidateId: "c1",
        jobId: "j1",
        assessmentId: "a1",
        invitationId: "inv_7Q2",
        status: "completed",
        at: Date.UTC(2026, 10, 22, 10, 15),
        result: { dimensions: [{ name: "Dominance", score: 68, percentile: 65 }], durationSeconds: 245 },
      },
    });
  });

  test("may leave out job, invitation and result", () => {
    const { jobId: _, invitationId: __, result: ___, ...data } = EVENT.data;
    expect(parse({ ...EVENT, data }).confirmation).toMatchObject({
      jobId: null,
      invitationId: null,
      result: null,
    });
  });

  test("may say any status or none, which is kept as it came", () => {
    for (const status of ["EXPIRED", "in_progress", "Completed", "a new one"])
      expect(parse({ ...EVENT, data: { ...EVENT.data, status } }).confirmation?.status).toBe(status);
    for (const status of [undefined, null, " "])
      expect(parse({ ...EVENT, data: { ...EVENT.data, status } }).confirmation?.status).toBe("");
  });

  test("may come from the future or from long ago", () => {
    for (const occurredAt of ["2031-01-01T00:00:00Z", "2019-01-01T00:00:00+02:00"])
      expect(parse({ ...EVENT, occurredAt }).at).toBe(Date.parse(occurredAt));
  });

  test.each([
    ["id", undefined, "id is missing"],
    ["event", undefined, "event is missing"],
    ["event", 7, "event is not a text"],
    [
      "occurredAt",
      "2026-11-22T10:15:00",
      "occurredAt is not a time with a zone, such as 2026-11-22T10:15:00Z",
    ],
    ["data", undefined, "data is missing"],
    ["data", [], "data is not an object"],
    ["data.candidateId", undefined, "data.candidateId is missing"],
    ["data.assessmentId", " ", "data.assessmentId is blank"],
    ["data.assessmentId", "a\u0000", "data.assessmentId holds characters that are no text"],
    ["data.jobId", {}, "data.jobId is not a text"],
    ["data.status", 7, "data.status is not a text"],
    ["data.result", "good", "data.result is not an object"],
    ["data.result.dimensions", {}, "data.result.dimensions is not a list"],
    ["data.result.dimensions", [{ score: 1 }], "data.result.dimensions[0].name is missing"],
  ])("is refused when %s is %j", (path, value, reason) => {
    expect(refusalOf(changed(path, value))).toBe(reason);
  });

  test("is refused when the secret that signed it belongs to no org", () => {
    expect(refusalOf(JSON.stringify(EVENT), { ...KNOWN, org: null })).toBe(
      "the webhook secret that fits belongs to no org",
    );
  });
});

test("an event we do not know is taken without a look at its data", () => {
  const event = parse({ ...EVENT, event: "candidate.created", data: 7 });
  expect(event).toMatchObject({ type: "candidate.created", eventId: "evt_1", snapshot: null });
  expect(event.confirmation).toBeUndefined();
});

test.each([
  [Buffer.from([0x7b, 0xff, 0x7d]), "the body is not UTF-8"],
  ["{", "the body is not JSON"],
  ["[]", "the body is not an object"],
])("a body that is no JSON object is refused", (body, reason) => {
  expect(refusalOf(body)).toBe(reason);
});

test("whatever JSON comes is taken or refused in one line, and nothing else happens", () => {
  const shape = fc.record({
    id: fc.jsonValue(),
    event: fc.constant(EVENT.event),
    occurredAt: fc.constant(EVENT.occurredAt),
    data: fc.jsonValue(),
  });
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), shape), (value) => {
      expect(refusalOf(JSON.stringify(value))).not.toContain("\n");
    }),
    tries(100),
  );
});

test("a body without an id is known by its hash", () => {
  const body = Buffer.from("{}");
  expect(smartrecruiters.idOfBody(body)).toBe(createHash("sha256").update(body).digest("hex"));
});
