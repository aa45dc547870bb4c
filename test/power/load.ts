/** The built `serve` under load, recorded: webhooks, deliveries, and one-use refresh tokens in between. */
import { cpSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { allDelivered, launchService, send } from "../end-to-end/program.ts";
import { tokenItem } from "../../src/core/connection.ts";
import { readTokens } from "../../src/oauth/refresh.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { openVault } from "../../src/vault/open.ts";
import { ageDelivered } from "../aged.ts";
import { temporaryDirectory } from "../directory.ts";
import { vaultOptions } from "../vault/world.ts";
import { connect, freshWorld, importResults, invite, succeed, type World } from "../world.ts";
import { type Operation, readTrace, recording } from "./trace.ts";
import { now, type TokenUse, watchedVendor } from "./vendor.ts";

const CONNECTION = "acme/hubspot/production";
const SENDERS = 4;
/** Leaves the deliveries, and so the tokens, their turn. */
const PACE_MS = 20;
const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

export interface Recorded {
  world: World;
  /** The state directory before the service started, and after it ended. */
  before: Map<string, Buffer>;
  after: Map<string, Buffer>;
  operations: Operation[];
  /** Invitations, and when the sender had read the 202. */
  acknowledged: { invitationId: string; at: number }[];
  tokens: TokenUse[];
  /** The access token with which all began. */
  firstToken: string;
}

/** Goes on until that many refresh tokens were exchanged. */
export async function recorded(options: { refreshes: number; bin?: string }): Promise<Recorded> {
  const world = await freshWorld({ env: { JC_SCHEDULE_RETRY_EVERY: "1s" } });
  await world.portal.settings({ oneUseTokens: true, accessTokenSeconds: 1 });
  await connect(world);
  const vendor = await watchedVendor(world.emulator.hubspot);
  const directory = temporaryDirectory(tmpdir());
  const [into, stateDir] = [join(directory, "trace"), realpathSync(world.stateDir)];
  await haveOld(world);
  const firstToken = (await tokensIn(world, stateDir))?.accessToken.reveal() ?? "";
  const before = filesOf(stateDir);
  const service = await launchService(world, {
    shell: `export JC_HUBSPOT_API_BASE='${vendor.url}'; ${recording({ into, stateDir, directory })}`,
    ...(options.bin === undefined ? {} : { bin: options.bin }),
  });
  const acknowledged: Recorded["acknowledged"] = [];
  const sendSome = async () => {
    while (givenIn(vendor.uses) < options.refreshes) {
      const event = invite();
      const answer = await send(service.url, event);
      if (answer?.status === 202) acknowledged.push({ invitationId: event.data.invitation_id, at: now() });
      await systemClock.sleep(PACE_MS);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sendSome));
  await allDelivered(world);
  service.child.kill("SIGTERM");
  const { code, err } = await service.ended;
  if (code !== 0) throw new Error(`serve ended with ${code}: ${err}`);
  return {
    world,
    before,
    after: filesOf(stateDir),
    operations: readTrace(into),
    acknowledged,
    tokens: vendor.uses,
    firstToken,
  };
}

/** What retention removes while the load is recorded. */
async function haveOld(world: World): Promise<void> {
  await importResults(
    world,
    Array.from({ length: 300 }, () => invite()),
  );
  await succeed(world, ["run", "retry"]);
  ageDelivered(world.stateDir, 300);
}

const givenIn = (uses: readonly TokenUse[]) => uses.filter(({ kind }) => kind === "given").length;

export function filesOf(stateDir: string): Map<string, Buffer> {
  const entries = readdirSync(stateDir, { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(paths.map((path) => [relative(stateDir, path), readFileSync(path)]));
}

/** What the program would find there, and may refresh: it takes the lock for that. */
export async function tokensIn(world: World, stateDir: string) {
  const vault = openVault(vaultOptions({ stateDir, keyFile: join(world.dir, "vault.key") }));
  try {
    return await vault.exclusively(tokenItem(CONNECTION), () => readTokens({ vault }, CONNECTION));
  } finally {
    await vault.close();
  }
}

/** The built program with other words in its code, in a place of its own. Throws where a word is not there. */
export function changedProgram(words: readonly (readonly [string, string])[]): string {
  const directory = temporaryDirectory(tmpdir());
  for (const part of ["bin", "dist", "package.json"])
    cpSync(join(REPOSITORY, part), join(directory, part), { recursive: true });
  symlinkSync(join(REPOSITORY, "node_modules"), join(directory, "node_modules"));
  const dist = join(directory, "dist");
  // Those hold the code as it was.
  for (const name of readdirSync(dist)) if (name.endsWith(".code")) rmSync(join(dist, name));
  const found = new Set<string>();
  for (const name of readdirSync(dist).filter((name) => /\.c?js$/.test(name))) {
    let text = readFileSync(join(dist, name), "utf8");
    for (const [word, other] of words) {
      if (text.includes(word)) found.add(word);
      text = text.replaceAll(word, other);
    }
    writeFileSync(join(dist, name), text);
  }
  const missing = words.filter(([word]) => !found.has(word));
  if (missing.length > 0) throw new Error(`not in the program: ${missing.join(", ")}`);
  return join(directory, "bin/jc-integrations.js");
}
