/** What the tests of connecting look at beside the output: the portal's definitions, the vault, and every secret. */
import { join } from "node:path";
import * as v from "valibot";
import { expect } from "vitest";
import { openVault, openVaultIn } from "../../src/vault/open.ts";
import { type Ended, launch } from "../end-to-end/program.ts";
import { visit } from "../oauth/browser.ts";
import { rowsIn, vaultOptions } from "../vault/world.ts";
import { CLIENT_SECRET, until, type World } from "../world.ts";

export const PORTAL = 8_480_001;
export const OTHER_PORTAL = 8_480_002;
export const SCOPES = [
  "oauth",
  "crm.objects.contacts.read",
  "crm.objects.contacts.write",
  "crm.schemas.contacts.read",
  "crm.schemas.contacts.write",
];

const Status = v.object({
  connections: v.array(
    v.object({
      state: v.string(),
      account: v.nullable(v.string()),
      missingScopes: v.array(v.string()),
      banner: v.nullable(v.string()),
    }),
  ),
  pushes: v.object({ pending: v.number(), delivered: v.number(), held: v.number() }),
});

/** What `status` says about HubSpot, whatever it exits with. */
export async function statusOf(world: World, ...flags: string[]) {
  const { json } = await world.run(["status", "--json", ...flags]);
  const { connections, pushes } = v.parse(Status, json);
  const [hubspot] = connections;
  if (!hubspot) throw new Error("status shows no connection");
  return { ...hubspot, pushes };
}

/** What the browser shows in the end; its page may come a moment after the program's end. */
export async function lastPage(world: World): Promise<string> {
  return (await until("the browser has its page", () => world.visits.at(-1))).body;
}

/** A connect that did not come about leaves no account and no tokens. */
export async function expectNoConnection(world: World): Promise<void> {
  expect(await statusOf(world)).toMatchObject({ state: "not_connected", account: null });
  expect(Object.keys(await vaultOf(world)).filter((name) => name.startsWith("token/"))).toEqual([]);
}

/** Every item of the sealed vault, wherever it lies, revealed. */
export async function vaultOf(world: World): Promise<Record<string, string>> {
  const { stateDir, clock } = world;
  const options = vaultOptions({ stateDir, keyFile: join(world.dir, "vault.key"), clock });
  const url = world.env.JC_STORE_URL;
  const vault = url ? openVaultIn(rowsIn(url), options) : openVault(options);
  try {
    const found = await vault.read(await vault.names(""));
    return Object.fromEntries([...found].map(([name, secret]) => [name, secret.reveal()]));
  } finally {
    await vault.close();
  }
}

const Tokens = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ accessToken: v.string(), refreshToken: v.string() }),
);

export async function tokensOf(world: World, environment = "production") {
  return v.parse(Tokens, (await vaultOf(world))[`token/acme/hubspot/${environment}`]);
}

/** Does HubSpot still honour this token? */
export async function isAlive(world: World, token: string): Promise<boolean> {
  const body = new URLSearchParams({ client_id: "app-1", client_secret: CLIENT_SECRET, token });
  const answer = await fetch(`${world.emulator.hubspot}/oauth/v3/token/introspect`, { method: "POST", body });
  return v.parse(v.object({ active: v.boolean() }), await answer.json()).active;
}

/** A call of the portal's API, as another app with all rights makes it. Returns the status. */
export async function callApi(world: World, method: string, path: string, body: object): Promise<number> {
  const { accessToken } = await tokensOf(world);
  const headers = { authorization: `Bearer ${accessToken}`, "content-type": "application/json" };
  const answer = await fetch(world.emulator.hubspot + path, { method, headers, body: JSON.stringify(body) });
  return answer.status;
}

/** The link that a waiting `connect` has printed, alone on its line; null before. */
export function linkIn(err: string): string | null {
  return /^(http\S+\/oauth\/authorize\?\S+)\r?$/m.exec(err)?.[1] ?? null;
}

/** The admin says yes. Returns where the browser is sent, with the code in it. */
export async function approve(link: string): Promise<string> {
  const { headers } = await visit(link);
  if (typeof headers.location !== "string") throw new Error("the consent page sends nobody back");
  return headers.location;
}

export function codeIn(redirect: string): string {
  return new URL(redirect).searchParams.get("code") ?? "";
}

/** The built program, from its start to its end. */
export async function runProgram(
  world: World,
  argv: readonly string[],
  stdin = "",
): Promise<Ended & { tookMs: number }> {
  const startedAt = performance.now();
  const program = launch(world, argv);
  program.child.stdin?.end(stdin);
  const ended = await Promise.race([
    program.ended,
    until(`${argv.join(" ")} ends`, () => program.child.exitCode !== null).then(() => program.ended),
  ]);
  return { ...ended, tookMs: performance.now() - startedAt };
}
