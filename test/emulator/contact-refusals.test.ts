import { describe, expect, test } from "vitest";
import { at, hiddenDetails, textAt } from "./client.ts";
import { DATED, good, type Input, portal, traced, upsert } from "./upserts.ts";

describe("one bad record", () => {
  const bad: [string, Input, string][] = [
    ["an unknown property", { id: "bob@example.com", properties: { nope: "1" } }, "PROPERTY_DOESNT_EXIST"],
    ["an invalid address", { id: "bob@", properties: {} }, "INVALID_EMAIL"],
    ["a bad option", { id: "bob@example.com", properties: { test_status: "INVITED" } }, "INVALID_OPTION"],
    ["a bad number", { id: "bob@example.com", properties: { score: "1,5" } }, "INVALID_LONG"],
    ["a read-only property", { id: "bob@example.com", properties: { createdate: "1" } }, "READ_ONLY_VALUE"],
  ];

  test.each(bad)("with %s refuses the whole batch without trace ids", async (_case, input, code) => {
    const app = await portal();
    const refused = await upsert(app, [good, input]);
    expect(refused).toMatchObject({ status: 400, body: { category: "VALIDATION_ERROR" } });
    const message = textAt(refused.body, "message");
    expect(message).toMatch(/^Property values were not valid: \[/);
    expect(hiddenDetails(message)).toMatchObject([{ isValid: false, error: code, portalId: 8480001 }]);
    expect(await app.contacts()).toEqual([]);
  });

  test.each(bad)(
    "with %s is named with its trace id, and the others are written",
    async (_case, input, code) => {
      const app = await portal();
      const answer = await upsert(app, traced([good, input]));
      expect(answer).toMatchObject({
        status: 207,
        body: {
          status: "COMPLETE",
          results: [{ objectWriteTraceId: "t0", new: true }],
          numErrors: 1,
          errors: [
            { status: "error", category: "VALIDATION_ERROR", context: { objectWriteTraceId: ["t1"] } },
          ],
        },
      });
      expect(textAt(answer.body, "errors", 0, "message")).toContain(`"error":"${code}"`);
      expect(await app.contacts()).toMatchObject([{ email: "ann@example.com" }]);
    },
  );

  test("alone in its batch is a 207 all the same", async () => {
    const [, input] = bad[3] ?? [];
    const answer = await upsert(await portal(), traced(input ? [input] : []));
    expect(answer).toMatchObject({ status: 207, body: { results: [], numErrors: 1 } });
  });

  test("has all its bad properties in one list", async () => {
    const answer = await upsert(await portal(), [
      { id: "bob@example.com", properties: { nope: "1", score: "x" } },
    ]);
    expect(hiddenDetails(textAt(answer.body, "message"))).toMatchObject([
      { name: "nope" },
      { name: "score" },
    ]);
  });

  test("refuses the whole batch when a trace id is repeated or missing", async () => {
    const app = await portal();
    const inputs: Input[] = [good, { id: "bob@example.com", properties: { nope: "1" } }];
    expect(
      (
        await upsert(
          app,
          inputs.map((input) => ({ ...input, objectWriteTraceId: "t" })),
        )
      ).status,
    ).toBe(400);
    expect((await upsert(app, [...traced([good]), ...inputs.slice(1)])).status).toBe(400);
    expect(await app.contacts()).toEqual([]);
  });

  test("is named in a 200 under 2026-09", async () => {
    const answer = await upsert(await portal(), traced([good, { id: "x", properties: {} }]), DATED);
    expect(answer).toMatchObject({ status: 200, body: { results: [{ new: true }], numErrors: 1 } });
  });
});

describe.each(["without", "with"])("%s trace ids a whole batch is refused", (mode) => {
  const given = (inputs: Input[]) => (mode === "with" ? traced(inputs) : inputs);

  test("when an id comes twice, in any case", async () => {
    const app = await portal();
    const refused = await upsert(app, given([good, { id: "Ann@example.com", properties: {} }]));
    expect(refused).toMatchObject({
      status: 400,
      body: { category: "VALIDATION_ERROR", context: { ids: ["ann@example.com"] } },
    });
    expect(textAt(refused.body, "message")).toMatch(/^Duplicate IDs found in batch input/);
    expect(await app.contacts()).toEqual([]);
  });

  test("when it has more than 100 inputs", async () => {
    const app = await portal();
    const many = Array.from({ length: 101 }, (_, index) => ({ id: `p${index}@example.com`, properties: {} }));
    expect((await upsert(app, given(many))).status).toBe(400);
    expect(await app.contacts()).toEqual([]);
    expect((await upsert(app, given(many.slice(1)))).status).toBe(200);
  });

  test("when two addresses are one contact", async () => {
    const app = await portal();
    await upsert(app, [{ id: good.id, properties: { hs_additional_emails: "ann@work.example" } }]);
    const refused = await upsert(app, given([good, { id: "ann@work.example", properties: { score: "1" } }]));
    expect(refused).toMatchObject({ status: 409, body: { category: "CONFLICT" } });
    expect(at(await app.contacts(), 0, "properties", "score")).toBeUndefined();
  });

  test("when a record claims another contact's address", async () => {
    const app = await portal();
    await upsert(app, [good]);
    const id = textAt(await app.contacts(), 0, "id");
    const refused = await upsert(app, given([{ id: "bob@example.com", properties: { email: good.id } }]));
    expect(refused.status).toBe(409);
    expect(textAt(refused.body, "message")).toContain(id);
  });

  test("when two new records claim one address", async () => {
    const app = await portal();
    const both = [good, { id: "bob@example.com", properties: { hs_additional_emails: good.id } }];
    expect((await upsert(app, given(both))).status).toBe(409);
    expect(await app.contacts()).toEqual([]);
  });

  test.each(["note", "nowhere"])("when idProperty is %s, which is not unique", async (idProperty) => {
    const refused = await upsert(await portal(), given([{ ...good, idProperty }]));
    expect(refused).toMatchObject({ status: 400, body: { category: "VALIDATION_ERROR" } });
    expect(textAt(refused.body, "message")).toContain("non-unique 0-1 property");
  });
});
