import { describe, expect, test } from "vitest";
import { DEFINITIONS } from "../../../src/vendors/hubspot/properties.ts";
import { API_VERSIONS } from "../../../src/vendors/hubspot/versions.ts";
import { openPortal, type Portal } from "./portal.ts";

const NAMES = DEFINITIONS.map(({ name }) => String(name));

async function resync({ hubspot, access }: Portal) {
  return hubspot.applyFields(access, await hubspot.planFields(access));
}

test("the definitions are the seventeen of the score-mapping page, each in our group", () => {
  const kinds = DEFINITIONS.map(
    ({ name, label, type, fieldType }) => `${name} | ${label} | ${type}/${fieldType}`,
  );
  expect(kinds).toEqual([
    "jc_disc_d | JC DISC — Dominance | number/number",
    "jc_disc_i | JC DISC — Influence | number/number",
    "jc_disc_s | JC DISC — Steadiness | number/number",
    "jc_disc_c | JC DISC — Conscientiousness | number/number",
    "jc_bigfive_o | JC Big Five — Openness | number/number",
    "jc_bigfive_c | JC Big Five — Conscientiousness | number/number",
    "jc_bigfive_e | JC Big Five — Extraversion | number/number",
    "jc_bigfive_a | JC Big Five — Agreeableness | number/number",
    "jc_bigfive_n | JC Big Five — Neuroticism | number/number",
    "jc_iq_score | JC IQ Score | number/number",
    "jc_integrity_score | JC Integrity Score | number/number",
    "jc_mbti_type | JC MBTI Type | string/text",
    "jc_riasec_holland | JC RIASEC Holland Code | string/text",
    "jc_test_status | JC Test Status | enumeration/select",
    "jc_result_url | JC Result URL | string/text",
    "jc_completed_at | JC Completed At | datetime/date",
    "jc_invitation_id | JC Invitation ID | string/text",
  ]);
  expect(new Set(DEFINITIONS.map(({ groupName }) => groupName))).toEqual(new Set(["jobcannon_assessments"]));
});

describe.each(API_VERSIONS)("on %s", (apiVersion) => {
  test("a bare portal gets the group and every property, and a second run changes nothing", async () => {
    const portal = await openPortal({ apiVersion });
    expect(await resync(portal)).toEqual({
      created: NAMES,
      existing: [],
      drifted: [],
      overQuota: [],
      leftOut: [],
      known: NAMES,
    });
    const made = await portal.properties();
    expect(made.map(({ name, label, type, groupName }) => ({ name, label, type, groupName }))).toEqual(
      DEFINITIONS.map(({ name, label, type, groupName }) => ({ name, label, type, groupName })),
    );
    expect(await resync(portal)).toMatchObject({ created: [], existing: NAMES, known: NAMES });
    expect(await portal.properties()).toEqual(made);
  });
});

test.each([1, 10, 30])("a portal that answers its lists in pages of %i is prepared just so", async (size) => {
  const portal = await openPortal();
  await portal.settings({ pageSize: size });
  expect(await resync(portal)).toMatchObject({ created: NAMES, existing: [] });
  expect(await resync(portal)).toMatchObject({ created: [], existing: NAMES, drifted: [] });
});

describe("the plan", () => {
  test("says what is missing and changes nothing", async () => {
    const portal = await openPortal();
    const plan = await portal.hubspot.planFields(portal.access);
    expect(plan).toEqual({
      group: { name: "jobcannon_assessments", exists: false },
      create: NAMES,
      existing: [],
      drifted: [],
      overQuota: [],
      leftOut: [],
    });
    expect(await portal.properties()).toEqual([]);
    expect(await portal.requests({ from: "/crm" })).not.toContainEqual(
      expect.objectContaining({ method: "POST" }),
    );
  });

  test("asks for the quota only when something is missing", async () => {
    const portal = await openPortal();
    await resync(portal);
    const asked = await portal.requests({ from: "/crm/v3/limits" });
    await resync(portal);
    expect(asked).toHaveLength(1);
    expect(await portal.requests({ from: "/crm/v3/limits" })).toHaveLength(1);
  });
});

describe("what an admin did in between", () => {
  test("a deleted property alone is created again", async () => {
    const portal = await openPortal();
    await resync(portal);
    await portal.archiveProperty("jc_iq_score");
    const report = await resync(portal);
    expect(report.created).toEqual(["jc_iq_score"]);
    expect(report.known).toEqual(NAMES);
  });

  test("a deleted group comes back with everything in it", async () => {
    const portal = await openPortal();
    await resync(portal);
    await portal.archiveGroup();
    expect((await resync(portal)).created).toEqual(NAMES);
  });

  test("another type, group or list of options is left alone and named; another label is nobody's business", async () => {
    const portal = await openPortal();
    const path = "/crm/v3/properties/contacts";
    const group = "contactinformation";
    await portal.call("POST", path, {
      name: "jc_iq_score",
      label: "IQ",
      type: "string",
      fieldType: "text",
      groupName: group,
    });
    await resync(portal);
    await portal.call("PATCH", `${path}/jc_test_status`, {
      options: [
        { label: "Done", value: "completed", displayOrder: 0, hidden: false },
        { label: "Mine", value: "mine", displayOrder: 1, hidden: false },
      ],
    });
    await portal.call("PATCH", `${path}/jc_mbti_type`, { label: "Type" });
    const before = await portal.properties();
    const report = await resync(portal);
    expect(report.drifted).toEqual([
      { name: "jc_iq_score", difference: "type is string, not number" },
      { name: "jc_iq_score", difference: "field type is text, not number" },
      { name: "jc_iq_score", difference: "group is contactinformation, not jobcannon_assessments" },
      { name: "jc_test_status", difference: "lacks the option invited, in_progress, expired, cancelled" },
    ]);
    expect(report.leftOut).toEqual([
      { name: "jc_test_status", reason: "lacks the option invited, in_progress, expired, cancelled" },
    ]);
    expect(report.known).toEqual(NAMES.filter((name) => name !== "jc_test_status"));
    expect(await portal.properties()).toEqual(before);
  });
});

describe("a portal with little room", () => {
  test("gets the first properties of the table, and the others are named", async () => {
    const portal = await openPortal();
    await portal.settings({ propertyQuota: 10 });
    const report = await resync(portal);
    expect(report).toMatchObject({ created: NAMES.slice(0, 10), known: NAMES.slice(0, 10) });
    expect(report.overQuota).toEqual(NAMES.slice(10));
  });

  test("that fills up meanwhile gets as many as it takes", async () => {
    const portal = await openPortal();
    const plan = await portal.hubspot.planFields(portal.access);
    await portal.settings({ propertyQuota: 3 });
    const report = await portal.hubspot.applyFields(portal.access, plan);
    expect(report.created).toEqual(NAMES.slice(0, 3));
    expect(report.overQuota).toEqual(NAMES.slice(3));
  });

  test("whose quota cannot be read is not held back", async () => {
    const portal = await openPortal();
    await portal.fault({ status: 404, path: "/crm/v3/limits", body: { message: "no such path" } });
    expect((await resync(portal)).created).toEqual(NAMES);
  });
});

test("two runs at once both end with everything there", async () => {
  const portal = await openPortal();
  const plan = await portal.hubspot.planFields(portal.access);
  const reports = await Promise.all([
    portal.hubspot.applyFields(portal.access, plan),
    portal.hubspot.applyFields(portal.access, plan),
  ]);
  for (const report of reports) expect(report.known).toEqual(NAMES);
  expect(reports.flatMap(({ created }) => created).sort()).toEqual([...NAMES].sort());
  const refused = (await portal.requests({ from: "/crm/v3/properties" })).filter(
    ({ status }) => status === 409,
  );
  expect(refused.length).toBeGreaterThan(0);
});

describe("the bootstrap fails with words", () => {
  test("when the scope for writing definitions is missing", async () => {
    const portal = await openPortal();
    await portal.settings({
      grantedScopes: ["oauth", "crm.objects.contacts.read", "crm.schemas.contacts.read"],
    });
    await expect(resync(portal)).rejects.toMatchObject({
      code: "VENDOR_REJECTED",
      message: expect.stringContaining("crm.schemas.contacts.write"),
      hint: expect.stringContaining("connect hubspot"),
    });
  });

  test.each([
    [429, "VENDOR_RATE_LIMITED"],
    [503, "VENDOR_UNAVAILABLE"],
  ])("when HubSpot answers %i", async (status, code) => {
    const portal = await openPortal();
    await portal.fault({ status });
    await expect(resync(portal)).rejects.toMatchObject({ code });
  });

  test("when HubSpot refuses a definition, with its correlation id", async () => {
    const portal = await openPortal();
    const body = { message: "bad definition", category: "VALIDATION_ERROR", correlationId: "c-1" };
    await portal.fault({ status: 400, method: "POST", match: "jc_disc_s", body });
    await expect(resync(portal)).rejects.toMatchObject({
      code: "VENDOR_REJECTED",
      message:
        "HubSpot refused creating the property jc_disc_s with 400: bad definition (correlation id c-1)",
    });
    expect((await portal.properties()).map(({ name }) => name)).toEqual(["jc_disc_d", "jc_disc_i"]);
  });

  test("when the answer is no list of properties", async () => {
    const portal = await openPortal();
    await portal.fault({ status: 200, path: "/crm", body: "<html>" });
    await expect(resync(portal)).rejects.toMatchObject({ code: "VENDOR_UNEXPECTED" });
  });
});
