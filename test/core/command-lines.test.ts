/** What the program advises to type is what it takes. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { type Command, CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import * as lines from "../../src/core/advice/command-lines.ts";
import { installCommand, nextAfterInstall, reaching } from "../../src/core/advice/systemd.ts";
import { createProgram } from "../../src/main.ts";
import { outsideOf } from "../outside.ts";
import { freshWorld } from "../world.ts";

const IN_SANDBOX = { org: "acme", vendor: "hubspot", environment: "sandbox" } as const;
const IN_PRODUCTION = { org: "acme", vendor: "smartrecruiters", environment: "production" } as const;
const BOTH = [IN_SANDBOX, IN_PRODUCTION];
const HOSTILE = `'"$(touch gone)\`touch gone\` \\ ! -x`;
const STAGES = [undefined, null, "Phone screen / 1", HOSTILE].flatMap((stage) =>
  BOTH.map((of) => ({ ...of, jobId: "4711", ...(stage === undefined ? {} : { stage }) })),
);

/** All that each of them can build, as far as its arguments differ; one that is missing here does not compile. */
const BUILT: Record<keyof typeof lines, readonly string[]> = {
  HELP_COMMAND: [lines.HELP_COMMAND],
  helpCommand: [lines.helpCommand(["webhooks", "subscribe"]), lines.helpCommand(["status"])],
  ALL_STATUS_COMMAND: [lines.ALL_STATUS_COMMAND],
  doctorCommand: BOTH.map((of) => lines.doctorCommand(of)),
  DEMO_COMMAND: [lines.DEMO_COMMAND],
  SERVE_COMMAND: [lines.SERVE_COMMAND],
  RETRY_COMMAND: [lines.RETRY_COMMAND],
  SWEEP_COMMAND: [lines.SWEEP_COMMAND],
  QUESTIONS_COMMAND: [lines.QUESTIONS_COMMAND],
  VAULT_COMMAND: [lines.VAULT_COMMAND],
  REKEY_COMMAND: [lines.REKEY_COMMAND],
  NEW_LOG_COMMAND: [lines.NEW_LOG_COMMAND],
  NEW_LOG_ANYWAY_COMMAND: [lines.NEW_LOG_ANYWAY_COMMAND],
  MIGRATE_COMMAND: [lines.MIGRATE_COMMAND],
  GRANTS_COMMAND: [lines.GRANTS_COMMAND],
  copyCommand: [
    lines.copyCommand("postgres://jc@db.example.com:5432/log"),
    lines.copyCommand("postgres://jc@/log?host=/run/postgresql"),
  ],
  VACUUM_COMMAND: [lines.VACUUM_COMMAND],
  eraseCommand: [lines.eraseCommand("acme"), lines.eraseCommand("acme", "--remote")],
  BACKUP_COMMAND: [lines.BACKUP_COMMAND],
  BACKUPS_COMMAND: [lines.BACKUPS_COMMAND],
  restoreCommand: [
    lines.restoreCommand(),
    lines.restoreCommand("/mnt/log.backup"),
    lines.restoreCommand(HOSTILE),
  ],
  verifyCommand: [lines.verifyCommand("/mnt/log.backup"), lines.verifyCommand(HOSTILE)],
  SECRETS_COMMAND: [lines.SECRETS_COMMAND],
  SHOW_CONFIG_COMMAND: [lines.SHOW_CONFIG_COMMAND],
  CONFIG_CHECK_COMMAND: [lines.CONFIG_CHECK_COMMAND],
  IMPORT_COMMAND: [lines.IMPORT_COMMAND],
  asServiceCommand: [lines.asServiceCommand("status")],
  serviceCommand: [
    lines.serviceCommand("status"),
    lines.serviceCommand("install", "--system"),
    lines.serviceCommand("uninstall", "--user"),
    lines.serviceCommand("install", "--user", "--dry-run"),
  ],
  adminLinkCommand: [
    lines.adminLinkCommand(),
    lines.adminLinkCommand("acme"),
    lines.adminLinkCommand("<slug>"),
  ],
  connectCommand: [{ vendor: "hubspot" }, ...BOTH].flatMap((of) => [
    lines.connectCommand(of),
    lines.connectCommand(of, "--via-service"),
    lines.connectCommand(of, "--confirm"),
    lines.connectCommand(of, "--no-browser"),
    lines.connectCommand(of, "--method client-credentials"),
  ]),
  crossRegionCommand: BOTH.flatMap((of) => [
    lines.crossRegionCommand(of),
    lines.crossRegionCommand(of, "--via-service"),
    lines.crossRegionCommand(of, "--confirm"),
  ]),
  disconnectCommand: BOTH.map((of) => lines.disconnectCommand(of)),
  resyncCommand: BOTH.flatMap((of) => [lines.resyncCommand(of), lines.resyncCommand(of, "--dry-run")]),
  backfillCommand: BOTH.flatMap((of) => [lines.backfillCommand(of), lines.backfillCommand(of, "--yes")]),
  logsCommand: [{}, ...BOTH].flatMap((of) => [lines.logsCommand(of), lines.logsCommand(of, "held")]),
  replayCommand: BOTH.flatMap((of) => [
    lines.replayCommand(of, "rejected"),
    lines.replayCommand(of, "one record"),
    lines.replayCommand(of, "gone"),
  ]),
  replayInviteCommand: BOTH.flatMap((of) => [
    lines.replayInviteCommand("inv_7Q2", of),
    lines.replayInviteCommand(HOSTILE, of, "--recreate"),
  ]),
  statusCommand: [lines.statusCommand(), ...BOTH.map(lines.statusCommand)],
  subscribeCommand: BOTH.map(lines.subscribeCommand),
  rotateCommand: BOTH.map(lines.rotateCommand),
  webhooksLogCommand: BOTH.map(lines.webhooksLogCommand),
  setSecretCommand: [
    lines.setSecretCommand("<name>"),
    ...BOTH.map((of) => lines.setSecretCommand("hubspot.client-secret", of)),
  ],
  secretFromFileCommand: BOTH.map((of) => lines.secretFromFileCommand("hubspot.client-secret", of)),
  removeSecretCommand: BOTH.map((of) => lines.removeSecretCommand("smartrecruiters.webhook-secret", of)),
  testAlertCommand: [lines.testAlertCommand({ org: "acme" })],
  invitesCommand: [lines.invitesCommand(), lines.invitesCommand({ org: "acme" })],
  inviteCommand: ["inv_7Q2", HOSTILE].map((id) => lines.inviteCommand(id, { org: "acme" })),
  assignCommand: [
    lines.assignCommand({}),
    lines.assignCommand({ org: "acme" }, "inv_7Q2"),
    lines.assignCommand({ org: "acme" }, HOSTILE),
  ],
  wantedCommand: [lines.wantedCommand({}), lines.wantedCommand({ org: "acme" })],
  requestsCommand: [lines.requestsCommand({}), lines.requestsCommand({ org: "acme" })],
  setCatalogCommand: STAGES.flatMap((of) => [
    lines.setCatalogCommand(of),
    lines.setCatalogCommand({ ...of, test: "disc" }),
  ]),
  showCatalogCommand: STAGES.map(lines.showCatalogCommand),
  trialCommand: [lines.trialCommand({ vendor: "hubspot" }), ...STAGES.map(lines.trialCommand)],
  patientTrialCommand: STAGES.map(lines.patientTrialCommand),
  emulatedTrialCommand: [lines.emulatedTrialCommand("smartrecruiters")],
  asTypedHere: [
    lines.asTypedHere(lines.SERVE_COMMAND, { config: "/my files/a.toml", stateDir: "/srv/it's" }),
  ],
  listKeysCommand: [lines.listKeysCommand(), lines.listKeysCommand("JC_HUBSPOT_NONSENSE")],
};

test.each(Object.entries(BUILT))("what %s builds is a command of the program", async (_name, built) => {
  expect(built.length).toBeGreaterThan(0);
  for (const line of built) expect(await faultOf(line), line).toBe(null);
});

test.each(["system", "user"] as const)("what is typed about the %s's service is one, too", async (scope) => {
  const next = nextAfterInstall(scope, "/etc/config.toml");
  const typed = [installCommand(scope), reaching(scope, lines.SHOW_CONFIG_COMMAND), ...next];
  const ours = typed.map((line) => line.replace(/^sudo /, "")).filter((line) => line.startsWith("jc-"));
  expect(ours).toHaveLength(4);
  for (const line of ours) expect(await faultOf(line), line).toBe(null);
});

test.each([
  "jc-integrations resync",
  "jc-integrations status --nonsense",
  "jc-integrations secrets set",
  "jc-integrations run retry now",
])("%s is none", async (line) => {
  expect(await faultOf(line)).toMatch(/error: |Usage: /);
});

describe("names that other people gave", () => {
  test("do nothing in a shell, and reach the program as they are", () => {
    const [show] = [lines.inviteCommand(HOSTILE)];
    expect(wordsOf(show).at(-1)).toBe(HOSTILE);
  });
});

describe("what is advised where --config and --state-dir were given", () => {
  test("names them too", async () => {
    const world = await freshWorld();
    const { configFile, stateDir } = world;
    const places = ["--config", configFile, "--state-dir", stateDir];
    const env = { JC_CONFIG: "", JC_STATE_DIR: "" };
    const status = await world.run(["status", ...places], { env });
    expect(status.out).toContain(
      `connect: jc-integrations --config ${configFile} --state-dir ${stateDir} connect hubspot --org acme\n`,
    );
    const refused = await world.run(["connect", "hubspot", ...places], { env });
    expect(refused.err).toContain(
      `→ jc-integrations --config ${configFile} --state-dir ${stateDir} secrets set hubspot.client-secret\n`,
    );
    const usual = await world.run(["connect", "hubspot"]);
    expect(usual.err).toContain("→ jc-integrations secrets set hubspot.client-secret\n");
  });

  test("leaves alone what is no advice of ours", () => {
    const text = "sudo jc-integrations service install; jc-integrations cannot read its tokens";
    expect(lines.asTypedHere(text, { config: "/a.toml" })).toBe(text);
  });
});

test("what lists all keys does so in spite of the key that is none", async () => {
  const world = await freshWorld({ env: { JC_HUBSPOT_WHATEVERITIS: "1" } });
  const refused = await world.run(["config", "show"]);
  expect(refused.err).toContain(
    "→ env -u JC_HUBSPOT_WHATEVERITIS jc-integrations config show lists all keys",
  );
  const empty = await freshWorld();
  const words = wordsOf(lines.listKeysCommand()).slice(1);
  expect((await empty.run(words)).out).toContain("hubspot.client_id");
});

/** Help shows examples, which are no advice. The emulator knows none of it. */
const NOT_ADVICE = [/^src\/commands\/help\//, /^src\/core\/advice\//, /^src\/emulator\//];

test("no command line is written anywhere else", () => {
  const root = new URL("../../", import.meta.url);
  const files = readdirSync(new URL("src/", root), { recursive: true, encoding: "utf8" })
    .map((path) => `src/${path.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts") && !NOT_ADVICE.some((own) => own.test(path)));
  const written = files.flatMap((path) =>
    linesIn(readFileSync(new URL(path, root), "utf8")).map((text) => `${path}: ${text}`),
  );
  expect(written).toEqual([]);
});

test("a command line is found in whatever way it is written", () => {
  expect(linesIn('hint: "Run: jc-integrations status"')).toEqual(["jc-integrations status"]);
  expect(linesIn("hint: `jc-integrations $" + "{verb}` `$" + "{PROGRAM} connect`")).toHaveLength(2);
  expect(linesIn('hint: "sudo npm install -g jc-integrations"')).toEqual(["npm install -g jc-integrations"]);
  expect(linesIn('"\\nExample:\\n  jc-integrations status"\n// jc-integrations status')).toEqual([]);
});

/** `jc-integrations`, or a constant for it, before a word of a command line; and a package that nobody owns. */
function linesIn(text: string): string[] {
  const code = text
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/(^|[^:"'`])\/\/.*$/gm, "$1")
    .replace(/Examples?:\n.*?(?=`)/gs, "")
    .replace(/Examples?:\\n[^"`]*/g, "");
  const names = `(?:jc-integrations|\\$\\{(?:PROGRAM|SERVICE)\\})`;
  const line = new RegExp(`${names} (?:--[a-z]|\\$\\{|(?:${COMMANDS.join("|")})\\b)`, "g");
  const install = new RegExp(`npm install[^"\`]* ${names}`, "g");
  return [...code.matchAll(line), ...code.matchAll(install)].map(([found]) => found);
}

const COMMANDS = (await programWith(() => {})).commands.map((command) => command.name());

async function programWith(hear: (text: string) => void): Promise<Command> {
  const world = outsideOf(hear);
  const program = await createProgram(world, { first: undefined, asJson: false });
  withoutActions(program);
  return program;
}

/** So that a line is read, and nothing is done. */
function withoutActions(command: Command): void {
  if (command.commands.length === 0 || command.registeredArguments.length > 0) command.action(() => {});
  for (const child of command.commands) withoutActions(child);
}

/** What the program says to a line that it does not take; null when it takes it. */
async function faultOf(line: string): Promise<string | null> {
  const said: string[] = [];
  const program = await programWith((text) => said.push(text));
  const words = wordsOf(line);
  if (words[0] !== "jc-integrations") return `error: it begins with ${words[0]}`;
  if (words[1] === "--help") return null;
  try {
    await program.parseAsync(words.slice(1), { from: "user" });
    return null;
  } catch (error) {
    // What is asked for help is a command, or said to be none before.
    if (error instanceof CommanderError && error.code === "commander.helpDisplayed") return null;
    return said.join("") || "error: ";
  }
}

/** As a shell takes it apart, what people put in themselves aside. */
function wordsOf(line: string): string[] {
  const typed = line.replace(/^env -u \w+ /, "").replace(/<[\w ]+>/g, "1");
  const script = `for word in ${typed}; do printf '%s\\0' "$word"; done`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8", cwd: "/" }).split("\0").slice(0, -1);
}
