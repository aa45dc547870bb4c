/** What no test can break for real, judged by facts that are made up; and what hangs. */
import { describe, expect, test } from "vitest";
import { rate } from "../../src/flows/doctor/checks/rate.ts";
import { withoutSecret } from "../../src/flows/doctor/checks/senders.ts";
import { notServing, unfitUnit } from "../../src/flows/doctor/checks/service.ts";
import { fullDisk, largeWal } from "../../src/flows/doctor/checks/storage.ts";
import { unlooked } from "../../src/flows/doctor/checks/unlooked.ts";
import {
  area,
  byWeight,
  exitOf,
  fault,
  type Finding,
  fixIn,
  note,
  warning,
} from "../../src/flows/doctor/finding.ts";
import { createLooker } from "../../src/flows/doctor/look/looker.ts";
import type { UnitFacts } from "../../src/flows/doctor/look/service.ts";
import { AppError } from "../../src/shared/errors.ts";
import { fakeClock } from "../fake-clock.ts";

const UNIT: UnitFacts = {
  scope: "system",
  isActive: true,
  state: "active",
  isEnabled: true,
  hasWatchdog: true,
  restarts: 0,
  outdated: [],
};
const CONNECTED = [{ state: "connected" }] as Parameters<typeof notServing>[0]["connections"];

describe("the disk", () => {
  const MB = 1024 * 1024;
  test("that is full is a fault, that is scarce a warning: whoever runs the machine makes room", () => {
    expect(fullDisk({ freeBytes: 64 * MB }, "/var/lib/jc")).toBe(null);
    expect(fullDisk(null, "/var/lib/jc")).toBe(null);
    expect(fullDisk({ freeBytes: 63 * MB }, "/var/lib/jc")).toMatchObject({ level: "warning", code: null });
    expect(fullDisk({ freeBytes: 0 }, "/var/lib/jc")).toMatchObject({
      code: "STORE_UNAVAILABLE",
      command: null,
      who: "Whoever runs this machine: make room there; df -h '/var/lib/jc' shows how much there is.",
    });
  });

  test("whose log is held up by a process that reads it names that process", () => {
    const heldUp = {
      message: "log.db-wal has grown to 80 MB: it is read by process 7",
      hint: "End it: kill 7",
    };
    const looked = { bytes: 1, walBytes: 80 * MB, heldUp, damage: null, isLookedThrough: true };
    expect(largeWal({ is: "known", value: looked })).toMatchObject({
      level: "warning",
      who: expect.stringContaining("kill 7"),
    });
    expect(largeWal({ is: "known", value: { ...looked, heldUp: null } })).toBe(null);
  });
});

describe("the unit of systemd", () => {
  test("that failed is started by the command", () => {
    const stopped = { service: "not running", connections: CONNECTED } as Parameters<typeof notServing>[0];
    expect(notServing(stopped, { ...UNIT, isActive: false, state: "failed (exit-code)" })).toMatchObject({
      code: "CONFIG_INVALID",
      what: "the service is failed (exit-code)",
      command: "sudo systemctl start jc-integrations",
    });
    expect(notServing(stopped, { ...UNIT, scope: "user" })?.command).toBe(
      "systemctl --user start jc-integrations",
    );
    expect(notServing({ ...stopped, service: "running" }, UNIT)).toBe(null);
    expect(notServing({ ...stopped, connections: [] }, UNIT)).toBe(null);
  });

  test("of an older version, without a watchdog, or that no boot starts", () => {
    const idsOf = (unit: Partial<UnitFacts>) =>
      unfitUnit({ ...UNIT, ...unit }).map(({ id, command }) => [id, command]);
    expect(idsOf({})).toEqual([]);
    const install = "sudo jc-integrations service install --system";
    expect(idsOf({ outdated: ["/etc/systemd/system/jc-integrations.service"], hasWatchdog: false })).toEqual([
      ["service.unit", install],
    ]);
    expect(idsOf({ hasWatchdog: false })).toEqual([["service.watchdog", null]]);
    expect(idsOf({ isEnabled: false })).toEqual([["service.boot", "sudo systemctl enable jc-integrations"]]);
  });
});

test("a rate window that is full is no fault: it empties by itself", () => {
  const facts = (used: number) =>
    ({ vendor: "hubspot", label: "HubSpot", window: { used, calls: 100, windowMs: 10_006 } }) as Parameters<
      typeof rate
    >[0];
  expect(rate(facts(89))).toBe(null);
  expect(rate(facts(90))).toMatchObject({
    level: "note",
    what: "90 of 100 calls in 10 s are taken: HubSpot is at its limit",
  });
});

test("a secret that nobody can look for is not told as missing", () => {
  const sender = {
    isAts: false,
    source: "jobcannon",
    label: "JobCannon",
    secretName: "jobcannon.webhook-secret",
  };
  expect(withoutSecret({ ...sender, hasSecret: null }, { org: "acme", isAwaited: true })).toBe(null);
});

describe("what hangs", () => {
  test("is told as such after 10 s, and the others go on; what came late is waited for at the end", async () => {
    const clock = fakeClock();
    const looker = createLooker({ clock, signal: new AbortController().signal });
    let [hasEnded, wasTold] = [false, false];
    const hanging = looker.look(async (signal) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      wasTold = true;
      await clock.sleep(5_000);
      hasEnded = true;
    });
    expect(await looker.look(async () => "well")).toEqual({ is: "known", value: "well" });
    await clock.advance(9_999);
    expect(wasTold).toBe(false);
    await clock.advance(1);
    const late = await hanging;
    expect(late).toEqual({ is: "late", afterMs: 10_000 });
    expect(
      unlooked("hubspot.credentials", late, { what: "fetching a token", code: "VENDOR_UNAVAILABLE" }),
    ).toMatchObject({
      what: "fetching a token took longer than 10 s",
      code: "VENDOR_UNAVAILABLE",
      who: expect.stringContaining("Whoever runs what hangs"),
    });
    const ended = looker.ended();
    await clock.advance(5_000);
    await ended;
    expect([wasTold, hasEnded]).toEqual([true, true]);
  });

  test("ends with whoever asked, and what is our own mistake is kept for the end", async () => {
    const stop = new AbortController();
    const looker = createLooker({ clock: fakeClock(), signal: stop.signal });
    const problem = new AppError("VENDOR_UNAVAILABLE", "gone");
    expect(await looker.look(() => Promise.reject(problem))).toEqual({ is: "failed", problem });
    const mistake = new TypeError("ann@example.com is not a function");
    const bug = await looker.look(() => Promise.reject(mistake));
    expect([bug, looker.bug()]).toEqual([{ is: "bug", error: mistake }, mistake]);
    expect(unlooked("vault", bug, { what: "reading the vault", code: "VAULT_UNAVAILABLE" })).toMatchObject({
      code: "BUG",
      why: "a…@example.com is not a function",
    });
    const hanging = looker.look(
      () =>
        new Promise<never>((_, reject) =>
          stop.signal.addEventListener("abort", () => reject(new Error("stopped"))),
        ),
    );
    stop.abort(new Error("Ctrl-C"));
    await expect(hanging).rejects.toThrow("Ctrl-C");
    await looker.ended();
  });
});

test("the worst is first, in the order of the exit codes, and notes come last", () => {
  const words = { what: "w", why: "w" };
  const found: Finding[] = [
    note("note", words),
    warning("warning", words),
    fault("part", "PARTIAL", words),
    fault("vendor", "VENDOR_REJECTED", words),
    fault("login", "RECONNECT_NEEDED", words),
    fault("vault", "VAULT_UNAVAILABLE", words),
    fault("store", "STORE_UNAVAILABLE", words),
    fault("bug", "BUG", words),
  ];
  const sorted = byWeight([area("all", "all", { found, calm: "" })]);
  expect(sorted.map(({ id }) => id)).toEqual([
    "bug",
    "store",
    "vault",
    "login",
    "vendor",
    "part",
    "warning",
    "note",
  ]);
  expect(sorted.map(exitOf)).toEqual([1, 2, 5, 4, 6, 7, 0, 0]);
});

test.each([
  ["jc-integrations connect hubspot --org acme", true],
  ["cd /var/lib && mv log.db aside/", true],
  ["sudo chown 7 '/x' && chmod 600 '/x'", true],
  ["jc-integrations secrets set a.b, and take it out there.", false],
  ["Free space on that file system; nothing acknowledged is lost.", false],
])("%s is typed, or done: %s", (hint, isTyped) => {
  expect(fixIn(hint)).toEqual(isTyped ? { command: hint, who: null } : { command: null, who: hint });
});
