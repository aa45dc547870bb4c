import { describe, expect, test } from "vitest";
import type { Test, TestResult } from "../../../src/core/event.ts";
import type { Invite } from "../../../src/core/invite.ts";
import { mapContact } from "../../../src/vendors/hubspot/score-mapping.ts";
import { aTest, anInvite, NOON } from "../../core/example.ts";

function map(invites: Invite[], knownFields: string[] | null = null) {
  return mapContact(invites, { resultBase: "https://jobcannon.io", knownFields });
}

/** What one completed test alone makes of its property. */
function read(property: string, slug: string, result: TestResult) {
  const { projection, warnings } = map([anInvite({ tests: [aTest({ slug, result })] })]);
  const warning = warnings.find(({ field }) => field === property);
  return warning ? { warning: warning.reason } : projection[property];
}

function scores(named: Record<string, unknown>): TestResult {
  return { dimensions: Object.entries(named).map(([name, score]) => ({ name, score })) };
}

function started(slug = "iq-test"): Test {
  return aTest({ slug, status: "started" });
}

describe("a dimension", () => {
  test.each([
    ["jc_disc_d", "disc", "Dominance"],
    ["jc_disc_i", "disc", "Influence"],
    ["jc_disc_s", "disc", "Steadiness"],
    ["jc_disc_c", "disc", "Conscientiousness"],
    ["jc_bigfive_o", "big-five", "Openness"],
    ["jc_bigfive_c", "big-five", "Conscientiousness"],
    ["jc_bigfive_e", "big-five", "Extraversion"],
    ["jc_bigfive_a", "big-five", "Agreeableness"],
    ["jc_bigfive_n", "big-five", "Neuroticism"],
  ])("of %s comes from %s: %s, whatever its capitals and blanks", (property, slug, name) => {
    expect(read(property, slug, scores({ [name]: 68 }))).toBe("68");
    expect(read(property, slug, scores({ [` ${name.toUpperCase()} `]: 68 }))).toBe("68");
    expect(read(property, "eq", scores({ [name]: 68 }))).toBeUndefined();
  });

  test("named Emotional Stability is the other end of Neuroticism", () => {
    expect(read("jc_bigfive_n", "big-five", scores({ "emotional stability": 30 }))).toBe("70");
    expect(read("jc_bigfive_n", "big-five", scores({ "Emotional Stability": "64.1" }))).toBe("35.9");
    expect(read("jc_bigfive_n", "big-five", scores({ "Emotional Stability": 30, Neuroticism: 12 }))).toBe(
      "12",
    );
    expect(read("jc_bigfive_n", "big-five", scores({ "Emotional Stability": 101 }))).toEqual({
      warning: "is outside 0–100",
    });
  });
});

describe("a score", () => {
  test.each([
    [0, "0"],
    [100, "100"],
    [67.5, "67.5"],
    ["68", "68"],
    [" 68.50 ", "68.5"],
    ["007", "7"],
    [-0, "0"],
    [0.1 + 0.2, "0.3"],
    [1e-9, "0"],
  ])("of %j is sent as %j", (score, sent) => {
    expect(read("jc_disc_d", "disc", scores({ Dominance: score }))).toBe(sent);
  });

  test.each([
    [101, "is outside 0–100"],
    [-1, "is outside 0–100"],
    ["100.0001", "is outside 0–100"],
    ["abc", "is not a number"],
    ["1,5", "is not a number"],
    ["1.2.3", "is not a number"],
    ["1e1", "is not a number"],
    ["0x10", "is not a number"],
    ["", "is not a number"],
    [true, "is not a number"],
    [Number.NaN, "is not a number"],
    ["[structure]", "is not a number"],
  ])("of %j is left out with a warning, and the rest goes", (score, warning) => {
    const result = scores({ Dominance: score, Influence: 41 });
    const { projection, warnings } = map([anInvite({ tests: [aTest({ result })] })]);
    expect(warnings).toEqual([{ field: "jc_disc_d", reason: warning }]);
    expect(projection).not.toHaveProperty("jc_disc_d");
    expect(projection).toMatchObject({ jc_disc_i: "41", jc_test_status: "completed" });
  });

  test.each([
    ["jc_iq_score", "iq-test", 50, 160, "50–160"],
    ["jc_integrity_score", "integrity", 0, 100, "0–100"],
  ])("of %s is the test's own, within its range", (property, slug, least, most, range) => {
    expect(read(property, slug, { score: least })).toBe(String(least));
    expect(read(property, slug, { score: String(most) })).toBe(String(most));
    expect(read(property, slug, { score: most + 1 })).toEqual({ warning: `is outside ${range}` });
    expect(read(property, slug, { score: least - 1 })).toEqual({ warning: `is outside ${range}` });
  });
});

describe("the MBTI type", () => {
  test.each([
    ["INFJ", "INFJ"],
    ["INFJ-T", "INFJ"],
    [" estp-a ", "ESTP"],
  ])("%j is %s", (type, sent) => {
    expect(read("jc_mbti_type", "mbti", { type })).toBe(sent);
  });
  test.each(["INF", "XNFJ", "INFJT", "IFNJ", "", 7])("%j is left out with a warning", (type) => {
    expect(read("jc_mbti_type", "mbti", { type })).toEqual({ warning: "is no MBTI type" });
  });
});

describe("the Holland code", () => {
  const all = {
    Realistic: 10,
    Investigative: 145,
    Artistic: 30,
    Social: 20,
    Enterprising: 5,
    Conventional: 1,
  };

  test("is a ready code, of which the first three letters count", () => {
    for (const code of ["IAS", " ias ", "IASREC"])
      expect(read("jc_riasec_holland", "riasec", { code, ...scores(all) })).toBe("IAS");
  });
  test.each(["IA", "IAI", "XYZ", "I A S", 7])("%j is left out with a warning", (code) => {
    expect(read("jc_riasec_holland", "riasec", { code, ...scores(all) })).toEqual({
      warning: "is no code of three different RIASEC letters",
    });
  });
  test("is else ranked from the scores, which may pass 100", () => {
    expect(read("jc_riasec_holland", "riasec", scores(all))).toBe("IAS");
  });
  test("breaks ties in the order R I A S E C, wherever the scores stand", () => {
    const level = Object.fromEntries(
      Object.keys(all)
        .reverse()
        .map((name) => [name, "40"]),
    );
    expect(read("jc_riasec_holland", "riasec", scores(level))).toBe("RIA");
    expect(read("jc_riasec_holland", "riasec", scores({ ...level, Conventional: 41, Realistic: 39 }))).toBe(
      "CIA",
    );
  });
  test("is ranked from three scores, but not from two, nor from one that is no number", () => {
    const three = { Social: 3, Artistic: 2, Realistic: 1 };
    expect(read("jc_riasec_holland", "riasec", scores(three))).toBe("SAR");
    expect(read("jc_riasec_holland", "riasec", scores({ Social: 3, Artistic: 2 }))).toEqual({
      warning: "needs at least three RIASEC scores",
    });
    expect(read("jc_riasec_holland", "riasec", scores({ ...all, Social: "high" }))).toEqual({
      warning: "has a RIASEC score that is no number",
    });
  });
});

describe("of several tests of a kind", () => {
  const older = aTest({ completedAt: NOON - 60, result: scores({ Dominance: 10, Influence: 20 }) });

  test("the newest completed one wins, property by property, over all invites", () => {
    const newer = aTest({ completedAt: NOON - 30, result: scores({ Dominance: 11 }) });
    const invites = [
      anInvite({ invitationId: "inv_a", tests: [newer] }),
      anInvite({ invitationId: "inv_b", tests: [older, started()] }),
    ];
    for (const order of [invites, invites.toReversed()])
      expect(map(order).projection).toMatchObject({ jc_disc_d: "11", jc_disc_i: "20" });
  });
  test("an invalid newest value does not fall back to an older one", () => {
    const newest = aTest({ completedAt: NOON, result: scores({ Dominance: 101 }) });
    const { projection, warnings } = map([anInvite({ tests: [newest, older] })]);
    expect(projection).not.toHaveProperty("jc_disc_d");
    expect(projection.jc_disc_i).toBe("20");
    expect(warnings).toEqual([{ field: "jc_disc_d", reason: "is outside 0–100" }]);
  });
  test("one that is not completed does not count", () => {
    const begun = { ...started("disc"), completedAt: NOON + 9, result: scores({ Dominance: 99 }) };
    expect(map([anInvite({ tests: [older, begun] })]).projection.jc_disc_d).toBe("10");
  });
  test("one without a time of its own is as old as its snapshot, and the id breaks a tie", () => {
    const untimed = (score: number) => [aTest({ result: scores({ Dominance: score }) })];
    const a = anInvite({ invitationId: "inv_a", at: NOON, tests: untimed(1) });
    const b = anInvite({ invitationId: "inv_b", at: NOON, tests: untimed(2) });
    const later = anInvite({ invitationId: "inv_0", at: NOON + 1, tests: untimed(3) });
    for (const order of [
      [a, b],
      [b, a],
    ])
      expect(map(order).projection.jc_disc_d).toBe("2");
    expect(map([a, b, later]).projection.jc_disc_d).toBe("3");
  });
});

describe("status, id, result URL and completion time", () => {
  const done = anInvite({ invitationId: "inv_old", sentAt: NOON - 200, completedAt: NOON - 100 });
  const begun = anInvite({
    invitationId: "inv_new",
    sentAt: NOON - 50,
    status: "in_progress",
    tests: [started()],
  });
  const invited = anInvite({ invitationId: "inv_next", sentAt: NOON, status: "invited", tests: [] });

  test("come from the newest invite that is not merely invited, the time from the newest completed one", () => {
    expect(map([invited, done, begun]).projection).toEqual({
      jc_test_status: "in_progress",
      jc_invitation_id: "inv_new",
      jc_result_url: "https://jobcannon.io/business/dashboard/invites/inv_new",
      jc_completed_at: new Date(NOON - 100).toISOString(),
    });
  });
  test("have no completion time while nothing is completed", () => {
    expect(map([begun]).projection).not.toHaveProperty("jc_completed_at");
  });
  test.each(["expired", "cancelled"] as const)("tell %s", (status) => {
    const ended = anInvite({ status, tests: [started()] });
    expect(map([ended]).projection.jc_test_status).toBe(status);
  });
  test("prefer the event's own result URL", () => {
    const own = anInvite({ resultUrl: "https://app.jobcannon.io/results/1" });
    expect(map([own]).projection.jc_result_url).toBe("https://app.jobcannon.io/results/1");
  });
  test("have no link where another source told the invite and gave none: the dashboard has no page for it", () => {
    const own = "https://greenhouse.example/app/1";
    const told = (resultUrl: string | null) => map([anInvite({ toldBy: "greenhouse", resultUrl })]);
    expect(told(own).projection.jc_result_url).toBe(own);
    expect(told(null).projection).toEqual({
      jc_test_status: "completed",
      jc_invitation_id: "inv_1",
      jc_completed_at: expect.any(String),
    });
    expect(told(null).warnings).toEqual([]);
  });
  test("stay with a result when another source only tells a stage", () => {
    const stage = anInvite({
      ...{ invitationId: "app_1", sentAt: NOON, toldBy: "greenhouse" },
      ...{ status: "in_progress", tests: [], resultUrl: "https://greenhouse.example/app/1" },
    });
    for (const invites of [
      [done, stage],
      [stage, done],
    ])
      expect(map(invites).projection).toMatchObject({
        jc_test_status: "completed",
        jc_invitation_id: "inv_old",
        jc_result_url: "https://jobcannon.io/business/dashboard/invites/inv_old",
      });
  });
  test("leave out a result URL that is no web address, with a warning", () => {
    const { projection, warnings } = map([anInvite({ resultUrl: "javascript:alert(1)" })]);
    expect(projection).not.toHaveProperty("jc_result_url");
    expect(warnings).toEqual([{ field: "jc_result_url", reason: "is no web address" }]);
  });
  test("escape the id in the URL, under a base with or without its last slash", () => {
    const odd = anInvite({ invitationId: "a/b ?ü" });
    for (const resultBase of ["https://x.example", "https://x.example/"])
      expect(mapContact([odd], { resultBase, knownFields: null }).projection.jc_result_url).toBe(
        "https://x.example/business/dashboard/invites/a%2Fb%20%3F%C3%BC",
      );
  });
});

describe("the projection", () => {
  test("is empty while every invite is merely invited", () => {
    const invited = anInvite({ status: "invited", tests: [aTest({ status: "assigned" })] });
    expect(map([invited])).toEqual({ projection: {}, warnings: [] });
    expect(map([])).toEqual({ projection: {}, warnings: [] });
  });
  test("holds only what the portal's properties can take", () => {
    const invite = anInvite({ tests: [aTest({ result: scores({ Dominance: 68, Influence: 101 }) })] });
    expect(map([invite], ["jc_disc_d", "jc_invitation_id"])).toEqual({
      projection: { jc_disc_d: "68", jc_invitation_id: "inv_1" },
      warnings: [],
    });
    expect(map([invite], []).projection).toEqual({});
  });
  test("leaves tests out that it does not know", () => {
    const { projection, warnings } = map([
      anInvite({ tests: [aTest({ slug: "tarot", result: { score: 7 } })] }),
    ]);
    expect(Object.keys(projection).sort()).toEqual([
      "jc_completed_at",
      "jc_invitation_id",
      "jc_result_url",
      "jc_test_status",
    ]);
    expect(warnings).toEqual([]);
  });
});
