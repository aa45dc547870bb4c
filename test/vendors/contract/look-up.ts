import { describe, expect, test } from "vitest";
import type { Finding } from "../../../src/core/event.ts";
import { AppError, isAppError } from "../../../src/shared/errors.ts";
import type { Secret } from "../../../src/shared/secret.ts";
import type { VendorDeclaration } from "../../../src/vendors/contract/declaration.ts";
import { NOON } from "../../core/example.ts";
import { type EmulatedAccount, emulatedAccount, watchedAccess } from "./account.ts";

/** What the suite of look-ups cannot know. */
export interface LookUpExample {
  settings: Readonly<Record<string, string>>;
  /** What opens the account: a connection's token, or an API key. */
  token(account: EmulatedAccount): Promise<Secret>;
  /** Makes something to be asked about; what is asked, and what is found. */
  known(
    account: EmulatedAccount,
    token: Secret,
  ): Promise<{ about: Record<string, string>; finding: Finding }>;
  /** What is asked about something that is not there, and what is found then. */
  unknown: { about: Record<string, string>; finding: Finding };
  /** The beginning of the path that is asked. */
  asks: string;
}

/** What every look-up owes, run against one on its emulator. */
export function describeLookUp(declared: VendorDeclaration, example: LookUpExample): void {
  async function ready() {
    const account = await emulatedAccount(declared, { ...example.settings });
    const open = await declared.lookUp?.();
    if (!open) throw new Error(`${declared.vendor} answers no questions`);
    const lookUp = open(account.options);
    const token = await example.token(account);
    const { about, finding } = await example.known(account, token);
    const access = watchedAccess(async () => token);
    const ask = (of = about) => lookUp.ask(access, { org: "acme", about: of, at: NOON });
    const codeOf = async () =>
      await ask().then(
        () => "answered",
        (error: unknown) => {
          if (isAppError(error)) return error.code;
          throw error;
        },
      );
    return { ...account, lookUp, access, token, finding, ask, codeOf };
  }
  const fault = { path: example.asks };

  describe("a look-up", () => {
    test("belongs to a secret that is declared, and to a bound of calls at once", async () => {
      const { lookUp } = await ready();
      expect(lookUp.label).toBe(declared.label);
      expect(lookUp.atOnce).toBeGreaterThan(0);
      if (lookUp.apiKeyName !== undefined)
        expect(declared.secrets.map(({ name }) => name)).toContain(lookUp.apiKeyName);
    });

    test("finds what is there, as often as it is asked", async () => {
      const { ask, finding } = await ready();
      expect(await ask()).toEqual(finding);
      expect(await ask()).toEqual(finding);
    });

    test("of what is not there finds that", async () => {
      const { ask } = await ready();
      expect(await ask(example.unknown.about)).toEqual(example.unknown.finding);
    });

    test("changes nothing, and takes a slot in the rate window for each call, and ends it", async () => {
      const { ask, access, control } = await ready();
      const before = (await control.requests()).length;
      await ask();
      const made = (await control.requests()).slice(before);
      expect(made.map(({ method }) => method)).toEqual(made.map(() => "GET"));
      expect([access.slots, access.open]).toEqual([made.length, 0]);
    });

    const later: [what: string, fault: object, code: RegExp][] = [
      ["fails", { status: 503 }, /^VENDOR_UNAVAILABLE$/],
      ["hangs up", { drop: true }, /^VENDOR_UNAVAILABLE$/],
      [
        "asks for rest",
        { status: 429, headers: { "retry-after": "7" } },
        /^VENDOR_(RATE_LIMITED|UNAVAILABLE)$/,
      ],
      ["answers a page", { status: 200, body: "<html>Sign in</html>" }, /^VENDOR_UNEXPECTED$/],
      ["answers something else", { status: 200, body: { hello: "you" } }, /^VENDOR_UNEXPECTED$/],
      ["sits behind a proxy that says 404", { status: 404, body: "<html>None</html>" }, /^VENDOR_/],
      ["refuses it", { status: 400, body: { message: "no" } }, /^VENDOR_/],
    ];
    test.each(later)("of a vendor that %s has no answer now", async (_what, effect, code) => {
      const { control, codeOf } = await ready();
      await control.fault({ ...fault, ...effect } as Parameters<typeof control.fault>[0]);
      expect(await codeOf()).toMatch(code);
      await control.clearFaults();
      expect(await codeOf()).toBe("answered");
    });

    test("with what the vendor refuses is tried once more with what was renewed", async () => {
      const { access, control, ask, finding } = await ready();
      await control.fault({ ...fault, status: 401, times: 1 });
      expect(await ask()).toEqual(finding);
      expect(access.renewals).toBe(1);
    });

    test("with what the vendor refuses for good ends as the access says that it means", async () => {
      const { access, control, codeOf } = await ready();
      access.refused = () => new AppError("RECONNECT_NEEDED", "the key is refused");
      await control.fault({ ...fault, status: 401 });
      expect(await codeOf()).toBe("RECONNECT_NEEDED");
    });

    test("quotes neither key nor what it found", async () => {
      const { token, control, ask } = await ready();
      await control.fault({
        ...fault,
        status: 400,
        body: { message: `odd: ${token.reveal()}, ann@example.com` },
      });
      const error: unknown = await ask().catch((thrown: unknown) => thrown);
      expect(String(error)).not.toContain(token.reveal());
      expect(String(error)).not.toContain("ann@example.com");
    });
  });
}
