import { describe, expect, test } from "vitest";
import type { Answer } from "../../../src/core/delivery/answer.ts";
import type { Invite } from "../../../src/core/invite.ts";
import { AppError } from "../../../src/shared/errors.ts";
import { openDestination } from "../../../src/vendors/index.ts";
import type { VendorDeclaration } from "../../../src/vendors/contract/declaration.ts";
import type { Destination, Update } from "../../../src/vendors/contract/destination.ts";
import {
  consent,
  type EmulatedAccount,
  emulatedAccount,
  type WatchedAccess,
  watchedAccess,
} from "./account.ts";

/** What a destination's suite cannot know of it. */
export interface DestinationExample {
  /** Keys of the vendor's section beside those that lead to the emulator. */
  settings: Readonly<Record<string, string>>;
  /** Makes so many subjects that results may go to, and names them. */
  subjects(account: OpenAccount, n: number): Promise<string[]>;
  /** Invites with results of that subject, in a fixed order. */
  invites(subject: string): Invite[];
  /** What the account now shows of these subjects, whatever that looks like; undefined for nothing. */
  shown(account: OpenAccount, subject: string): Promise<unknown>;
  /** The beginning of the path that results are written to. */
  writesTo: string;
  /** What the vendor's people set up before we come; absent where we need nothing. */
  prepare?(account: EmulatedAccount): Promise<void>;
}

export interface OpenAccount extends EmulatedAccount {
  destination: Destination;
  access: WatchedAccess;
}

/** What every destination owes, run against one on its emulator. */
export function describeDestination(declared: VendorDeclaration, example: DestinationExample): void {
  async function open(): Promise<OpenAccount> {
    const account = await emulatedAccount(declared, { client_id: "app-1", ...example.settings });
    await example.prepare?.(account);
    const destination = await openDestination(declared.vendor, account.options);
    let token = await consent(destination.authorization);
    const access = watchedAccess(async ({ renewed }) => {
      if (renewed) token = await consent(destination.authorization);
      return token;
    });
    await destination.applyFields(access, await destination.planFields(access));
    return { ...account, destination, access };
  }
  async function ready(n = 1) {
    const account = await open();
    const { destination, access } = account;
    const { known } = await destination.applyFields(access, await destination.planFields(access));
    const subjects = await example.subjects(account, n);
    const updates = subjects.map((subject, index): Update => {
      const { projection } = destination.project(example.invites(subject), known);
      return { subject, traceId: `trace-${index}`, version: index, projection };
    });
    /** As deliveries do it: what it wants back goes with the next one. */
    const receipts = new Map<string, string>();
    const send = async (some = updates) => {
      const withReceipts = some.map((each): Update => {
        const receipt = receipts.get(each.subject);
        return receipt === undefined ? each : { ...each, receipt };
      });
      const sent = await destination.send(access, withReceipts);
      for (const [index, receipt] of (sent.receipts ?? []).entries())
        if (receipt !== null) receipts.set(some[index]?.subject ?? "", receipt);
      return sent.answers;
    };
    return { ...account, updates, known, send };
  }
  const kindsOf = (answers: readonly Answer[]) => answers.map(({ kind }) => kind);
  const fault = { path: example.writesTo };

  describe("a projection", () => {
    test("is texts, the same in every order of the invites, and changes none of them", async () => {
      const { destination, updates, known } = await ready();
      const { subject, projection } = updates[0] ?? { subject: "", projection: {} };
      expect(Object.keys(projection)).not.toEqual([]);
      for (const value of Object.values(projection)) expect(value).toMatch(/./);
      const invites = deepFrozen(example.invites(subject));
      expect(destination.project(invites, known).projection).toEqual(projection);
      expect(destination.project(invites.toReversed(), known).projection).toEqual(projection);
    });

    test("of no invite is empty", async () => {
      const { destination, known } = await ready();
      expect(destination.project([], known)).toEqual({ projection: {}, warnings: [] });
    });
  });

  describe("what is sent", () => {
    test("is there afterwards, each record with an answer of its own", async () => {
      const account = await ready(3);
      const { destination, updates, send } = account;
      for (let from = 0; from < updates.length; from += destination.batchSize)
        expect(kindsOf(await send(updates.slice(from, from + destination.batchSize)))).toEqual(
          updates.slice(from, from + destination.batchSize).map(() => "accepted"),
        );
      for (const { subject, projection } of updates) {
        const shown = JSON.stringify(await example.shown(account, subject));
        for (const value of Object.values(projection)) expect(shown).toContain(value);
      }
    });

    test("a second time changes nothing", async () => {
      const account = await ready();
      const [{ subject } = { subject: "" }] = account.updates;
      await account.send();
      const before = await example.shown(account, subject);
      expect(kindsOf(await account.send())).toEqual(["accepted"]);
      expect(await example.shown(account, subject)).toEqual(before);
    });

    test("takes a slot in the rate window for each call, and ends it", async () => {
      const { access, control, send } = await ready();
      const before = { slots: access.slots, calls: (await control.requests()).length };
      await send();
      expect(access.slots - before.slots).toBe((await control.requests()).length - before.calls);
      expect(access.slots).toBeGreaterThan(before.slots);
      expect(access.open).toBe(0);
    });
  });

  describe("what is not taken", () => {
    const passing: [what: string, fault: object][] = [
      ["fails", { status: 503 }],
      ["fails with a page", { status: 502, body: "<html>Bad gateway</html>" }],
      ["is hung up on", { drop: true }],
      ["is told to come later", { status: 429, headers: { "retry-after": "7" } }],
      ["is answered by a proxy's page", { status: 200, body: "<html>Sign in</html>" }],
      ["is answered with nothing", { status: 200, body: "" }],
      ["is answered with an empty object", { status: 200, body: {} }],
      ["meets a proxy's refusal", { status: 403, body: "<html>Blocked</html>" }],
      ["meets a proxy's 404", { status: 404, body: "<html>Not found</html>" }],
    ];
    test.each(passing)("because the call %s is neither delivered nor rejected", async (_what, effect) => {
      const { control, send } = await ready();
      await control.fault({ ...fault, ...effect } as Parameters<typeof control.fault>[0]);
      const [answer] = await send();
      expect(["retry", "held"]).toContain(answer?.kind);
      await control.clearFaults();
      expect(kindsOf(await send())).toEqual(["accepted"]);
    });

    test("because the vendor limits calls says so; one that fails does not", async () => {
      const { control, send } = await ready();
      for (const status of [429, 503]) {
        await control.fault({ ...fault, status, times: 1 });
        expect(await send()).toMatchObject([{ kind: "retry", isThrottle: status === 429 }]);
      }
    });

    test("comes back no sooner than the vendor says", async () => {
      const { clock, control, send } = await ready();
      await control.fault({ ...fault, status: 429, headers: { "retry-after": "7" } });
      const [answer] = await send();
      expect(answer).toMatchObject({ kind: "retry", httpStatus: 429 });
      expect(answer?.kind === "retry" && answer.notBefore).toBeGreaterThanOrEqual(clock.now() + 7_000);
    });

    test("for a token that the vendor refuses goes out with a renewed one", async () => {
      const { access, control, send } = await ready();
      await control.fault({ ...fault, status: 401, times: 1 });
      expect(kindsOf(await send())).toEqual(["accepted"]);
      expect(access.renewals).toBe(1);
    });

    test("for any token counts as an outage, and disconnects nobody", async () => {
      const { access, control, send } = await ready();
      await control.fault({ ...fault, status: 401 });
      expect(kindsOf(await send())).toEqual(["retry"]);
      expect(access.renewals).toBe(1);
    });

    test.each(["RECONNECT_NEEDED", "VAULT_UNAVAILABLE"] as const)(
      "for want of a token is told as that: %s",
      async (code) => {
        const { access, send } = await ready();
        access.give = () => Promise.reject(new AppError(code, "no token"));
        await expect(send()).rejects.toMatchObject({ code });
      },
    );

    test("because we were told to stop ends with that reason", async () => {
      const { destination, access, updates, control } = await ready();
      const stop = new AbortController();
      const reason = new Error("told to stop");
      await control.fault({ ...fault, delayMs: 60_000 });
      const sending = destination.send({ ...access, signal: stop.signal }, updates);
      stop.abort(reason);
      await expect(sending).rejects.toBe(reason);
    });

    test("quotes no token, whatever the vendor quotes", async () => {
      const { access, control, send } = await ready();
      const token = (await access.token()).reveal();
      await control.fault({ ...fault, status: 400, body: { message: `the token ${token} is odd` } });
      expect(JSON.stringify(await send())).not.toContain(token);
    });
  });

  describe("the fields", () => {
    test("are looked at without changing any, made once, and known afterwards", async () => {
      const account = await emulatedAccount(declared, { client_id: "app-1", ...example.settings });
      await example.prepare?.(account);
      const destination = await openDestination(declared.vendor, account.options);
      const token = await consent(destination.authorization);
      const access = watchedAccess(async () => token);
      const plan = await destination.planFields(access);
      expect(await destination.planFields(access)).toEqual(plan);
      expect(
        (await account.control.requests()).every(
          ({ method, path }) => method === "GET" || /token|authorize|allow/.test(path),
        ),
      ).toBe(true);
      const report = await destination.applyFields(access, plan);
      expect(report.created.toSorted()).toEqual(plan.create.toSorted());
      const again = await destination.planFields(access);
      expect(again).toMatchObject({ create: [], overQuota: [] });
      expect(report.known.toSorted()).toEqual(again.existing.toSorted());
      expect((await destination.applyFields(access, again)).created).toEqual([]);
    });
  });

  test("the account has an id and a name", async () => {
    const { destination, access } = await open();
    expect(await destination.account(access)).toMatchObject({
      id: expect.stringMatching(/./),
      name: expect.stringMatching(/./),
    });
  });
}

function deepFrozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(deepFrozen);
  return value;
}
