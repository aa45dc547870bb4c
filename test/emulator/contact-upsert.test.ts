import { describe, expect, test } from "vitest";
import { at, connect, emulator, listAt, textAt } from "./client.ts";
import { good, portal, traced, UPSERT, upsert } from "./upserts.ts";

describe("an upsert", () => {
  test("creates, then updates the same contact, and says which it did", async () => {
    const app = await portal();
    const first = await upsert(app, [good]);
    expect(first).toMatchObject({ status: 200, body: { status: "COMPLETE", results: [{ new: true }] } });
    const second = await upsert(app, [{ id: good.id, properties: { note: "later" } }]);
    expect(second).toMatchObject({ status: 200, body: { results: [{ new: false }] } });
    expect(await app.contacts()).toMatchObject([
      { portalId: 8480001, email: "ann@example.com", properties: { score: "68", note: "later" } },
    ]);
  });

  test("lower-cases addresses and finds them in any case", async () => {
    const app = await portal();
    await upsert(app, [good]);
    const again = await upsert(app, [{ id: " ANN@Example.COM", properties: { score: "70" } }]);
    expect(at(again.body, "results", 0, "properties", "email")).toBe("ann@example.com");
    expect(await app.contacts()).toHaveLength(1);
  });

  test("answers in another order than it was asked, with the trace ids", async () => {
    const app = await portal();
    const inputs = traced(["a", "b", "c"].map((name) => ({ id: `${name}@example.com`, properties: {} })));
    const results = listAt((await upsert(app, inputs)).body, "results");
    expect(results.map((result) => at(result, "objectWriteTraceId"))).toEqual(["t2", "t1", "t0"]);
  });

  test("clears a value with an empty text and keeps what is left out", async () => {
    const app = await portal();
    await upsert(app, [{ id: good.id, properties: { score: "68", note: "x" } }]);
    await upsert(app, [{ id: good.id, properties: { note: "" } }]);
    expect(await app.contacts()).toMatchObject([{ properties: { score: "68" } }]);
    expect(at(await app.contacts(), 0, "properties", "note")).toBeUndefined();
  });

  test("finds a contact by its secondary address and keeps its primary one", async () => {
    const app = await portal();
    await upsert(app, [{ id: good.id, properties: { hs_additional_emails: "Ann@Work.example" } }]);
    const found = await upsert(app, [{ id: "ann@work.example", properties: { score: "5" } }]);
    expect(at(found.body, "results", 0, "new")).toBe(false);
    expect(await app.contacts()).toMatchObject([{ email: "ann@example.com", properties: { score: "5" } }]);
  });

  test("that makes a secondary address the primary one swaps the two", async () => {
    const app = await portal();
    await upsert(app, [{ id: good.id, properties: { hs_additional_emails: "ann@work.example" } }]);
    await upsert(app, [{ id: "ann@work.example", properties: { email: "ann@work.example" } }]);
    expect(await app.contacts()).toMatchObject([
      { email: "ann@work.example", properties: { hs_additional_emails: "ann@example.com" } },
    ]);
    expect(at((await upsert(app, [good])).body, "results", 0, "new")).toBe(false);
  });

  test("works by a unique property and by record id as well", async () => {
    const app = await portal();
    await upsert(app, [{ id: good.id, properties: { member_no: "M1" } }]);
    const byNumber = await upsert(app, [{ id: "M1", idProperty: "member_no", properties: { score: "1" } }]);
    expect(at(byNumber.body, "results", 0, "new")).toBe(false);
    const id = textAt(await app.contacts(), 0, "id");
    const byId = await upsert(app, [{ id, idProperty: "hs_object_id", properties: { score: "2" } }]);
    expect(at(byId.body, "results", 0, "new")).toBe(false);
    expect(await app.contacts()).toMatchObject([{ properties: { score: "2" } }]);
  });

  test("needs the scope to write contacts", async () => {
    const { api } = await connect(await emulator(), { scope: "crm.objects.contacts.read" });
    expect(await upsert({ api }, [good])).toMatchObject({
      status: 403,
      body: { category: "MISSING_SCOPES" },
    });
  });
});

describe("a malformed body", () => {
  test.each([{}, { input: [good] }, { inputs: "none" }, { inputs: [] }, [good]])(
    "%j is answered 200 and does nothing",
    async (body) => {
      const { api, contacts } = await portal();
      const answer = await api("POST", UPSERT, body);
      expect(answer).toMatchObject({ status: 200, body: { status: "COMPLETE", results: [] } });
      expect(await contacts()).toEqual([]);
    },
  );

  test.each([{ inputs: [{ idProperty: "email", properties: {} }] }, { inputs: [{ id: "a@example.com" }] }])(
    "%j is answered 400",
    async (body) => {
      expect((await (await portal()).api("POST", UPSERT, body)).status).toBe(400);
    },
  );
});
