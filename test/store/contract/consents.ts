import { describe, expect, test } from "vitest";
import { CONSENT_LIFE_MS, type Consent } from "../../../src/core/consent.ts";
import { NOON } from "../../core/example.ts";
import { MINUTE } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";
import { temporaryDirectory } from "../../directory.ts";

const DAY = 24 * 60 * MINUTE;

/** A link for consent as it is written, open from noon on. */
export const aConsent = (hash: string, changes: Partial<Consent> = {}): Consent => ({
  org: "acme",
  vendor: "hubspot",
  environment: "production",
  hash,
  seal: "sealed",
  redirectUri: "https://api.example/hubspot/oauth-callback",
  accountId: null,
  allowsOtherAccount: false,
  allowsCrossRegion: false,
  createdAt: NOON,
  expiresAt: NOON + CONSENT_LIFE_MS,
  ...changes,
});

export function describeConsents(open: OpenStore): void {
  const answer = (hash: string, now = NOON) => ({ hash, vendor: "hubspot", now });
  /** For the one that took it: is it still his? */
  const again = (hash: string) => ({ ...answer(hash), how: "again" }) as const;

  describe("links for consent", () => {
    test("are taken as they were written, once, until they are given back", async () => {
      const store = await opened(open);
      const written = aConsent("one", {
        allowsOtherAccount: true,
        allowsCrossRegion: true,
        accountId: "8480001",
      });
      await store.openConsent(written);
      expect(await store.takeConsent(answer("one"))).toEqual({ kind: "taken", consent: written });
      expect(await store.takeConsent(again("one"))).toEqual({ kind: "taken", consent: written });
      expect(await store.takeConsent(answer("one"))).toEqual({ kind: "busy" });
      await store.endConsents({ outcome: "open", hash: "one", refusal: null }, NOON);
      expect(await store.takeConsent(again("one"))).toEqual({ kind: "voided" });
      expect(await store.takeConsent(answer("one"))).toMatchObject({ kind: "taken" });
      await store.endConsents({ outcome: "connected", hash: "one" }, NOON);
      expect(await store.takeConsent(answer("one"))).toEqual({ kind: "used" });
    });

    test("that were begun on the admin page come back as that", async () => {
      const store = await opened(open);
      const written = aConsent("one", { begun: { by: "alice", returnTo: "http://localhost:8471" } });
      await store.openConsent(written);
      expect(await store.takeConsent(answer("one"))).toEqual({ kind: "taken", consent: written });
    });

    test("that are only looked at stay free, and tell what would become of them", async () => {
      const store = await opened(open);
      const written = aConsent("one");
      await store.openConsent(written);
      const look = { ...answer("one"), how: "look" } as const;
      expect(await store.takeConsent(look)).toEqual({ kind: "taken", consent: written });
      expect(await store.takeConsent(answer("one"))).toMatchObject({ kind: "taken" });
      expect(await store.takeConsent(look)).toEqual({ kind: "busy" });
    });

    test("are taken by one of two stores that open the same log", async () => {
      const stateDir = temporaryDirectory();
      const [one, other] = [await opened(open, stateDir), await opened(open, stateDir)];
      await one.openConsent(aConsent("one"));
      const kinds = await Promise.all([one, other].map((store) => store.takeConsent(answer("one"))));
      expect(kinds.map(({ kind }) => kind).sort()).toEqual(["busy", "taken"]);
    });

    test("are known to nobody else: another hash, another vendor", async () => {
      const store = await opened(open);
      await store.openConsent(aConsent("one"));
      expect(await store.takeConsent(answer("two"))).toEqual({ kind: "unknown" });
      expect(await store.takeConsent({ ...answer("one"), vendor: "smartrecruiters" })).toEqual({
        kind: "unknown",
      });
    });

    test("end at their time, and are listed until then", async () => {
      const store = await opened(open);
      await store.openConsent(aConsent("one"));
      const end = NOON + CONSENT_LIFE_MS;
      const listed = [
        {
          org: "acme",
          vendor: "hubspot",
          environment: "production",
          expiresAt: end,
          refusedAt: null,
          refusal: null,
        },
      ];
      expect((await store.overview("acme", end - 1)).consents).toEqual(listed);
      expect((await store.overview(null, NOON)).consents).toEqual(listed);
      expect((await store.overview("other", NOON)).consents).toEqual([]);
      expect((await store.overview("acme", end)).consents).toEqual([]);
      expect(await store.takeConsent(answer("one", end))).toEqual({ kind: "expired" });
      expect(await store.takeConsent(answer("one", end - 1))).toMatchObject({ kind: "taken" });
    });

    test("are void once there is a newer one of the same connection, and of no other", async () => {
      const store = await opened(open);
      const others: Partial<Consent>[] = [
        { org: "other" },
        { environment: "sandbox" },
        { vendor: "smartrecruiters" },
      ];
      for (const [n, changes] of others.entries()) await store.openConsent(aConsent(`other ${n}`, changes));
      await store.openConsent(aConsent("one"));
      await store.openConsent(aConsent("two"));
      expect(await store.takeConsent(answer("one"))).toEqual({ kind: "voided" });
      expect(await store.takeConsent(answer("two"))).toMatchObject({ kind: "taken" });
      expect(await store.takeConsent(answer("other 0"))).toMatchObject({ kind: "taken" });
      expect(await store.takeConsent(answer("other 1"))).toMatchObject({ kind: "taken" });
    });

    test("that are made void while they are redeemed are lost to whoever took them", async () => {
      const store = await opened(open);
      await store.openConsent(aConsent("one"));
      await store.takeConsent(answer("one"));
      expect(await store.endConsents({ outcome: "voided", connection: aConsent("one") }, NOON)).toBe(1);
      expect(await store.endConsents({ outcome: "voided", connection: aConsent("one") }, NOON)).toBe(0);
      expect(await store.takeConsent(again("one"))).toEqual({ kind: "voided" });
      await store.endConsents({ outcome: "connected", hash: "one" }, NOON);
      expect(await store.takeConsent(answer("one"))).toEqual({ kind: "voided" });
    });

    test("that nobody gave back are free again after a while", async () => {
      const store = await opened(open);
      await store.openConsent(aConsent("one"));
      await store.takeConsent(answer("one"));
      expect(await store.takeConsent(answer("one", NOON + 3 * MINUTE))).toEqual({ kind: "busy" });
      expect(await store.takeConsent(answer("one", NOON + 3 * MINUTE + 1))).toMatchObject({ kind: "taken" });
    });

    test("are forgotten a month after their end, when the next one is made", async () => {
      const store = await opened(open);
      await store.openConsent(aConsent("one"));
      const later = (days: number) => ({
        createdAt: NOON + days * DAY,
        expiresAt: NOON + days * DAY + CONSENT_LIFE_MS,
      });
      await store.openConsent(aConsent("two", { org: "other", ...later(37) }));
      expect(await store.takeConsent(answer("one", NOON + 37 * DAY))).toEqual({ kind: "expired" });
      await store.openConsent(aConsent("three", { org: "other", ...later(38) }));
      expect(await store.takeConsent(answer("one", NOON + 38 * DAY))).toEqual({ kind: "unknown" });
    });
  });
}
