import { describe, expect, test } from "vitest";
import { prepared } from "../world.ts";
import { SCOPES, statusOf } from "./world.ts";

const FEWER = SCOPES.slice(0, 3);

describe("what was granted, where the token answer does not say", () => {
  test("is what introspection tells: a missing scope is named, exit 7", async () => {
    const world = await prepared();
    await world.portal.settings({ tellsScopes: false, grantedScopes: FEWER });
    const { code, out, err } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(7);
    expect(out).toMatch(/scopes +3 of 5 granted/);
    expect(err).toContain(
      "connected, but not granted: crm.schemas.contacts.read, crm.schemas.contacts.write",
    );
    expect((await statusOf(world)).missingScopes).toEqual(SCOPES.slice(3));
  });

  test("is all five only where introspection names them", async () => {
    const world = await prepared();
    await world.portal.settings({ tellsScopes: false });
    const { code, out } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(0);
    expect(out).toMatch(/scopes +5 granted/);
  });

  test("is unknown, and said to be, where nobody tells", async () => {
    const world = await prepared();
    await world.portal.settings({ tellsScopes: false, introspection: "active" });
    const { code, out } = await world.run(["connect", "hubspot"]);
    expect(code).toBe(0);
    expect(out).toMatch(/scopes +not told, neither with the tokens nor when asked/);
    const { json } = await world.run(["status", "--json"]);
    expect(json).toMatchObject({ connections: [{ scopes: [], missingScopes: [], state: "connected" }] });
  });
});
