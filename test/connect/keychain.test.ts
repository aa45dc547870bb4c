/** The built program with the keychain of a real desktop session, and with sessions that have none to offer. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/shared/clock.ts";
import { openVault } from "../../src/vault/open.ts";
import { launch } from "../end-to-end/program.ts";
import { atTerminal, missingForTerminal } from "../end-to-end/terminal.ts";
import { visit } from "../oauth/browser.ts";
import { behindDialog, missingForKeychain, startKeyring, startSilentBus } from "../vault/keyring.ts";
import { CLIENT_SECRET, freshWorld, until, WEBHOOK_SECRET, type World } from "../world.ts";
import { approve, codeIn, linkIn, runProgram } from "./world.ts";

type Session = Record<string, string>;

/** The same installation, as a process of that desktop session sees it. */
function inSession(world: World, session: Session): World {
  return { ...world, env: { ...world.env, ...session, JC_VAULT_BACKEND: "keychain" } };
}

/** The first day, by the built program; the test is the admin and the browser. Returns all that was said. */
async function firstDay(world: World) {
  let said = "";
  for (const [name, value] of [
    ["hubspot.client-secret", CLIENT_SECRET],
    ["jobcannon.webhook-secret", WEBHOOK_SECRET],
  ] as const) {
    const set = await runProgram(world, ["secrets", "set", name, "--verbose"], value);
    expect(set).toMatchObject({ code: 0 });
    said += set.out + set.err;
  }
  const connecting = launch(world, ["connect", "hubspot", "--no-browser", "--verbose"]);
  const link = await until("the link is shown", () => linkIn(connecting.err()));
  const redirect = await approve(link);
  await visit(redirect);
  const ended = await connecting.ended;
  expect(ended).toMatchObject({ code: 0, out: expect.stringContaining("service jc-integrations") });
  return { code: codeIn(redirect), said: said + ended.out + ended.err };
}

const Tokens = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ accessToken: v.string(), refreshToken: v.string() }),
);

/** What the keychain holds, read past the program. */
async function heldIn(world: World, session: Session): Promise<Record<string, string>> {
  const vault = openVault({
    backend: "keychain",
    stateDir: world.stateDir,
    keyFile: null,
    credentialsDirectory: null,
    host: { platform: "linux", nodePath: process.execPath, env: session },
    childUrl: new URL("../../dist/keychain-child.js", import.meta.url),
    clock: systemClock,
  });
  onTestFinished(() => vault.close());
  const found = await vault.read(await vault.names(""));
  return Object.fromEntries([...found].map(([name, secret]) => [name, secret.reveal()]));
}

function filesUnder(directory: string): Buffer[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
}

const missing = missingForKeychain();
const TOKEN = "token/acme/hubspot/production";

describe.skipIf(missing !== null)(
  `with a real keyring${missing === null ? "" : ` (${missing} is missing)`}`,
  () => {
    test("one process connects, others read, disconnect removes, and no secret is ever written or said", async () => {
      const { env: session } = await startKeyring();
      const world = inSession(await freshWorld(), session);
      const { code, said } = await firstDay(world);
      const { accessToken, refreshToken } = v.parse(Tokens, (await heldIn(world, session))[TOKEN]);
      const secrets = [CLIENT_SECRET, WEBHOOK_SECRET, accessToken, refreshToken, code];
      const filesWith = (text: string) => filesUnder(world.stateDir).filter((file) => file.includes(text));

      const resync = await runProgram(world, ["resync-properties", "--verbose"]);
      expect(resync).toMatchObject({ code: 0, out: expect.stringContaining("created 0, 17 there already") });
      const status = await runProgram(world, ["status", "--verbose"]);
      expect(status).toMatchObject({ code: 0, out: expect.stringContaining("[Connected]") });
      expect(filesWith(TOKEN)).not.toEqual([]);
      expect(secrets.flatMap(filesWith)).toEqual([]);

      const disconnect = await runProgram(world, ["disconnect", "hubspot", "--yes", "--verbose"]);
      expect(disconnect).toMatchObject({ code: 0, out: expect.stringContaining("our tokens are gone") });
      expect(Object.keys(await heldIn(world, session))).toEqual([
        "secret/-/hubspot.client-secret/1",
        "secret/-/jobcannon.webhook-secret/1",
      ]);
      expect(secrets.flatMap(filesWith)).toEqual([]);
      expect(await runProgram(world, ["resync-properties"])).toMatchObject({ code: 4 });

      const output = [resync, status, disconnect].reduce((all, { out, err }) => all + out + err, said);
      expect(output).toContain("/oauth/v3/token →");
      for (const secret of secrets) {
        expect(secret.length).toBeGreaterThan(15);
        expect(output).not.toContain(secret);
      }
    });

    const NEED_THE_VAULT = [
      ["resync-properties"],
      ["connect", "hubspot"],
      ["disconnect", "hubspot", "--yes"],
    ];

    /** Each of them ends in time with 5 and these words, and so does status from then on; nobody is disconnected. */
    async function expectUnavailable(world: World, words: RegExp): Promise<void> {
      const { tookMs: startMs } = await runProgram(world, ["config", "path"]);
      const runs = await Promise.all(NEED_THE_VAULT.map((argv) => runProgram(world, argv)));
      for (const { code, out, err, tookMs } of runs) {
        expect({ code, out }).toEqual({ code: 5, out: "" });
        expect(err).toMatch(words);
        // Neither for ever nor for the minute that a person gets; how busy the machine is shows here too.
        expect(tookMs - startMs).toBeLessThan(30_000);
      }
      const status = await runProgram(world, ["status"]);
      expect(status).toMatchObject({ code: 5, out: expect.stringContaining("[Tokens unreadable]") });
    }

    test("that fell silent, went away or was locked: 5 in time, with a fix, and nothing changed", async () => {
      const keyring = await startKeyring();
      const elsewhere = await freshWorld();
      const world = inSession(elsewhere, keyring.env);
      await firstDay(world);
      await expectUnavailable(
        inSession(elsewhere, await startSilentBus()),
        /^Error: The OS keychain did not answer within 3 seconds\n {2}→ Is it waiting for you to unlock it\?/,
      );
      await expectUnavailable(
        inSession(elsewhere, {}),
        /^Error: No OS keychain here: there is no D-Bus session\n {2}→ Run inside `dbus-run-session`/,
      );
      await keyring.lock();
      // Where a prompter can be started, the keyring waits for a password instead of answering.
      await expectUnavailable(
        world,
        /^Error: The OS keychain (is locked|did not answer).*\n {2}→ .*Unlock it/,
      );
    });
  },
);

describe.skipIf(missingForKeychain() !== null || missingForTerminal !== null)(
  "a keychain that waits for its dialog",
  () => {
    const NOTICE = "is a dialog waiting for you to unlock it?";
    const SET = ["secrets", "set", "hubspot.client-secret", "--file", "secret.txt"];

    test("has a minute at a terminal, with a notice, and the command goes on once it is unlocked", async () => {
      const dialog = await behindDialog((await startKeyring()).env);
      const world = inSession(await freshWorld(), dialog.env);
      const path = world.file("secret.txt", [CLIENT_SECRET]);
      const terminal = atTerminal(world, SET.with(-1, path));
      await terminal.shows(NOTICE);
      dialog.unlock();
      expect(await terminal.ended).toBe(0);
      expect(terminal.screen()).toContain("hubspot.client-secret is set");
    });

    test("ends at once on Ctrl-C, as interrupted, and nothing is set", async () => {
      const world = inSession(await freshWorld(), await startSilentBus());
      const path = world.file("secret.txt", [CLIENT_SECRET]);
      const terminal = atTerminal(world, SET.with(-1, path));
      await terminal.shows(NOTICE);
      terminal.type("\u0003");
      expect(await terminal.ended).toBe(130);
      expect(terminal.screen()).not.toContain("is set");
    });

    test("has 3 seconds without a person: with --no-input, and for serve at a terminal too", async () => {
      const world = inSession(await freshWorld(), await startSilentBus());
      const path = world.file("secret.txt", [CLIENT_SECRET]);
      const alone = atTerminal(world, ["--no-input", ...SET.with(-1, path)]);
      expect({ code: await alone.ended, screen: alone.screen() }).toEqual({
        code: 5,
        screen: expect.stringContaining("did not answer within 3 seconds"),
      });
      const serve = atTerminal(world, ["serve"]);
      await serve.shows("did not answer within 3 seconds");
      expect(alone.screen() + serve.screen()).not.toContain(NOTICE);
    });
  },
);
