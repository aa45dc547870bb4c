import { describe, expect, test } from "vitest";
import type { KnownRecord } from "../../../src/core/push.ts";
import { API_VERSIONS, type ApiVersion } from "../../../src/vendors/hubspot/versions.ts";
import { anUpdate, bootstrap, openPortal } from "./portal.ts";

const [WORK, PRIVATE, OLD] = ["ann@work.example", "ann@private.example", "ann@old.example"];

async function portalWithAnn(options: { apiVersion?: ApiVersion } = {}) {
  const portal = await openPortal(options);
  await bootstrap(portal);
  const id = await portal.makeContact(PRIVATE, WORK, OLD);
  const send = async (...updates: { subject: string; known?: KnownRecord }[]) => {
    const before = (await portal.requests()).length;
    const made = updates.map(({ subject, ...known }) => ({ ...anUpdate(subject), ...known }));
    const { answers, records } = await portal.hubspot.send(portal.access, made);
    const calls = (await portal.requests()).slice(before);
    const reads = calls.filter(({ method }) => method === "GET").length;
    return { answers, kinds: answers.map(({ kind }) => kind), records, reads };
  };
  return { portal, id, send };
}

const ALL = [PRIVATE, WORK, OLD];

describe.each(API_VERSIONS)("whose contact a record is, on %s,", (apiVersion) => {
  test("is told with the answer, and read where it was met by another address", async () => {
    const { id, send } = await portalWithAnn({ apiVersion });
    expect(await send({ subject: PRIVATE })).toMatchObject({ records: [{ id }], reads: 0 });
    expect(await send({ subject: WORK })).toMatchObject({ records: [{ id, subjects: ALL }], reads: 1 });
  });
});

describe("the contact is read", () => {
  test("no more once its addresses are known, whichever of them is its primary one", async () => {
    const { id, send } = await portalWithAnn();
    const known = { id, isShared: true };
    for (const subject of ALL)
      expect(await send({ subject, known })).toMatchObject({ records: [{ id }], reads: 0 });
  });
  test("when it is another one than before, also by its primary address, and once for several records", async () => {
    const { id, send } = await portalWithAnn();
    const known = { id: "7", isShared: false };
    expect(await send({ subject: PRIVATE, known }, { subject: "bob@x.example" })).toMatchObject({
      records: [{ id, subjects: ALL }, { isNew: true }],
      reads: 1,
    });
  });
  test("when the address was its primary one and is not any more", async () => {
    const { id, send } = await portalWithAnn();
    const known = { id, isShared: false };
    expect(await send({ subject: WORK, known })).toMatchObject({
      records: [{ id, subjects: ALL }],
      reads: 1,
    });
  });
  test("never when it was just created: it has one address", async () => {
    const { send } = await portalWithAnn();
    expect(await send({ subject: "bob@x.example" })).toMatchObject({ records: [{ isNew: true }], reads: 0 });
    const known = { id: "7", isShared: true };
    expect(await send({ subject: "cat@x.example", known })).toMatchObject({
      records: [{ isNew: true, subjects: ["cat@x.example"] }],
      reads: 0,
    });
  });
});

describe("an answer without trace ids", () => {
  test("tells whose contact it is by the addresses that the contact lists", async () => {
    const { portal, id, send } = await portalWithAnn();
    const other = await portal.makeContact("bob@private.example", "bob@work.example");
    const results = [
      { id: other, properties: { email: "bob@private.example" } },
      { id, properties: { email: PRIVATE } },
    ];
    await portal.fault({ status: 200, path: "/crm/v3/objects/contacts/batch/upsert", body: { results } });
    expect(await send({ subject: WORK }, { subject: "bob@work.example" })).toMatchObject({
      kinds: ["accepted", "accepted"],
      records: [
        { id, subjects: ALL },
        { id: other, subjects: ["bob@private.example", "bob@work.example"] },
      ],
      reads: 2,
    });
    const known = { id, isShared: true };
    expect(await send({ subject: WORK, known }, { subject: "bob@private.example" })).toMatchObject({
      records: [{ id }, { id: other }],
      reads: 0,
    });
  });
});

describe("where the contact cannot be read", () => {
  test("now, the record is to be told again, as late as HubSpot says", async () => {
    const { portal, id, send } = await portalWithAnn();
    const at = { method: "GET", path: `/crm/v3/objects/contacts/${id}`, times: 1 };
    await portal.fault({ ...at, status: 429, headers: { "retry-after": "20" } });
    const { answers, records } = await send({ subject: WORK }, { subject: "bob@x.example" });
    expect(answers).toMatchObject([
      { kind: "retry", isThrottle: true, httpStatus: 429, notBefore: portal.clock.now() + 20_000 },
      { kind: "accepted" },
    ]);
    expect(records).toMatchObject([null, { isNew: true }]);
    for (const fault of [{ status: 503 }, { drop: true }]) {
      await portal.fault({ ...at, ...fault });
      expect(await send({ subject: WORK })).toMatchObject({ kinds: ["retry"], records: [null] });
    }
    expect(JSON.stringify(answers)).not.toContain("@");
  });
  test("for want of a scope, the addresses of the answer have to do", async () => {
    const { portal, id, send } = await portalWithAnn();
    const body = { status: "error", category: "MISSING_SCOPES", message: "no" };
    await portal.fault({ method: "GET", path: `/crm/v3/objects/contacts/${id}`, status: 403, body });
    expect(await send({ subject: WORK })).toMatchObject({
      kinds: ["accepted"],
      records: [{ id, subjects: [WORK, PRIVATE] }],
    });
  });
  test("since it is gone, nothing is known of it, and the next answer tells", async () => {
    const { portal, id, send } = await portalWithAnn();
    await portal.fault({
      method: "GET",
      path: `/crm/v3/objects/contacts/${id}`,
      status: 404,
      body: { message: "no" },
    });
    expect(await send({ subject: WORK })).toMatchObject({ kinds: ["accepted"], records: [null] });
  });
});
