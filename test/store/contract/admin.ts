import { describe, expect, test } from "vitest";
import type { AdminLink } from "../../../src/core/admin.ts";
import { NOON } from "../../core/example.ts";
import { temporaryDirectory } from "../../directory.ts";
import { claimsOf } from "../looks.ts";
import { anAttempt, DELIVERED } from "./delivering.ts";
import { aConfirmation, completedFor, connect, MINUTE } from "../events.ts";
import { type OpenStore, opened } from "../world.ts";

export function describeAdmin(open: OpenStore): void {
  const link = (hash: string, changes: Partial<AdminLink> = {}): AdminLink => ({
    hash,
    org: null,
    who: "alice",
    createdAt: NOON,
    expiresAt: NOON + 15 * MINUTE,
    ...changes,
  });
  const session = { hash: "session", expiresAt: NOON + 60 * MINUTE };

  describe("links to the admin page", () => {
    test("sign one browser in, once, however often they are looked at, and write it down", async () => {
      const store = await opened(open);
      const written = link("one", { org: "acme" });
      await store.openAdminLink(written);
      for (let n = 0; n < 2; n++)
        expect(await store.lookAtAdminLink("one", NOON)).toEqual({ kind: "good", link: written });
      expect(await store.redeemAdminLink({ hash: "one", now: NOON, session })).toMatchObject({
        kind: "good",
      });
      expect(await store.adminSession("session", NOON)).toEqual({ ...session, org: "acme", who: "alice" });
      const again = { hash: "one", now: NOON, session: { ...session, hash: "other" } };
      expect(await store.redeemAdminLink(again)).toEqual({ kind: "used" });
      expect(await store.adminSession("other", NOON)).toBeNull();
      expect(await store.audited("acme", 10)).toEqual([
        { at: NOON, who: "alice", org: "acme", what: "signed in", about: "acme" },
      ]);
      expect(await store.audited("other", 10)).toEqual([]);
    });

    test("sign in one of two processes", async () => {
      const stateDir = temporaryDirectory();
      const stores = [await opened(open, stateDir), await opened(open, stateDir)];
      await stores[0]?.openAdminLink(link("one"));
      const ends = await Promise.all(
        stores.map((store, n) =>
          store.redeemAdminLink({ hash: "one", now: NOON, session: { ...session, hash: `s${n}` } }),
        ),
      );
      expect(ends.map(({ kind }) => kind).sort()).toEqual(["good", "used"]);
    });

    test("end with their time, as sessions do, or when somebody signs out", async () => {
      const store = await opened(open);
      await store.openAdminLink(link("one"));
      expect(await store.lookAtAdminLink("one", NOON + 15 * MINUTE)).toEqual({ kind: "expired" });
      expect(await store.lookAtAdminLink("two", NOON)).toEqual({ kind: "unknown" });
      await store.redeemAdminLink({ hash: "one", now: NOON, session });
      expect(await store.adminSession("session", NOON + 60 * MINUTE)).toBeNull();
      expect(await store.adminSession("session", NOON)).not.toBeNull();
      await store.endAdminSession("session");
      expect(await store.adminSession("session", NOON)).toBeNull();
    });
  });

  describe("the admin page's logs", () => {
    test("show a connection's tries newest first, page by page, by outcome, time and invite", async () => {
      const store = await opened(open);
      const { id } = await connect(store);
      await store.append(completedFor("ann", "bob", "cat"));
      const outcomes = ["delivered", "rejected", "delivered"] as const;
      const claims = await claimsOf(store, { connectionId: id, limit: 10, now: NOON + MINUTE });
      await store.settle(
        claims.map((claim, n) => ({
          claim,
          now: NOON + n,
          outcome: DELIVERED,
          attempt: anAttempt(outcomes[n] ?? "retry"),
        })),
      );
      const look = async (query: object) => {
        const { attempts, next } = await store.deliveryLog({ connectionId: id, limit: 10, ...query });
        return { invites: attempts.map(({ invitationId }) => invitationId), next };
      };
      const [ann, bob, cat] = claims.map(({ subject }) => `inv_${subject.split("@", 1)[0]}`);
      expect(await look({})).toEqual({ invites: [cat, bob, ann], next: null });
      const first = await look({ limit: 2 });
      expect(first).toEqual({ invites: [cat, bob], next: expect.any(Number) });
      expect(await look({ limit: 2, before: first.next })).toEqual({ invites: [ann], next: null });
      expect((await look({ outcome: "rejected" })).invites).toEqual([bob]);
      expect((await look({ since: NOON + 2 })).invites).toEqual([cat]);
      expect((await look({ invitationId: ann })).invites).toEqual([ann]);
      expect((await look({ connectionId: 999 })).invites).toEqual([]);
      expect(await store.orgs()).toEqual(["acme"]);
    });

    test("show a vendor's webhooks newest first, page by page, also those alone that wait for their invite", async () => {
      const store = await opened(open);
      await store.append(["e0", "e1", "e2"].map((id) => aConfirmation(id)));
      const of = { org: "acme", vendor: "smartrecruiters", environment: "production" } as const;
      const page = await store.webhookLog({ ...of, limit: 2 });
      expect(page.webhooks.map(({ eventId }) => eventId)).toEqual(["e2", "e1"]);
      const rest = await store.webhookLog({ ...of, limit: 2, ...(page.next ? { before: page.next } : {}) });
      expect(rest.webhooks.map(({ eventId }) => eventId)).toEqual(["e0"]);
      expect(rest.next).toBeNull();
      expect((await store.webhookLog({ ...of, org: "other", limit: 2 })).webhooks).toEqual([]);
      const waiting = await store.webhookLog({ ...of, unmatched: true, limit: 10 });
      expect(waiting.webhooks.every(({ isMatched }) => !isMatched)).toBe(true);
      expect(waiting.webhooks).not.toEqual([]);
    });
  });
}
