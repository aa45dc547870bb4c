/** Whatever `status` or an alert may say stands in docs/troubleshooting.md, with what to do. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sharedAccountTrouble } from "../../src/core/advice/account-taken.ts";
import { backupTrouble } from "../../src/core/advice/backup-overdue.ts";
import { certificateTrouble } from "../../src/core/advice/certificate.ts";
import { copiedLog, halfCopied } from "../../src/core/advice/copied-log.ts";
import { databaseRefusal, openPasswords } from "../../src/core/advice/database.ts";
import { leftOutWords } from "../../src/core/advice/left-out.ts";
import { loginTrouble } from "../../src/core/advice/login-age.ts";
import { confirmWords } from "../../src/core/advice/not-confirmed.ts";
import { refusalWords } from "../../src/core/advice/refusal.ts";
import { stuckTroubles } from "../../src/core/advice/stuck.ts";
import { subscriptionFault } from "../../src/core/advice/subscription.ts";
import { versionTrouble } from "../../src/core/advice/api-version.ts";
import type { Connection, SubscriptionHealth } from "../../src/core/connection.ts";
import { HELD_CAUSES, type StuckCounts } from "../../src/core/push.ts";
import { troublesOf } from "../../src/flows/watch/banner.ts";
import { ERROR_CODES } from "../../src/shared/errors.ts";

const NOW = Date.UTC(2026, 10, 22, 12);
const DAY = 24 * 3_600_000;
const page = readFileSync(new URL("../../docs/troubleshooting.md", import.meta.url), "utf8");
const [byExit = "", byWords = "", byCause = ""] = page.split(/^## /m).slice(1);
const firstCells = (part: string) =>
  part.split("\n").flatMap((line) => /^\| (?!---|code|what|cause)(.*?) \| /.exec(line)?.[1] ?? []);
/** `…` stands for what differs. */
const patterns = firstCells(byWords)
  .flatMap((cell) => cell.split(" / "))
  .map(
    (entry) =>
      new RegExp(
        entry
          .split("…")
          .map((each) => each.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").trim())
          .join(".*"),
      ),
  );

const CONNECTION: Connection = {
  id: 1,
  org: "acme",
  vendor: "hubspot",
  environment: "production",
  subject: "contact",
  state: "connected",
  account: { id: "1", name: "Acme", kind: null, region: null },
  isConfirmed: true,
  scopes: [],
  missingScopes: [],
  knownFields: null,
  tokenExpiresAt: null,
  login: null,
  connectedAt: null,
  lastSyncAt: null,
  outage: null,
  vaultTrouble: null,
  banner: null,
  subscription: null,
  marks: {},
};
const NONE: StuckCounts = { waiting: 0, failing: 0, quarantined: 0, property: 0, scope: 0, candidate: 0 };
const OUTAGE = { since: NOW - DAY, failures: 9, restUntil: NOW, reason: "answered 503", suspect: null };
const PUSHES = { pending: 1, delivered: 0, rejected: 0, held: 0 };

const banner = (changes: Partial<Connection>, pushes = PUSHES) =>
  troublesOf(
    "HubSpot",
    { connection: { ...CONNECTION, ...changes }, pushes, stuck: NONE, gone: 0 },
    { now: NOW, isServed: true, all: [] },
  );

/** One at least for each state that a union of the program names: a new one does not compile without it. */
const STUCK: Record<keyof StuckCounts, readonly string[]> = {
  waiting: stuckTroubles(CONNECTION, { ...NONE, waiting: 1 }).map(({ words }) => words),
  failing: stuckTroubles(CONNECTION, { ...NONE, failing: 1 }).map(({ words }) => words),
  quarantined: stuckTroubles(CONNECTION, { ...NONE, quarantined: 1 }).map(({ words }) => words),
  property: stuckTroubles(CONNECTION, { ...NONE, property: 1 }).map(({ words }) => words),
  scope: stuckTroubles(CONNECTION, { ...NONE, scope: 1 }).map(({ words }) => words),
  candidate: stuckTroubles(CONNECTION, { ...NONE, candidate: 1 }).map(({ words }) => words),
};
const SUBSCRIPTION: Record<Exclude<SubscriptionHealth["state"], "active">, true> = {
  missing: true,
  inactive: true,
  elsewhere: true,
  "without secret": true,
};
const subscribed = (state: SubscriptionHealth["state"]) =>
  subscriptionFault({ ...CONNECTION, subscription: { id: "s1", state, checkedAt: NOW } }, "SmartRecruiters")
    ?.words;

const SAID: readonly (string | null | undefined)[] = [
  ...Object.values(STUCK).flat(),
  ...(Object.keys(SUBSCRIPTION) as (keyof typeof SUBSCRIPTION)[]).map(subscribed),
  ...stuckTroubles({ ...CONNECTION, outage: OUTAGE }, { ...NONE, waiting: 1 }).map(({ words }) => words),
  confirmWords(CONNECTION),
  sharedAccountTrouble(CONNECTION, { ...CONNECTION, org: "globex" }),
  backupTrouble({ directory: "/var/lib/x", newest: null, since: NOW - 9 * DAY }, NOW),
  backupTrouble({ directory: "/var/lib/x", newest: { at: NOW - 9 * DAY }, since: NOW - 9 * DAY }, NOW),
  certificateTrouble({ names: "api.example.com", endsAt: NOW + DAY }, NOW)?.words,
  certificateTrouble({ names: "api.example.com", endsAt: NOW - DAY }, NOW)?.words,
  leftOutWords({ ...CONNECTION, leftOut: [{ name: "jc_disc_d", reason: "is read only" }] }),
  loginTrouble(
    { ...CONNECTION, login: { since: NOW - 700 * DAY, endsAt: NOW + DAY } },
    "SmartRecruiters",
    NOW,
  ),
  refusalWords({ since: NOW, reason: "HubSpot does not know our app", fix: null, isOurs: true }),
  ...["2026-12-01", "2026-01-01"].map((supportedUntil) =>
    versionTrouble(
      { name: "v3", supportedUntil },
      { vendor: "hubspot", label: "HubSpot", known: [], now: NOW },
    ),
  ),
  ...[
    "ECONNREFUSED",
    "57P01",
    "53300",
    "53100",
    "25006",
    "55P03",
    "28P01",
    "3D000",
    "42501",
    "08006",
    "",
  ].map((code) => databaseRefusal(code, "").words),
  openPasswords("/root/.pgpass").message,
  halfCopied({ from: "/var/lib/x/log.db", to: "postgres://jc@db/log" }).message,
  copiedLog("/var/lib/x/log.db", { to: "postgres://jc@db/log", at: NOW }).message,
  ...banner({ outage: OUTAGE }),
  ...banner({ outage: { ...OUTAGE, failures: 1 } }),
  ...banner({ vaultTrouble: { since: NOW, reason: "the keychain is locked", fix: null } }),
  ...banner({}, { ...PUSHES, rejected: 1 }),
  ...banner({}, { ...PUSHES, held: 1 }),
];

test("what keeps an account or its results waiting has its entry", () => {
  expect(SAID.length).toBeGreaterThan(25);
  expect(SAID.filter((words) => words === null || words === undefined)).toEqual([]);
  expect(SAID.filter((words) => !patterns.some((each) => each.test(words ?? "")))).toEqual([]);
});

test("every exit code and every cause that holds a result has its entry, and no other", () => {
  const codes = [...new Set(Object.values(ERROR_CODES).map(({ exit }) => exit)), 0, 1, 130];
  const exits = codes.filter((exit) => exit !== null && exit !== undefined).map(String);
  expect(firstCells(byExit).toSorted()).toEqual([...new Set(exits)].toSorted());
  expect(firstCells(byCause).map((cell) => cell.replaceAll("`", ""))).toEqual([...HELD_CAUSES]);
});

test("a sentence that is none is found in no entry", () => {
  expect(patterns.some((each) => each.test("the moon is full"))).toBe(false);
});
