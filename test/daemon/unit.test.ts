/** What would be installed: a function of what is there. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { temporaryDirectory } from "../directory.ts";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Scope } from "../../src/core/service-scope.ts";
import { placesOf } from "../../src/systemd/places.ts";
import { LISTENERS, socketText } from "../../src/systemd/sockets.ts";
import { type Abilities, unitText } from "../../src/systemd/unit.ts";
import { execArguments } from "../../src/systemd/surroundings.ts";
import { packagedFiles } from "../../src/systemd/packaged.ts";
import { type Found, type FoundSocket, planInstall, planUninstall } from "../../src/systemd/plan.ts";
import { planJson, planText } from "../../src/systemd/plan-text.ts";

const ENV = { XDG_CONFIG_HOME: "/home/ann/.config", XDG_STATE_HOME: "/home/ann/.local/state" };
const PROGRAM = { nodePath: process.execPath, scriptPath: "/opt/jc-integrations/bin/jc-integrations.js" };

const ABILITIES: Abilities = { version: 252, perl: "/usr/bin/perl", privateUsers: false, needsHomes: false };
const ADDRESSES = { "serve.listen": "127.0.0.1:8470", "serve.admin_listen": "127.0.0.1:8471" };

const SOCKETS = LISTENERS.map(({ unit }) => unit);

function sockets(scope: Scope, isInstalled: boolean): (FoundSocket & { address: string })[] {
  const places = placesOf(scope, ENV);
  return LISTENERS.map((listener) => {
    const address = ADDRESSES[listener.key];
    const text = isInstalled ? socketText(places, listener, address) : null;
    const file = join(places.unitDir, listener.unit);
    return {
      ...{ listener, file, address, text },
      ...{ isPackaged: false, isEnabled: isInstalled, isActive: isInstalled },
    };
  });
}

const NOTHING: Omit<Found, "sockets"> = {
  hasUser: false,
  hasConfigDir: false,
  hasKey: false,
  vault: null,
  org: "default",
  unit: null,
  isPackaged: false,
  isEnabled: false,
  isActive: false,
  isUnread: false,
  abilities: ABILITIES,
};

function planned(scope: Scope, found: Partial<Found> = {}, unseen: readonly string[] = []) {
  const places = placesOf(scope, ENV);
  return planInstall(
    { places, program: PROGRAM, org: "acme", unseen },
    {
      ...NOTHING,
      sockets: sockets(scope, false),
      ...found,
    },
  );
}

/** As `planned` leaves it behind. */
function installed(scope: Scope): Found {
  const places = placesOf(scope, ENV);
  const keyFile = scope === "user" ? places.keyFile : "";
  return {
    hasUser: true,
    hasConfigDir: true,
    hasKey: true,
    vault: { backend: "sealed", keyFile },
    org: "acme",
    unit: unitText(places, PROGRAM, ABILITIES),
    isPackaged: false,
    isEnabled: true,
    isActive: true,
    isUnread: false,
    sockets: sockets(scope, true),
    abilities: ABILITIES,
  };
}

/** Each step as it is shown, with its spaces made single. */
function shown(plan: ReturnType<typeof planned>): string[] {
  const [, ...lines] = planText({ ...plan, notes: [] }, { isDryRun: false }).split("\n");
  return lines.map((line) => line.trim().replace(/ +/g, " "));
}

/** The settings of a unit, comments and sections left out. */
function settingsOf(scope: Scope, abilities: Partial<Abilities> = {}): Record<string, string[]> {
  const settings: Record<string, string[]> = {};
  for (const line of unitText(placesOf(scope, ENV), PROGRAM, { ...ABILITIES, ...abilities }).split("\n")) {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) settings[name] = [...(settings[name] ?? []), value];
  }
  return settings;
}

describe("the unit", () => {
  test("of the system runs serve as a user of its own, with its directories and the vault's key", () => {
    expect(settingsOf("system")).toMatchObject({
      ExecStart: [
        `/usr/bin/perl /opt/jc-integrations/bin/with-notify-socket.pl ${process.execPath} /opt/jc-integrations/bin/jc-integrations.js serve`,
      ],
      User: ["jc-integrations"],
      StateDirectory: ["jc-integrations"],
      StateDirectoryMode: ["0700"],
      ConfigurationDirectory: ["jc-integrations"],
      LoadCredential: ["vault-key:/etc/jc-integrations/vault-key"],
      After: ["network-online.target"],
      Wants: ["network-online.target"],
      WantedBy: ["multi-user.target"],
    });
  });

  test("of a person has the directories that this person's other commands have", () => {
    const settings = settingsOf("user");
    expect(settings).toMatchObject({
      Environment: [
        "JC_CONFIG=/home/ann/.config/jc-integrations/config.toml",
        "JC_STATE_DIR=/home/ann/.local/state/jc-integrations",
      ],
      WantedBy: ["default.target"],
    });
    for (const name of ["User", "StateDirectory", "LoadCredential", "After"])
      expect(settings).not.toHaveProperty(name);
  });

  test.each(["system", "user"] as const)(
    "of the %s is started again for ever, and leaves no core",
    (scope) => {
      expect(settingsOf(scope)).toMatchObject({
        Type: ["notify"],
        NotifyAccess: ["main"],
        ExecReload: ["/bin/sh -c 'kill -HUP $MAINPID'"],
        WatchdogSec: ["60"],
        Restart: ["always"],
        SyslogIdentifier: ["jc-integrations"],
        StartLimitIntervalSec: ["0"],
        KillSignal: ["SIGTERM"],
        TimeoutStopSec: ["30"],
        LimitCORE: ["0"],
        UMask: ["0077"],
        NoNewPrivileges: ["yes"],
      });
    },
  );

  test.skipIf(missingAnalyze() !== null).each([
    { name: "of the system", scope: "system", directory: "node" },
    { name: "of a person", scope: "user", directory: "node" },
    { name: "of the system with an awkward path", scope: "system", directory: "my node 100%h $HOME" },
    { name: "of a person with awkward paths", scope: "user", directory: "my node 100%h $HOME" },
  ] as const)("$name has nothing that systemd finds fault with", ({ scope, directory }) => {
    const dir = mkdtempSync(join(tmpdir(), "jc-unit-"));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const nodePath = join(dir, directory, "node");
    mkdirSync(join(dir, directory));
    symlinkSync(process.execPath, nodePath);
    const unit = join(dir, "jc-integrations.service");
    /** Words of a warning, too, which costs no exit code. */
    const wordsAbout = (text: string) => {
      writeFileSync(unit, text);
      const env = { ...process.env, SYSTEMD_LOG_LEVEL: "warning", XDG_RUNTIME_DIR: dir };
      const options = { encoding: "utf8", env } as const;
      const { status, stderr } = spawnSync("systemd-analyze", [`--${scope}`, "verify", unit], options);
      return { status, stderr };
    };
    const home = join("/home/ann", directory);
    const places = placesOf(scope, { XDG_CONFIG_HOME: home, XDG_STATE_HOME: home });
    const text = unitText(places, { ...PROGRAM, nodePath }, ABILITIES);
    for (const { listener, address } of sockets(scope, true))
      writeFileSync(join(dir, listener.unit), socketText(places, listener, address));
    expect(wordsAbout(text)).toEqual({ status: 0, stderr: "" });
    const misspelt = wordsAbout(text.replace("Restart=always", "Restart=sometimes"));
    expect(misspelt.stderr).toContain("sometimes");
    const gone = wordsAbout(text.replace(/^ExecStart=\/usr\/bin\/perl/m, "ExecStart=/nowhere/perl"));
    expect(gone).toMatchObject({ status: 1, stderr: expect.stringContaining("not executable") });
  });
});

describe("the service's limits", () => {
  const exposure = (abilities: Partial<Abilities>): number => {
    const dir = temporaryDirectory(tmpdir());
    const unit = join(dir, "jc-integrations.service");
    writeFileSync(unit, unitText(placesOf("system", ENV), PROGRAM, { ...ABILITIES, ...abilities }));
    const words = ["security", "--offline=yes", "--no-pager", unit];
    const found = execFileSync("systemd-analyze", words, { encoding: "utf8" });
    return Number(/Overall exposure level .*: ([\d.]+)/.exec(found)?.[1]);
  };

  test.skipIf(missingAnalyze() !== null)("leave an exposure of 1.3, and of 1.1 with users of its own", () => {
    const [plain, withUsers] = [exposure({}), exposure({ privateUsers: true })];
    process.stdout.write(`systemd-analyze security: ${plain}, with PrivateUsers=yes ${withUsers}\n`);
    expect(plain).toBeLessThanOrEqual(1.3);
    expect(withUsers).toBeLessThanOrEqual(1.1);
  });

  test("hide the homes unless Node, the program or a file of the configuration lies there", () => {
    expect(settingsOf("system")).toMatchObject({ ProtectHome: ["yes"] });
    expect(settingsOf("system", { needsHomes: true })).toMatchObject({ ProtectHome: ["read-only"] });
  });

  test.each(["system", "user"] as const)("of the %s spare what Node and the log need", (scope) => {
    const settings = settingsOf(scope, { privateUsers: true });
    for (const name of ["ProcSubset", "MemoryDenyWriteExecute"]) expect(settings).not.toHaveProperty(name);
    expect(settings).toMatchObject({
      MemoryMax: ["1G"],
      TasksMax: ["128"],
      RestrictAddressFamilies: ["AF_INET AF_INET6 AF_UNIX"],
      SystemCallErrorNumber: ["EPERM"],
    });
  });
});

describe("the service tells systemd of itself", () => {
  test("by a reload that systemd waits for, where it is 253 or newer", () => {
    const newer = settingsOf("system", { version: 253 });
    expect(newer).toMatchObject({ Type: ["notify-reload"] });
    expect(newer).not.toHaveProperty("ExecReload");
  });

  test("by systemd-notify where there is no Perl", () => {
    expect(settingsOf("system", { perl: null })).toMatchObject({
      NotifyAccess: ["all"],
      ExecStart: [`${process.execPath} /opt/jc-integrations/bin/jc-integrations.js serve`],
    });
  });
});

describe("to install on a machine that has nothing yet", () => {
  test("everything is made before the service starts", () => {
    expect(shown(planned("system"))).toEqual([
      "run useradd --system --no-create-home --shell /usr/sbin/nologin --home-dir /var/lib/jc-integrations jc-integrations",
      "create /etc/jc-integrations/ (0755)",
      "create /etc/jc-integrations/vault-key (0600, 32 random bytes)",
      "create /etc/jc-integrations/config.toml (0644)",
      "create /etc/systemd/system/jc-integrations.service (0644)",
      ...SOCKETS.map((unit) => `create /etc/systemd/system/${unit} (0644)`),
      "run systemctl daemon-reload",
      `run systemctl enable ${SOCKETS.join(" ")}`,
      "run systemctl enable --now jc-integrations.service",
    ]);
  });

  test("a person needs no root, and nobody else reads what is theirs", () => {
    expect(shown(planned("user"))).toEqual([
      "create /home/ann/.config/jc-integrations/ (0700)",
      "create /home/ann/.config/jc-integrations/vault-key (0600, 32 random bytes)",
      "create /home/ann/.config/jc-integrations/config.toml (0600)",
      "create /home/ann/.config/systemd/user/jc-integrations.service (0644)",
      ...SOCKETS.map((unit) => `create /home/ann/.config/systemd/user/${unit} (0644)`),
      "run systemctl --user daemon-reload",
      `run systemctl --user enable ${SOCKETS.join(" ")}`,
      "run systemctl --user enable --now jc-integrations.service",
    ]);
  });

  test("the plan shows each file's whole text, and of the key only its size", () => {
    const plan = planned("system");
    const dryRun = planText(plan, { isDryRun: true });
    for (const line of ['org = "acme"', 'backend = "sealed"', "StateDirectory=jc-integrations"])
      expect(dryRun).toContain(line);
    expect(planJson(plan)).toMatchObject({
      steps: expect.arrayContaining([
        { does: "write-key", path: "/etc/jc-integrations/vault-key", mode: "0600", randomBytes: 32 },
      ]),
    });
  });
});

describe("to install again", () => {
  test.each(["system", "user"] as const)("changes nothing of a %s's service that is there", (scope) => {
    expect(planned(scope, installed(scope))).toEqual({ steps: [], notes: [] });
  });

  test("goes on where the last time broke off", () => {
    const found = { ...installed("system"), isEnabled: false, isActive: false };
    expect(shown(planned("system", found))).toEqual(["run systemctl enable --now jc-integrations.service"]);
    expect(shown(planned("system", { ...found, isUnread: true }))).toEqual([
      "run systemctl daemon-reload",
      "run systemctl enable --now jc-integrations.service",
    ]);
  });

  test("replaces the unit of an older version, and says that this takes a restart", () => {
    const plan = planned("system", { ...installed("system"), unit: "[Service]\nExecStart=/old\n" });
    expect(shown(plan)).toEqual([
      "change /etc/systemd/system/jc-integrations.service (0644)",
      "run systemctl daemon-reload",
    ]);
    expect(plan.notes).toEqual([expect.stringContaining("sudo systemctl restart jc-integrations")]);
  });

  test("gives the sockets to a service that had none: from its next restart on", () => {
    const found = { ...installed("system"), sockets: sockets("system", false) };
    const plan = planned("system", found);
    expect(shown(plan)).toEqual([
      ...SOCKETS.map((unit) => `create /etc/systemd/system/${unit} (0644)`),
      "run systemctl daemon-reload",
      `run systemctl enable ${SOCKETS.join(" ")}`,
    ]);
    expect(plan.notes).toEqual([expect.stringContaining("sudo systemctl restart jc-integrations")]);
  });

  test("names a socket that has to move with the restart", () => {
    const moved = sockets("system", true).map((each) => ({ ...each, address: "192.0.2.1:443" }));
    const { notes } = planned("system", { ...installed("system"), sockets: moved });
    expect(notes).toEqual([
      expect.stringContaining(
        `sudo systemctl stop ${SOCKETS.join(" ")} jc-integrations && sudo systemctl start jc-integrations`,
      ),
    ]);
  });

  test.each(["system", "user"] as const)(
    "without an admin listener a %s's service has the public socket alone",
    (scope) => {
      const withoutAdmin = (isInstalled: boolean) =>
        sockets(scope, isInstalled).map((each) =>
          each.listener.name === "admin" ? { ...each, address: null } : each,
        );
      const unitOf = (plan: ReturnType<typeof planned>) =>
        plan.steps.flatMap((step) =>
          "content" in step && step.path.endsWith(".service") ? [step.content] : [],
        );
      const fresh = planned(scope, { sockets: withoutAdmin(false) });
      expect(shown(fresh).filter((step) => step.includes("admin"))).toEqual([]);
      expect(unitOf(fresh).join()).toMatch(/^Sockets=jc-integrations\.socket$/m);

      const plan = planned(scope, { ...installed(scope), sockets: withoutAdmin(true) });
      const [manager, { unitDir }] = [
        scope === "user" ? "systemctl --user" : "systemctl",
        placesOf(scope, ENV),
      ];
      expect(shown(plan)).toEqual([
        `change ${unitDir}/jc-integrations.service (0644)`,
        `run ${manager} disable --now jc-integrations-admin.socket`,
        `remove ${unitDir}/jc-integrations-admin.socket`,
        `run ${manager} daemon-reload`,
      ]);
      expect(unitOf(plan)).toEqual(unitOf(fresh));
      expect(plan.notes).toEqual([expect.stringMatching(/ restart jc-integrations$/)]);

      const gone = withoutAdmin(true).map((each) => (each.address === null ? { ...each, text: null } : each));
      expect(planned(scope, { ...installed(scope), unit: unitOf(plan).join(), sockets: gone }).steps).toEqual(
        [],
      );
    },
  );

  test("never touches a configuration or a key", () => {
    const kept = { hasConfigDir: true, hasKey: true, vault: { backend: "sealed", keyFile: "" } } as const;
    const touched = planned("system", kept).steps.flatMap((step) => ("path" in step ? [step.path] : []));
    expect(touched).toEqual(
      ["jc-integrations.service", ...SOCKETS].map((unit) => `/etc/systemd/system/${unit}`),
    );
  });

  test("starts nothing that the operator stopped, and says so", () => {
    const plan = planned("user", { ...installed("user"), isActive: false });
    expect(plan.steps).toEqual([]);
    expect(plan.notes).toEqual([expect.stringContaining("systemctl --user start jc-integrations")]);
  });
});

test("variables of the shell that the service will not see are named, and where it would", () => {
  const notes = planned("system", installed("system"), ["JC_HUBSPOT_TIER", "JC_ORG"]).notes;
  expect(notes).toEqual([
    expect.stringMatching(/^JC_HUBSPOT_TIER, JC_ORG are set .*\/etc\/jc-integrations\/environment\.$/),
  ]);
});

test("a configuration whose vault no service could open is named", () => {
  const notesWith = (scope: Scope, backend: "keychain" | "sealed") =>
    planned(scope, { ...installed(scope), vault: { backend, keyFile: "" } }).notes;
  expect(notesWith("system", "keychain")).toEqual([expect.stringContaining('backend = "sealed"')]);
  expect(notesWith("user", "sealed")).toEqual([expect.stringContaining("key_file = ")]);
  expect(notesWith("system", "sealed")).toEqual([]);
});

const units = (isPackaged: boolean) =>
  [...SOCKETS, "jc-integrations.service"].map((unit) => ({
    unit,
    file: `${isPackaged ? "/usr/lib" : "/etc"}/systemd/system/${unit}`,
    isPackaged,
  }));

test("to uninstall keeps state, configuration and key, and says where they are", () => {
  const { steps, notes } = planUninstall(placesOf("system", ENV), units(false));
  expect(steps.flatMap((step) => ("path" in step ? [step.path] : []))).toEqual(
    [...SOCKETS, "jc-integrations.service"].map((unit) => `/etc/systemd/system/${unit}`),
  );
  expect(notes.join()).toMatch(/\/var\/lib\/jc-integrations .*\/etc\/jc-integrations /);
});

describe("what a package brought", () => {
  const places = placesOf("system", ENV);
  const program = {
    nodePath: "/usr/lib/jc-integrations/bin/node",
    scriptPath: "/usr/lib/jc-integrations/bin/jc-integrations.js",
  };
  const brought = packagedFiles("/usr/lib/jc-integrations");
  const foundPackaged = (abilities: Partial<Abilities>): Found => ({
    ...installed("system"),
    unit: brought["/usr/lib/systemd/system/jc-integrations.service"] ?? "",
    isPackaged: true,
    isEnabled: false,
    isActive: false,
    sockets: sockets("system", true).map((socket) => ({
      ...socket,
      text: brought[`/usr/lib/systemd/system/${socket.listener.unit}`] ?? "",
      isPackaged: true,
      isEnabled: false,
      isActive: false,
    })),
    abilities: { ...ABILITIES, ...abilities },
  });
  const planFor = (found: Found, org = "acme") => planInstall({ places, program, org, unseen: [] }, found);

  test("is, but for who writes the file, what install would write", () => {
    const plan = planInstall(
      { places, program, org: undefined, unseen: [] },
      { ...NOTHING, sockets: sockets("system", false) },
    );
    const written = plan.steps.flatMap((step) => (step.does === "write" ? [[step.path, step.content]] : []));
    const moved = Object.entries(brought).map(([path, text]) => [path.replace("/usr/lib/", "/etc/"), text]);
    expect(new Map(moved as [string, string][])).toEqual(new Map(written as [string, string][]));
  });

  test("is enabled as it is where the host has no more to give", () => {
    expect(shown(planFor(foundPackaged({})))).toEqual([
      `run systemctl enable ${SOCKETS.join(" ")}`,
      "run systemctl enable --now jc-integrations.service",
    ]);
  });

  test("is never written to: what this host adds goes before it", () => {
    expect(shown(planFor(foundPackaged({ privateUsers: true })))).toEqual([
      "create /etc/systemd/system/jc-integrations.service (0644)",
      "run systemctl daemon-reload",
      `run systemctl enable ${SOCKETS.join(" ")}`,
      "run systemctl enable --now jc-integrations.service",
    ]);
  });

  test("of a socket that is not wanted is disabled once, and stays", () => {
    const withoutAdmin = (isEnabled: boolean) => {
      const found = foundPackaged({});
      const less = found.sockets.map((each) =>
        each.listener.name === "admin" ? { ...each, address: null, isEnabled } : each,
      );
      return shown(planFor({ ...found, sockets: less })).filter((line) => line.includes("admin"));
    };
    expect(withoutAdmin(true)).toEqual(["run systemctl disable --now jc-integrations-admin.socket"]);
    expect(withoutAdmin(false)).toEqual([]);
  });

  test("stays, disabled, when the service is uninstalled", () => {
    const { steps, notes } = planUninstall(places, units(true));
    expect(shown({ steps, notes })).toEqual([
      `run systemctl disable --now ${SOCKETS.join(" ")} jc-integrations.service`,
      "run systemctl daemon-reload",
    ]);
    expect(notes.join()).toContain("/usr/lib/systemd/system/jc-integrations.service are the package's");
  });

  test("of a configuration does not take the org that install is told, and install says so", () => {
    expect(planFor({ ...foundPackaged({}), org: "default" }).notes).toEqual([
      '/etc/jc-integrations/config.toml is left as it is: write org = "acme" at its top.',
    ]);
    expect(planFor(foundPackaged({})).notes).toEqual([]);
  });
});

test("a command that runs as the service has what the unit gives, and its words as they were typed", () => {
  const words = ["export", "$HOME@example.org", "100%"];
  const places = placesOf("system", ENV);
  const command = { places, program: PROGRAM, argv: words, cwd: "/srv", person: "alice" };
  const given = execArguments("x.service", command);
  expect(given).toEqual(
    expect.arrayContaining([
      "--property=User=jc-integrations",
      "--property=StateDirectory=jc-integrations",
      "--property=LoadCredential=vault-key:/etc/jc-integrations/vault-key",
      "--setenv=SUDO_USER=alice",
    ]),
  );
  expect(given.slice(given.indexOf("--") + 3)).toEqual(["export", "$$HOME@example.org", "100%"]);
});

/** Null too when everything has to run: it then fails where the part is missing. */
function missingAnalyze(): string | null {
  if (process.env.JC_TEST_ALL_PARTS === "1") return null;
  try {
    execFileSync("systemd-analyze", ["--version"], { stdio: "ignore" });
    return null;
  } catch {
    return "systemd-analyze";
  }
}
