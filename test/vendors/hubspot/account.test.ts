import { describe, expect, test } from "vitest";
import { API_VERSIONS } from "../../../src/vendors/hubspot/versions.ts";
import { openPortal } from "./portal.ts";

describe.each(API_VERSIONS)("on %s", (apiVersion) => {
  test("the account is the portal, with its kind and where its data is kept", async () => {
    const portal = await openPortal({ apiVersion });
    await portal.settings({ portalId: 62515, accountType: "STANDARD", dataHostingLocation: "na1" });
    await portal.access.token({ renewed: true });
    expect(await portal.hubspot.account(portal.access)).toEqual({
      id: "62515",
      name: "portal 62515",
      kind: "STANDARD",
      region: "na1",
      timeZone: expect.any(String),
    });
  });

  test("the revocation is where the authorization says", async () => {
    const { hubspot } = await openPortal({ apiVersion });
    const body = new URLSearchParams({ client_id: "app-1", client_secret: "any", token: "gone" });
    const answer = await fetch(hubspot.authorization.revokeUrl ?? "", { method: "POST", body });
    expect(answer.status).toBe(200);
  });
});

test("an account that HubSpot does not describe is an error", async () => {
  const portal = await openPortal();
  await portal.fault({ status: 200, path: "/account-info", body: {} });
  await expect(portal.hubspot.account(portal.access)).rejects.toMatchObject({ code: "VENDOR_UNEXPECTED" });
});
