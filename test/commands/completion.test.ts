/** What a shell completes: asked of the shells themselves, where the machine has them. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { dist } from "../built.ts";
import { temporaryDirectory } from "../directory.ts";
import { type World as TestWorld, connected, freshWorld, importResults, invite, ORG } from "../world.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/jc-integrations.js", import.meta.url));
const ALL_PARTS = process.env.JC_TEST_ALL_PARTS === "1";
const isMissing = (shell: string) => !ALL_PARTS && spawnSync(shell, ["--version"]).error !== undefined;

async function suggested(world: TestWorld, words: readonly string[]): Promise<string[]> {
  const run = await world.run(["completion", "bash", "--", ...words]);
  expect(run).toMatchObject({ code: 0, err: "" });
  return run.out.split("\n").slice(0, -1);
}

describe("what may come next", () => {
  test.each([
    [["conn"], ["connect"]],
    [["backup", "l"], ["list"]],
    [
      ["connect", ""],
      ["hubspot", "smartrecruiters"],
    ],
    [["webhooks", "list", "--vendor", ""], ["smartrecruiters"]],
    [["webhooks", "log", "--vendor=j"], ["--vendor=jobcannon"]],
    [
      ["catalog", "set", "--trigger", ""],
      ["auto", "manual"],
    ],
    [["secrets", "set", "telegram"], ["telegram.bot-token"]],
    [
      ["run", "ret"],
      ["retry", "retention"],
    ],
    [["connect", "hubspot", "--via"], ["--via-service"]],
    [
      ["logs", "--no-"],
      ["--no-color", "--no-input"],
    ],
    [["completion", "z"], ["zsh"]],
    [["invites", "import", "even"], ["/"]],
    [["--config", ""], ["/"]],
    [["connect", "--", "h"], ["hubspot"]],
    [["replay", "--status", "rejected", "--vendor", "s"], ["smartrecruiters"]],
    [
      ["logs", "--outcome", "re"],
      ["recreated", "rejected", "retry"],
    ],
    [["logs", "--outcome=he"], ["--outcome=held"]],
    [
      ["replay", "--status", ""],
      ["pending", "delivered", "rejected", "held"],
    ],
    [
      ["invites", "list", "--status", "c"],
      ["completed", "cancelled"],
    ],
    [
      ["connect", "smartrecruiters", "--method", ""],
      ["code", "client-credentials", "api-key"],
    ],
    [["catalog", "set", "--test", "b"], ["big-five"]],
    [["sandbox-test", "smartrecruiters", "--test", "m"], ["mbti"]],
    [
      ["help", "ba"],
      ["backfill", "backup"],
    ],
    [["help", "backup", "l"], ["list"]],
    [["help", "nonsense", "l"], []],
    [["config", "init", "--set", "hubspot.t"], ["hubspot.tier="]],
    [["config", "init", "--set", "hubspot.tier=f"], ["hubspot.tier=free"]],
    [
      ["config", "init", "--set=hubspot.pkce="],
      ["--set=hubspot.pkce=true", "--set=hubspot.pkce=false"],
    ],
    [["config", "init", "--set", "vault.backend=sealed", "--set", "vault.b"], ["vault.backend="]],
    [["config", "init", "--set", "hubspot.client_id="], []],
    [["nonsense", "x"], []],
    [["status", "--nonsense", "x"], []],
  ])("after %j", async (words, found) => {
    expect(await suggested(await freshWorld(), words)).toEqual(found);
  });

  test("names the orgs and the invitations that the log holds, also of a log that the line names", async () => {
    const world = await connected();
    const event = invite({ invitation_id: "inv_to_complete" });
    await importResults(world, [event, invite({ invitation_id: "inv_other" })]);
    expect(await suggested(world, ["--org", ""])).toEqual([ORG]);
    expect(await suggested(world, ["invites", "show", "inv_to"])).toEqual(["inv_to_complete"]);
    expect(await suggested(world, ["replay", "inv_other", "inv_to"])).toEqual(["inv_to_complete"]);
    expect(await suggested(world, ["--org", "another", "invites", "show", "inv"])).toEqual([]);
    const elsewhere = ["--state-dir", join(world.dir, "no-log"), "invites", "show", "inv"];
    expect(await suggested(world, elsewhere)).toEqual([]);
  });

  test("is nothing, and no error, where the configuration or the log cannot be read", async () => {
    const world = await freshWorld();
    writeFileSync(world.configFile, "org = \n");
    expect(await suggested(world, ["--org", ""])).toEqual([]);
    expect(await suggested(world, ["sta"])).toEqual(["status"]);
    const another = await freshWorld();
    mkdirSync(another.stateDir);
    writeFileSync(join(another.stateDir, "log.db"), "no log ".repeat(20_000));
    expect(await suggested(another, ["invites", "show", ""])).toEqual([]);
  });
});

describe("in the shell itself", () => {
  const asked = () => {
    const home = temporaryDirectory(tmpdir());
    symlinkSync(PROGRAM, join(home, "jc-integrations"));
    writeFileSync(join(home, "events.ndjson"), "");
    const env = { PATH: `${home}:${process.env.PATH}`, HOME: home, TERM: "dumb" };
    const script = (shell: string) => fileURLToPath(new URL(`completion/${shell}`, dist()));
    return {
      home,
      script,
      run: (shell: string, ...words: string[]) =>
        execFileSync(shell, words, { cwd: home, encoding: "utf8", env, timeout: 60_000 }),
    };
  };

  test.skipIf(isMissing("bash"))("bash completes commands, values and files", () => {
    const { run, script } = asked();
    const out = run(
      "bash",
      "-c",
      `source ${script("bash")}
      try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _jc_integrations; echo "[\${COMPREPLY[*]}]"; }
      try jc-integrations conn
      try jc-integrations logs --vendor = h
      try jc-integrations connect ""
      try jc-integrations invites import ""
      try jc-integrations logs --outcome rej
      try jc-integrations connect smartrecruiters --method c
      try jc-integrations help ba
      try jc-integrations config init --set vault.b
      try jc-integrations config init --set vault.backend = s
      try jc-integrations config init --set = vault.backend = k
      complete -p jc-integrations`,
    );
    expect(out).toBe(
      "[connect]\n[hubspot]\n[hubspot smartrecruiters]\n[]\n" +
        "[rejected]\n[code client-credentials]\n[backfill backup]\n[vault.backend=]\n[sealed]\n[keychain]\n" +
        "complete -F _jc_integrations jc-integrations\n",
    );
  });

  test.skipIf(isMissing("zsh"))("zsh completes commands, values and files", () => {
    const { home, run, script } = asked();
    mkdirSync(join(home, "zfunc"));
    writeFileSync(join(home, "zfunc/_jc-integrations"), readFileSync(script("zsh")));
    // Each read waits for what it expects; what never comes ends with the process's time.
    const out = run(
      "zsh",
      "-fc",
      `zmodload zsh/zpty; zpty z zsh -f -i
      zpty -w z "PS1='READY>'; fpath=($HOME/zfunc \\$fpath); autoload -Uz compinit; compinit -u -D"
      zpty -w z 'print -r -- LOADED$((1))'; zpty -r z out '*LOADED1*READY>*'
      try() { zpty -w -n z "$1"$'\\t'; zpty -r z out "*$2*"; zpty -w -n z $'\\x15'; print -r -- "$2"; }
      try 'jc-integrations conn' 'connect '
      try 'jc-integrations logs --vendor=h' '--vendor=hubspot'
      try 'jc-integrations connect s' 'smartrecruiters '
      try 'jc-integrations invites import ev' 'events.ndjson'
      try 'jc-integrations logs --outcome rej' 'rejected '
      try 'jc-integrations connect smartrecruiters --method cl' 'client-credentials '
      try 'jc-integrations help backf' 'backfill '
      try 'jc-integrations config init --set vault.b' 'vault.backend='
      try 'jc-integrations config init --set vault.backend=s' 'vault.backend=sealed '
      zpty -d z`,
    );
    expect(out.split("\n").slice(0, 9)).toEqual([
      "connect ",
      "--vendor=hubspot",
      "smartrecruiters ",
      "events.ndjson",
      "rejected ",
      "client-credentials ",
      "backfill ",
      "vault.backend=",
      "vault.backend=sealed ",
    ]);
  });

  test.skipIf(isMissing("fish"))(
    "fish completes commands, values and files, and shows what they mean",
    () => {
      const { run, script } = asked();
      const lines = [
        ...["conn", "logs --vendor=h", "connect ", "invites import ev"],
        ...["logs --outcome rej", "connect smartrecruiters --method cl", "help backf"],
        ...["config init --set vault.b", "config init --set vault.backend=s"],
      ];
      const asks = lines.map((line) => `complete -C "jc-integrations ${line}"`).join("; ");
      const out = run("fish", "-c", `source ${script("fish")}; ${asks}`);
      expect(out).toContain("connect\tgive consent in the browser");
      expect(out.split("\n").slice(1)).toEqual([
        "--vendor=hubspot",
        "hubspot",
        "smartrecruiters",
        "events.ndjson",
        "rejected",
        "client-credentials",
        expect.stringMatching(/^backfill\t/),
        "vault.backend=",
        "vault.backend=sealed",
        "",
      ]);
    },
  );
});
