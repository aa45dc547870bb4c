import { describe, expect, test } from "vitest";
import { isAppError } from "../../../src/shared/errors.ts";
import type { Answer } from "../../../src/core/delivery/answer.ts";
import { anUpdate, openCompany, type Reply, refusal } from "./company.ts";

const RESULTS = "POST /v1/assessments/a1/results";

async function answerTo(reply: Reply, projection: Record<string, string> = {}): Promise<Answer | undefined> {
  const { smartrecruiters, access, on } = await openCompany();
  on(RESULTS, reply);
  return (await smartrecruiters.send(access, [anUpdate(projection)])).answers[0];
}

describe("a result is written", () => {
  test("with its heads and its custom fields by their ids, and can be traced", async () => {
    const company = await openCompany();
    company.on(RESULTS, { status: 201, body: { assessmentId: "a1" }, headers: { "X-Request-Id": "req-1" } });
    const result = await company.smartrecruiters.send(company.access, [
      anUpdate({
        score: "118",
        summary: "IQ: 118",
        resultUrl: "https://jobcannon.io/1",
        completedAt: "2026-11-22T12:00:00.000Z",
        "Dominance (cf-1)": "68",
        "JC DISC — Influence (x) (cf-2)": "41",
      }),
    ]);
    expect(result).toMatchObject({
      answers: [{ kind: "accepted" }],
      httpStatus: 201,
      correlationId: "req-1",
    });
    const [heard] = company.heard;
    expect(heard?.headers).toMatchObject({ "x-request-id": "trace-1", authorization: "Bearer first-token" });
    expect(JSON.parse(heard?.body ?? "")).toEqual({
      title: "JobCannon: DISC",
      score: 118,
      summary: "IQ: 118",
      resultUrl: "https://jobcannon.io/1",
      completedAt: "2026-11-22T12:00:00.000Z",
      fields: [
        { fieldId: "cf-1", value: "68" },
        { fieldId: "cf-2", value: "41" },
      ],
    });
  });

  test("one call at a time, each after its slot, within 100 calls a second", async () => {
    const { smartrecruiters, access, on, slots, heeded } = await openCompany();
    const headers = { "X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "99" };
    on(RESULTS, { status: 201, body: {}, headers });
    await smartrecruiters.send(access, [anUpdate()]);
    expect(smartrecruiters.batchSize).toBe(1);
    expect(smartrecruiters.rateLimit).toEqual({ calls: 100, windowMs: 1_000 });
    expect(slots()).toBe(1);
    expect(heeded).toEqual([{ calls: 100, windowMs: 1_000 }]);
  });

  test("under an id that must be escaped, and never under one that would lead elsewhere", async () => {
    const { smartrecruiters, access, on, heard } = await openCompany();
    on("POST /v1/assessments/a%2F..%2Fb%3F/results", { status: 201, body: {} });
    const send = async (subject: string) =>
      (await smartrecruiters.send(access, [{ ...anUpdate(), subject }])).answers[0]?.kind;
    expect(await send("a/../b?")).toBe("accepted");
    expect([await send(".."), await send("."), await send("\ud800")]).toEqual([
      "rejected",
      "rejected",
      "rejected",
    ]);
    expect(heard).toHaveLength(1);
  });

  test("with a new token when the first is refused", async () => {
    const { smartrecruiters, access, on, heard, tokens, slots } = await openCompany();
    on(RESULTS, { status: 401, body: refusal("UNAUTHENTICATED", "expired") }, { status: 201, body: {} });
    expect((await smartrecruiters.send(access, [anUpdate()])).answers).toEqual([{ kind: "accepted" }]);
    expect(tokens).toEqual({ asked: 1, renewed: 1 });
    expect(heard.at(-1)?.headers.authorization).toBe("Bearer fresh-token");
    expect(slots()).toBe(2);
  });
});

describe("a result is tried again", () => {
  test.each<[string, Reply]>([
    ["503", { status: 503, body: refusal("DOWN", "later") }],
    ["an empty 200", { status: 200 }],
    ["a 204", { status: 204 }],
    ["a 201 that holds a list", { status: 201, body: [] }],
    ["a 200 that holds an empty object", { status: 200, body: {} }],
    ["a proxy's page under 200", { status: 200, body: "<html>" }],
    ["a proxy's page under 403", { status: 403, body: "<html>Forbidden</html>" }],
    ["a list under 404", { status: 404, body: [] }],
    ["a redirect", { status: 302, headers: { location: "https://elsewhere.example/" } }],
    ["a cut connection", { isCut: true }],
    ["a 401 that a new token does not mend", { status: 401 }],
  ])("after %s", async (_what, reply) => {
    expect(await answerTo(reply)).toMatchObject({ kind: "retry", notBefore: null });
  });

  test.each([
    ["in seconds", "30", 30_000],
    ["as a date", "Sun, 22 Nov 2026 12:01:00 GMT", 60_000],
    // Else its published window counts.
    ["beyond reason", "9000000", 1_000],
    ["in words", "soon", 1_000],
    ["not at all", undefined, 1_000],
  ])("not before the time that Retry-After names %s", async (_how, header, waitMs) => {
    const noon = Date.UTC(2026, 10, 22, 12);
    const headers = header === undefined ? {} : { "Retry-After": header };
    const answer = await answerTo({ status: 429, headers, body: {} });
    expect(answer).toMatchObject({ kind: "retry", httpStatus: 429, notBefore: noon + waitMs });
  });
});

describe("a result is held for a scope", () => {
  test.each([
    [
      "that is named",
      refusal("OAuthPermissionsException", "Missing scope candidates:write"),
      "candidates:write",
    ],
    ["that is not named", refusal("FORBIDDEN", "Forbidden"), "assessments:write"],
    ["in whatever words without a code", { message: "no" }, "assessments:write"],
    ["in no words at all", {}, "assessments:write"],
  ])("%s", async (_what, body, detail) => {
    expect(await answerTo({ status: 403, body })).toEqual({ kind: "held", cause: "scope", detail });
  });
});

describe("a result is rejected", () => {
  test.each([400, 404, 409, 422])("for good by a %i, in the vendor's words", async (httpStatus) => {
    const headers = { "X-Request-Id": "req-9" };
    expect(await answerTo({ status: httpStatus, headers, body: refusal("NO_WAY", "It cannot be") })).toEqual({
      kind: "rejected",
      rejection: {
        message: "It cannot be",
        category: "NO_WAY",
        field: null,
        httpStatus,
        correlationId: "req-9",
      },
    });
  });

  test("by a 403 that has another reason than a scope", async () => {
    const body = refusal("ASSESSMENT_CLOSED", "The assessment is closed");
    expect(await answerTo({ status: 403, body })).toMatchObject({ kind: "rejected" });
  });

  test("and names the custom field that the vendor names", async () => {
    const fields = { "Dominance (cf-1)": "68", "Influence (cf-10)": "41" };
    const body = { errors: [{ code: "BAD_VALUE", message: "'cf-10' takes no text." }] };
    expect(await answerTo({ status: 422, body }, fields)).toMatchObject({
      kind: "rejected",
      rejection: { field: "Influence (cf-10)", message: "'cf-10' takes no text." },
    });
  });
});

test("a custom field that is gone holds the result until the fields are read again", async () => {
  const fields = { "Dominance (cf-1)": "68", "Influence (cf-10)": "41" };
  const gone = (message: string) =>
    answerTo({ status: 422, body: refusal("FIELD_NOT_FOUND", message) }, fields);
  expect(await gone("There is no custom field cf-10.")).toEqual({
    kind: "held",
    cause: "property",
    detail: "Influence (cf-10)",
  });
  expect(await gone("There is no such field")).toMatchObject({ kind: "held", detail: "" });
});

test("what the token's owner throws is nobody's answer", async () => {
  const { smartrecruiters, access } = await openCompany();
  const stopped = new Error("stopped");
  const token = () => Promise.reject(stopped);
  await expect(smartrecruiters.send({ ...access, token }, [anUpdate()])).rejects.toBe(stopped);
});

test("a call that is the whole task fails with the guide's fixes for a missing scope", async () => {
  const { ats, access, on } = await openCompany();
  on("POST /v1/assessments", { status: 403, body: refusal("OAuthPermissionsException", "no") });
  const failed = await ats
    .triggerAssessment(access, { candidateId: "c1", jobId: "j1", test: "disc" })
    .catch((error: unknown) => error);
  expect(isAppError(failed, "VENDOR_REJECTED") && failed.hint).toBe(
    "OAuth scopes don't include `assessments:write`. Check integration scopes in SmartRecruiters. If missing, re-authorize and approve all required scopes. Retry assessment delivery. Run: jc-integrations connect smartrecruiters",
  );
});
