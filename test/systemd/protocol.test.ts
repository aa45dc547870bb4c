/**
 * What systemd and the service tell each other, under a real systemd: from an older unit to this one, started when it
 * listens, how it does in words, ended when it hangs and for nothing else. In this order, on one machine.
 */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Emulator, startEmulator } from "../../src/emulator/emulator.ts";
import { STOP_SERVICE } from "../../src/core/advice/served-log.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { ask } from "../daemon/serving.ts";
import { faultsIn } from "../docs/schemas.ts";
import { emulated } from "../emulated.ts";
import { until, WEBHOOK_SECRET } from "../world.ts";
import { inBox, REPOSITORY } from "./box.ts";
import {
  cli,
  CONFIG,
  configuration,
  connectHubspot,
  contacts,
  EXEC,
  installProgram,
  isReady,
  json,
  messages,
  ok,
  post,
  PROGRAM,
  property,
  restartedSince,
  run,
  scriptIn,
  setSecret,
  type,
  typeDocumented,
  UNIT_FILE,
  untypedSections,
} from "./program.ts";

const SOCKETS = ["jc-integrations.socket", "jc-integrations-admin.socket"];
const STATE = "/var/lib/jc-integrations";
const KEY = "/etc/jc-integrations/vault-key";
/** What systemd has heard nothing of for so long it ends. */
const WATCHDOG_S = 3;

inBox(
  "a service that systemd knows",
  { file: import.meta.url, seconds: 200, refusesUsers: true },
  declareTests,
);

function declareTests() {
  let emulator: Emulator;
  beforeAll(async () => {
    emulator = await startEmulator({ port: 0, autoApprove: true, hubspotLimit: "none", clock: systemClock });
    installProgram(PROGRAM);
    // A disk that a test can fill.
    mkdirSync(STATE);
    await ok(run("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", STATE]));
  });
  afterAll(() => emulator.close());

  const status = () => property("StatusText");
  const statusBecomes = (words: RegExp) => until(`it says ${words}`, async () => words.test(await status()));
  const restart = () => ok(run("systemctl", ["restart", "jc-integrations"]));
  const restarts = async () => Number(await property("NRestarts"));
  /** Longer than systemd would have waited. */
  const livesOn = async () => {
    const before = [await property("MainPID"), await restarts()];
    await systemClock.sleep(1.5 * WATCHDOG_S * 1_000);
    expect([await property("MainPID"), await restarts()]).toEqual(before);
  };

  test("installed by an older version, it is told of by status and brought up to date by install", async () => {
    expect(await typeDocumented("Install the service")).toContain("jc-integrations.socket");
    await ok(type(`systemctl disable --now ${SOCKETS.join(" ")} jc-integrations.service`));
    for (const unit of SOCKETS) rmSync(`/etc/systemd/system/${unit}`);
    writeFileSync(UNIT_FILE, OLDER_UNIT);
    const reached = '[serve]\npublic_url = "http://127.0.0.1:8470"\n';
    writeFileSync(CONFIG, configuration(emulator, reached));
    await ok(type("systemctl daemon-reload && systemctl enable --now jc-integrations.service"));
    await until("the service listens", isReady);
    const install = "sudo jc-integrations service install --system";
    const before = await json("service", "status");
    expect(faultsIn("service-status", before)).toBe(null);
    expect(before.advice).toEqual([
      `${UNIT_FILE} is not as this program writes it: ${install}`,
      ...SOCKETS.map((unit) => `/etc/systemd/system/${unit} is not as this program writes it: ${install}`),
    ]);
    expect(await foundByDoctor("service.unit")).toMatchObject({ command: install });
    const out = await typeDocumented("Upgrade");
    expect(out).toContain("To take over the new ones: sudo systemctl restart jc-integrations");
    expect(await isReady()).toBe(true);
    expect(await property("Type")).toBe("notify");
    expect(await foundByDoctor("service.unit")).toBeUndefined();
    expect(await json("service", "status")).toMatchObject({
      advice: [],
      sockets: [
        { unit: "jc-integrations.socket", address: "127.0.0.1:8470", state: "running" },
        { unit: "jc-integrations-admin.socket", address: "127.0.0.1:8471", state: "running" },
      ],
    });
  });

  test("started means that it listens, and status says how it does", async () => {
    await restart();
    expect(await isReady()).toBe(true);
    await statusBecomes(/^Listens on 127\.0\.0\.1:8470; no account is connected yet$/);
    await setSecret("jobcannon.webhook-secret", WEBHOOK_SECRET);
    await setSecret("hubspot.client-secret", "a secret of the client");
    await connectHubspot();
    await statusBecomes(/; all is well$/);
    expect((await ok(cli(PROGRAM, "service", "status"))).out).toMatch(/says +Listens on .*; all is well/);
    expect(await typeDocumented("What systemd knows")).toMatch(/^StatusText=Listens on .*; all is well$/m);
    expect(await typeDocumented("Limits of the service")).toContain(
      "Overall exposure level for jc-integrations.service: 1.3",
    );
  });

  test("reloaded, it is the same process, and ready again when systemctl returns", async () => {
    const before = await property("MainPID");
    await typeDocumented("Reload");
    await until("the journal tells it", async () =>
      (await messages()).includes("log level and secrets are read anew"),
    );
    await until("it is over", async () => (await property("SubState")) === "running");
    expect(await property("MainPID")).toBe(before);
    expect(await post("reloaded@example.org")).toBe(202);
  });

  test("stopped with its sockets it stays so, and started it has them all", async () => {
    const isActive = async () =>
      (await run("systemctl", ["is-active", ...SOCKETS, "jc-integrations"])).out.trim().split("\n");
    await ok(type(STOP_SERVICE));
    expect(await isActive()).toEqual(["inactive", "inactive", "inactive"]);
    const stopped = await foundByDoctor("service");
    expect(stopped).toMatchObject({ command: "sudo systemctl start jc-integrations", exit: 2 });
    await expect(ask("http://127.0.0.1:8471/healthz")).rejects.toThrow();
    await typeDocumented("Restart and stop");
    expect(await isReady()).toBe(true);
    expect(await isActive()).toEqual(["active", "active", "active"]);
    expect(await typeDocumented("Find what is wrong")).toMatch(/^acme {2}\d warnings?\n/);
    await ok(run("systemctl", ["stop", "jc-integrations.service"]));
    const found = await foundByDoctor("service");
    await ok(type(`sudo() { "$@"; }; ${String(found?.command)}`));
    await until("the service listens", isReady);
    expect(await foundByDoctor("service")).toBeUndefined();
  });

  test("what doctor says of the unit is mended by what it prints", async () => {
    const typed = async (command: string | undefined) => ok(type(`sudo() { "$@"; }; ${command}`));
    await ok(run("systemctl", ["disable", "jc-integrations.service"]));
    const boot = await foundByDoctor("service.boot");
    expect(boot).toMatchObject({ command: "sudo systemctl enable jc-integrations", exit: 0 });
    await typed(boot?.command);
    expect(await foundByDoctor("service.boot")).toBeUndefined();

    writeFileSync(CONFIG, `${readFileSync(CONFIG, "utf8")}\n[retention]\ndays = 400\n`);
    const drift = await foundByDoctor("service.drift");
    expect(drift?.command).toBe("sudo systemctl restart jc-integrations");
    await typed(drift?.command);
    await until("the service listens", isReady);
    expect(await foundByDoctor("service.drift")).toBeUndefined();

    const dropIn = "/etc/systemd/system/jc-integrations.service.d";
    mkdirSync(dropIn);
    writeFileSync(join(dropIn, "own.conf"), "[Service]\nWatchdogSec=0\n");
    await ok(run("systemctl", ["daemon-reload"]));
    await restart();
    expect(await foundByDoctor("service.watchdog")).toMatchObject({
      command: null,
      who: expect.stringContaining("take WatchdogSec out of your own lines"),
    });
    rmSync(dropIn, { recursive: true });
    await ok(run("systemctl", ["daemon-reload"]));
    await restart();
    expect(await foundByDoctor("service.watchdog")).toBeUndefined();
  });

  test("a vault that cannot be read costs no start, and is told in words", async () => {
    const key = readFileSync(KEY);
    writeFileSync(KEY, randomBytes(32));
    await restart();
    await statusBecomes(/delivers nothing: /);
    writeFileSync(KEY, key);
    await restart();
    await statusBecomes(/; all is well$/);
  });

  test("a full disk, a vendor that is away and a systemd that started itself anew are no reason to end it", async () => {
    await watchClosely();
    await restart();
    await emulated(emulator).hubspot.fault({ drop: true });
    await ok(run("systemctl", ["daemon-reexec"]));
    expect(await post("waits@example.org")).toBe(202);
    await run("bash", ["-c", `cat /dev/zero > ${STATE}/rest`]);
    await until("webhooks are refused", async () => (await post("refused@example.org")) === 503);
    await statusBecomes(/webhooks are refused: /);
    expect(await foundByDoctor("disk")).toMatchObject({ who: expect.stringContaining("make room there") });
    await livesOn();
    rmSync(join(STATE, "rest"));
    await emulated(emulator).hubspot.clearFaults();
    await statusBecomes(/; all is well$/);
    // 24 MB are scarce, and no fault.
    expect(await foundByDoctor("disk")).toMatchObject({ exit: 0 });
    await ok(type(`'${process.execPath}' '${scriptIn(PROGRAM)}' service exec -- run retry`));
    await until("it arrives", async () => (await contacts(emulator)).includes("waits@example.org"));
  });

  test("nor is a disk that does not answer", async () => {
    await ok(type("mkfifo -m 666 /run/jc-test/wait"));
    const held = openSync("/run/jc-test/wait", "r+");
    await statusBecomes(/the log's disk does not answer/);
    await livesOn();
    rmSync("/run/jc-test/wait");
    closeSync(held);
    await statusBecomes(/; all is well$/);
    expect(await post("answered-again@example.org")).toBe(202);
  });

  test.each([
    [
      "that is stopped",
      () => ok(run("systemctl", ["kill", "--kill-whom=main", "--signal=STOP", "jc-integrations"])),
    ],
    [
      "whose loop turns in circles",
      () => ok(run("systemctl", ["kill", "--kill-whom=main", "--signal=USR2", "jc-integrations"])),
    ],
    ["whose store turns in circles", async () => writeFileSync("/run/jc-test/turn", "")],
  ])("one %s is ended and started again, and takes webhooks", async (_how, hang) => {
    const before = await restarts();
    await hang();
    await restartedSince(before);
    const { out } = await run("journalctl", ["--unit=jc-integrations", "--output=cat"]);
    expect(out).toContain("Watchdog timeout");
    expect(await post("after-it-hung@example.org")).toBe(202);
  });

  test("without Perl it speaks by systemd-notify", async () => {
    await ok(run("mount", ["--bind", "/bin/false", "/usr/bin/perl"]));
    await ok(cli(PROGRAM, "service", "install", "--system"));
    await restart();
    expect([await property("NotifyAccess"), await isReady()]).toEqual(["all", true]);
    await statusBecomes(/; all is well$/);
    await livesOn();
  });

  test("nothing in docs/operations.md is left untyped", () => {
    expect(untypedSections()).toEqual([]);
  });
}

/** What doctor says under that id, run as the service. */
async function foundByDoctor(
  id: string,
): Promise<{ command: string; exit: number; who: string | null } | undefined> {
  const { out, err } = await type(`${EXEC} doctor --json`);
  expect(out, err).not.toBe("");
  const { findings } = JSON.parse(out);
  return findings.find((each: { id: string }) => each.id === id);
}

/** The service is given up sooner than by its own unit, and hangs when a test says so. */
async function watchClosely(): Promise<void> {
  mkdirSync("/run/jc-test");
  chmodSync("/run/jc-test", 0o777);
  cpSync(join(REPOSITORY, "test/systemd/hang.cjs"), "/opt/hang.cjs");
  const dropIn = "/etc/systemd/system/jc-integrations.service.d";
  mkdirSync(dropIn);
  writeFileSync(
    join(dropIn, "test.conf"),
    `[Service]
WatchdogSec=${WATCHDOG_S}
ReadWritePaths=/run/jc-test
Environment=NODE_OPTIONS=--require=/opt/hang.cjs
`,
  );
  await ok(run("systemctl", ["daemon-reload"]));
}

/** As version 0.1.0 wrote it. */
const OLDER_UNIT = `[Unit]
Description=JobCannon integrations: webhook receiver, scheduler, delivery
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${process.execPath} ${scriptIn(PROGRAM)} serve
ExecReload=/bin/sh -c 'kill -HUP $MAINPID'
Restart=always
RestartSec=2
KillSignal=SIGTERM
TimeoutStopSec=30
User=jc-integrations
Group=jc-integrations
StateDirectory=jc-integrations
StateDirectoryMode=0700
ConfigurationDirectory=jc-integrations
LoadCredential=vault-key:/etc/jc-integrations/vault-key
EnvironmentFile=-/etc/jc-integrations/environment
UMask=0077
LimitCORE=0
SyslogIdentifier=jc-integrations
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
`;
