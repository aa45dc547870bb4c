/** One sentence for whoever asks why a result is not there; what it advises is held by command-lines.test.ts. */
import { describe, expect, test } from "vitest";
import { type Asked, type AskedPush, answerOf, answerWords } from "../../src/core/advice/result-answer.ts";
import type { Connection } from "../../src/core/connection.ts";
import { HELD_CAUSES, type HeldCause } from "../../src/core/push.ts";
import { anInvite, aTest, NOON } from "./example.ts";

const CONNECTION: Connection = {
  id: 1,
  org: "acme",
  vendor: "hubspot",
  environment: "production",
  subject: "contact",
  state: "connected",
  account: { id: "8480001", name: "Acme", kind: null, region: null },
  isConfirmed: true,
  scopes: [],
  missingScopes: ["crm.objects.contacts.write"],
  knownFields: null,
  tokenExpiresAt: null,
  login: null,
  connectedAt: NOON,
  lastSyncAt: null,
  outage: null,
  vaultTrouble: { since: NOON, reason: "the keychain is locked", fix: null },
  banner: null,
  subscription: null,
  marks: {},
};
const PUSH: AskedPush = {
  state: "delivered",
  heldCause: null,
  subject: "ann@example.com",
  record: "101",
  pendingSince: null,
  dueAt: null,
  rejection: null,
  delivered: true,
  stateVersion: 5,
  isTold: true,
};
const WAITING: Partial<AskedPush> = { state: "pending", delivered: false, pendingSince: NOON, dueAt: NOON };

function sentence(push: Partial<AskedPush> | null, more: Partial<Asked> = {}): string | null {
  const answer = answerOf({
    invite: anInvite({ status: "completed" }),
    connection: CONNECTION,
    label: "HubSpot",
    push: push && { ...PUSH, ...push },
    attempts: [],
    now: NOON + 60_000,
    isServed: true,
    isDegraded: false,
    nextSweepAt: NOON + 3_600_000,
    ...more,
  });
  return answer && answerWords(answer);
}

const at = (version: number, outcome: "delivered" | "retry", seconds: number) => ({
  at: NOON + seconds * 1_000,
  version,
  outcome,
  reason: outcome === "retry" ? "it answered 503" : null,
});

describe("a delivered result", () => {
  test("is told with the moment in which its present state arrived, not a later one", () => {
    const attempts = [at(3, "delivered", 1), at(6, "delivered", 2), at(9, "delivered", 3)];
    expect(sentence({}, { attempts })).toBe("Delivered to HubSpot 2026-11-22 12:00:02 UTC as contact 101.");
  });

  test("whose attempts are gone is told without it", () => {
    expect(sentence({ record: null })).toBe("Delivered to HubSpot.");
  });

  test("that held nothing to send says so", () => {
    expect(sentence({ isTold: false })).toContain("Nothing of it is for HubSpot");
  });
});

describe("a result that waits", () => {
  test.each<[string, Partial<AskedPush>, Partial<Asked>, RegExp]>([
    ["for a service", {}, { isServed: false }, /because no service runs.*; run: jc-integrations serve$/],
    ["for its turn", {}, {}, /^Waits since 2026-11-22 12:00:00 UTC because its turn has not come yet\.$/],
    [
      "to be tried again",
      { dueAt: NOON + 300_000 },
      { attempts: [at(5, "retry", 0)] },
      /did not take it yet \(it answered 503\)\. It is tried again 2026-11-22 12:05:00 UTC\.$/,
    ],
    [
      "for the vendor",
      {},
      {
        connection: {
          ...CONNECTION,
          outage: {
            failures: 6,
            since: NOON,
            restUntil: NOON + 300_000,
            suspect: null,
            reason: "it answered 503",
          },
        },
        isServed: false,
        isDegraded: true,
      },
      /because HubSpot fails since 2026-11-22 12:00 UTC \(it answered 503\).*; run: jc-integrations run retry$/,
    ],
    [
      "for our configuration",
      {},
      {
        connection: {
          ...CONNECTION,
          refusal: { since: NOON, isOurs: true, reason: "the client secret is wrong", fix: "Set it." },
        },
      },
      /because HubSpot refuses us: the client secret is wrong\. Set it\.$/,
    ],
  ])("%s says why", (_what, push, more, words) => {
    expect(sentence({ ...WAITING, ...push }, more)).toMatch(words);
  });

  test.each<[HeldCause, RegExp]>([
    ["reconnect", /no longer takes our login; run: jc-integrations connect hubspot --org acme$/],
    ["disconnected", /was disconnected; run: jc-integrations connect hubspot /],
    ["vault", /tokens cannot be read: the keychain is locked; run: jc-integrations vault status$/],
    ["scope", /a scope that it needs \(crm.objects.contacts.write\); run: jc-integrations connect /],
    ["property", /lacks a field that it fills; run: jc-integrations resync-properties --org acme$/],
    ["confirm", /nobody has confirmed .*; run: jc-integrations connect hubspot --org acme --confirm$/],
    ["gone", /was deleted in HubSpot.*; run: jc-integrations replay \S+ --recreate --org acme --yes$/],
  ])("as it is held for %s names the cure", (heldCause, words) => {
    expect(sentence({ ...WAITING, state: "held", heldCause })).toMatch(words);
  });

  test("has a cure for every cause there is", () => {
    for (const heldCause of HELD_CAUSES)
      expect(sentence({ ...WAITING, state: "held", heldCause })).toContain("; run: jc-integrations ");
  });
});

describe("a result that nothing is under way for", () => {
  test.each<[string, Partial<Asked>, RegExp]>([
    ["was never sent", {}, /^Never sent.*; run: jc-integrations backfill --org acme --yes$/],
    [
      "is not begun",
      { invite: anInvite({ status: "invited", tests: [] }) },
      /^Nothing to send yet: no test is begun\.$/,
    ],
    [
      "waits for the sweep",
      { invite: anInvite({ status: "in_progress", tests: [aTest({ status: "started" })] }) },
      /^Waits for the daily sweep, 2026-11-22 13:00:00 UTC.*; run: jc-integrations run sweep$/,
    ],
    [
      "ended before a test was completed",
      { invite: anInvite({ status: "expired", tests: [] }) },
      /^Nothing was sent, because it was over before any test was completed\.$/,
    ],
    [
      "has no connection any more",
      { connection: { ...CONNECTION, state: "not_connected" } },
      /^Not sent, because HubSpot is not connected; run: jc-integrations connect /,
    ],
  ])("as it %s says so", (_what, more, words) => {
    expect(sentence(null, more)).toMatch(words);
  });

  test("is no matter of an applicant tracking system that never asked for it", () => {
    const connection: Connection = { ...CONNECTION, vendor: "smartrecruiters", subject: "assessment" };
    expect(sentence(null, { connection })).toBeNull();
  });
});

test("a refused result is told in the vendor's words", () => {
  const rejection = {
    message: "INVALID_EMAIL.",
    category: null,
    field: null,
    httpStatus: 400,
    correlationId: null,
  };
  expect(sentence({ state: "rejected", rejection, delivered: false })).toMatch(
    /^Refused by HubSpot: INVALID_EMAIL\. It waits until the record is mended; run: jc-integrations replay \S+ --org acme --yes$/,
  );
});
