import { describe, expect, test } from "vitest";
import { AppError } from "../../../src/shared/errors.ts";
import { API_VERSIONS } from "../../../src/vendors/hubspot/versions.ts";
import { anUpdate, bootstrap, openPortal } from "./portal.ts";

const UPSERT = "/crm/v3/objects/contacts/batch/upsert";

async function readyPortal() {
  const portal = await openPortal();
  await bootstrap(portal);
  return portal;
}

describe.each(API_VERSIONS)("on %s", (apiVersion) => {
  test("contacts are created, then changed, each answered in the order asked", async () => {
    const portal = await openPortal({ apiVersion });
    await bootstrap(portal);
    const first = await portal.hubspot.send(portal.access, [
      anUpdate("ann@example.com", { jc_disc_d: "68", jc_test_status: "completed" }),
      anUpdate("bob@example.com"),
    ]);
    expect(first).toMatchObject({ httpStatus: 200, answers: [{ kind: "accepted" }, { kind: "accepted" }] });
    await portal.hubspot.send(portal.access, [anUpdate("ann@example.com", { jc_disc_d: "70" })]);
    expect(await portal.wholeContacts()).toMatchObject([
      { email: "ann@example.com", properties: { jc_disc_d: "70", jc_test_status: "completed" } },
      { email: "bob@example.com", properties: { jc_iq_score: "120" } },
    ]);
  });

  test("one bad record does not sink the others", async () => {
    const portal = await openPortal({ apiVersion });
    await bootstrap(portal);
    const { answers } = await portal.hubspot.send(portal.access, [
      anUpdate("ann@example.com"),
      anUpdate("no address"),
      anUpdate("cid@example.com", { jc_test_status: "unheard of" }),
      anUpdate("dan@example.com"),
    ]);
    expect(answers).toMatchObject([
      { kind: "accepted" },
      { kind: "rejected", rejection: { category: "VALIDATION_ERROR", field: "email" } },
      { kind: "rejected", rejection: { category: "VALIDATION_ERROR", field: "jc_test_status" } },
      { kind: "accepted" },
    ]);
    const emails = (await portal.wholeContacts()).map(({ email }) => email);
    expect(emails.sort()).toEqual(["ann@example.com", "dan@example.com"]);
  });
});

describe("a property that the portal lost", () => {
  test("holds the records that carry it, and the others go", async () => {
    const portal = await readyPortal();
    await portal.archiveProperty("jc_iq_score");
    const { answers } = await portal.hubspot.send(portal.access, [
      anUpdate("ann@example.com", { jc_iq_score: "120" }),
      anUpdate("bob@example.com", { jc_disc_d: "68" }),
    ]);
    expect(answers).toEqual([
      { kind: "held", cause: "property", detail: "jc_iq_score" },
      { kind: "accepted" },
    ]);
  });
});

describe("the token", () => {
  test("is renewed once when HubSpot refuses it, and the call is repeated", async () => {
    const portal = await readyPortal();
    await portal.fault({ revoked: true });
    const { answers } = await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
    expect(answers).toEqual([{ kind: "accepted" }]);
    expect(portal.renewals()).toBe(1);
  });

  test("that is refused again after its renewal counts as an outage", async () => {
    const portal = await readyPortal();
    for (const path of ["/crm", "/account-info"]) await portal.fault({ status: 401, path });
    const { answers, httpStatus } = await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
    expect(answers).toMatchObject([
      { kind: "retry", reason: expect.stringContaining("renewed"), notBefore: null },
    ]);
    expect(httpStatus).toBeNull();
    expect(portal.renewals()).toBe(1);
    expect(await portal.requests({ from: UPSERT })).toHaveLength(2);
    await expect(portal.hubspot.account(portal.access)).rejects.toMatchObject({ code: "VENDOR_UNAVAILABLE" });
  });

  test("that cannot be had lets its error rise, and nothing is sent", async () => {
    const portal = await readyPortal();
    const gone = new AppError("RECONNECT_NEEDED", "no token");
    const access = { ...portal.access, token: () => Promise.reject(gone) };
    await expect(portal.hubspot.send(access, [anUpdate("ann@example.com")])).rejects.toBe(gone);
    expect(await portal.requests({ from: UPSERT })).toEqual([]);
  });

  test("that cannot be had because HubSpot is down makes the records wait", async () => {
    const portal = await readyPortal();
    const down = new AppError("VENDOR_UNAVAILABLE", "the token endpoint did not answer");
    const access = { ...portal.access, token: () => Promise.reject(down) };
    const { answers } = await portal.hubspot.send(access, [anUpdate("ann@example.com")]);
    expect(answers).toMatchObject([{ kind: "retry", reason: down.message, httpStatus: null }]);
  });
});

describe("trouble on the way", () => {
  test("of a cut connection makes every record wait", async () => {
    const portal = await readyPortal();
    await portal.fault({ drop: true, times: 1 });
    const result = await portal.hubspot.send(portal.access, [
      anUpdate("ann@example.com"),
      anUpdate("b@x.example"),
    ]);
    expect(result.answers.map(({ kind }) => kind)).toEqual(["retry", "retry"]);
    expect(result.httpStatus).toBeNull();
    const again = await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
    expect(again.answers).toEqual([{ kind: "accepted" }]);
  });

  test("of our own giving up rises as the signal's reason", async () => {
    const portal = await readyPortal();
    const reason = new Error("stopping");
    const access = { ...portal.access, signal: AbortSignal.abort(reason) };
    await expect(portal.hubspot.send(access, [anUpdate("ann@example.com")])).rejects.toBe(reason);
  });

  test("of a status that passes makes every record wait, without a word about the record", async () => {
    const portal = await readyPortal();
    for (const status of [423, 429, 477, 500, 502, 503, 504, 521, 523, 524]) {
      await portal.fault({
        status,
        times: 1,
        body: { status: "error", message: "later", correlationId: "c-1" },
      });
      const { answers, httpStatus } = await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
      const isThrottle = [423, 429, 477].includes(status);
      expect(answers).toMatchObject([
        { kind: "retry", isThrottle, httpStatus: status, correlationId: "c-1" },
      ]);
      expect(httpStatus).toBe(status);
    }
    expect(await portal.wholeContacts()).toEqual([]);
  });

  test("of a limit waits until its window has passed", async () => {
    const portal = await readyPortal();
    await portal.fault({ rateLimit: "1/10s" });
    const now = portal.clock.now();
    await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
    const { answers } = await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
    expect(answers).toMatchObject([
      { kind: "retry", reason: "HubSpot answered 429 (TEN_SECONDLY_ROLLING)", notBefore: now + 10_000 },
    ]);
  });

  test("of an answer that is nothing but 2xx makes every record wait", async () => {
    const portal = await readyPortal();
    for (const body of [{ status: "COMPLETE", results: [] }, "<html>", ""]) {
      await portal.fault({ status: 200, times: 1, body });
      const { answers } = await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
      expect(answers).toMatchObject([
        { kind: "retry", reason: "HubSpot neither confirmed nor refused the record", httpStatus: 200 },
      ]);
    }
  });
});

describe("a call refused whole", () => {
  test("is split when several records may be to blame", async () => {
    const portal = await readyPortal();
    const body = { status: "error", message: "something is wrong", category: "VALIDATION_ERROR" };
    await portal.fault({ status: 400, match: "poison", body });
    const { answers } = await portal.hubspot.send(portal.access, [
      anUpdate("ann@example.com"),
      anUpdate("poison@example.com"),
    ]);
    expect(answers).toMatchObject([
      { kind: "split", suspect: true, rejection: { message: "something is wrong" } },
      { kind: "split", suspect: true },
    ]);
  });

  test("rejects the record that stands alone, in HubSpot's words", async () => {
    const portal = await readyPortal();
    const body = { message: "something is wrong", category: "VALIDATION_ERROR", correlationId: "c-9" };
    await portal.fault({ status: 400, match: "poison", body });
    const { answers } = await portal.hubspot.send(portal.access, [anUpdate("poison@example.com")]);
    const rejection = {
      message: "something is wrong",
      category: "VALIDATION_ERROR",
      field: null,
      httpStatus: 400,
      correlationId: "c-9",
    };
    expect(answers).toEqual([{ kind: "rejected", rejection }]);
  });

  test("for a conflict of two records names nobody, so both are suspects", async () => {
    const portal = await readyPortal();
    await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
    await portal.call("PATCH", "/crm/v3/objects/contacts/101", {
      properties: { hs_additional_emails: "anna@example.com" },
    });
    const { answers, httpStatus } = await portal.hubspot.send(portal.access, [
      anUpdate("ann@example.com"),
      anUpdate("anna@example.com"),
    ]);
    expect(httpStatus).toBe(409);
    expect(answers).toMatchObject([
      { kind: "split", suspect: true, rejection: { category: "CONFLICT" } },
      { kind: "split", suspect: true },
    ]);
  });

  test("for a missing scope holds every record and names the scope", async () => {
    const portal = await readyPortal();
    await portal.settings({ grantedScopes: ["oauth", "crm.objects.contacts.read"] });
    const { answers } = await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
    expect(answers).toEqual([{ kind: "held", cause: "scope", detail: "crm.objects.contacts.write" }]);
  });
});

test("a contact met by its secondary address is accepted and keeps its primary one", async () => {
  const portal = await readyPortal();
  await portal.hubspot.send(portal.access, [anUpdate("ann@example.com")]);
  await portal.call("PATCH", "/crm/v3/objects/contacts/101", {
    properties: { hs_additional_emails: "anna@example.com" },
  });
  const { answers } = await portal.hubspot.send(portal.access, [
    anUpdate("anna@example.com", { jc_disc_d: "1" }),
  ]);
  expect(answers).toEqual([{ kind: "accepted" }]);
  expect(await portal.wholeContacts()).toMatchObject([
    { email: "ann@example.com", properties: { jc_disc_d: "1" } },
  ]);
});
