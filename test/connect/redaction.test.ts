import { expect, test } from "vitest";
import { follow } from "../oauth/browser.ts";
import { CLIENT_SECRET, connected, importResults, invite, succeed, until, type World } from "../world.ts";
import { approve, codeIn, linkIn, tokensOf, vaultOf } from "./world.ts";

/** HubSpot, or something in front of it, refuses and quotes what it was sent. */
async function echo(world: World, status: number, path: string, words: string): Promise<void> {
  await world.portal.fault({
    status,
    path,
    body: {
      status: "error",
      message: `not with ${words}`,
      error: "invalid_client",
      error_description: `the app's ${words} is refused`,
      category: "VALIDATION_ERROR",
      correlationId: words,
    },
  });
}

/** Connects as far as HubSpot lets it; the code of that consent is among the secrets. */
async function failingConnect(world: World): Promise<{ said: string; code: string }> {
  const connecting = world.start(["connect", "hubspot", "--no-browser", "--verbose"]);
  const link = await until("the link is shown", () => linkIn(connecting.err()));
  const redirect = await approve(link);
  const code = codeIn(redirect);
  await echo(world, 400, "/oauth", `${CLIENT_SECRET} and ${code}`);
  await follow(redirect);
  const ended = await connecting.done;
  expect(ended.code).toBe(2);
  await world.portal.clearFaults();
  return { code, said: ended.out + ended.err };
}

test("no failing command shows a secret, though HubSpot quotes it and --verbose is on", async () => {
  const world = await connected();
  await importResults(world, [invite()]);
  const first = await tokensOf(world);
  const quoteToken = async (status: number) =>
    await echo(world, status, "/crm", (await tokensOf(world)).accessToken);
  const failing: [what: string, argv: string[], trouble: () => Promise<unknown>, code: number][] = [
    ["a refused list", ["resync-properties"], () => quoteToken(400), 6],
    ["a refused token", ["resync-properties"], () => quoteToken(401), 6],
    ["an outage", ["resync-properties"], () => quoteToken(500), 6],
    ["a refused delivery", ["replay", "--vendor", "hubspot", "--yes"], () => quoteToken(400), 7],
    ["its log", ["logs"], async () => {}, 0],
    ["its record", ["invites", "list"], async () => {}, 0],
    ["a secret of the wrong shape", ["secrets", "set", "jobcannon.webhook-secret"], async () => {}, 2],
    [
      "a refused revocation",
      ["disconnect", "hubspot", "--yes"],
      () => echo(world, 400, "/oauth", `${first.refreshToken} of ${CLIENT_SECRET}`),
      7,
    ],
  ];
  let said = "";
  const kept = new Set([first.accessToken]);
  for (const [what, argv, trouble, code] of failing) {
    await trouble();
    for (const flags of [["--verbose"], ["--verbose", "--json"]].slice(0, argv[0] === "disconnect" ? 1 : 2)) {
      const run = await world.run([...argv, ...flags], { stdin: `${CLIENT_SECRET}\n` });
      expect({ what, code: run.code }).toEqual({ what, code });
      said += run.out + run.err;
    }
    await world.portal.clearFaults();
    if (argv[0] !== "disconnect") kept.add((await tokensOf(world)).accessToken);
  }
  const { code, said: more } = await failingConnect(world);
  said += more;
  expect(said).toContain("[redacted]");
  const secrets = [...Object.values(await vaultOf(world)), ...kept, first.refreshToken, code];
  expect(secrets).toContain(CLIENT_SECRET);
  for (const secret of secrets) expect(said).not.toContain(secret);
});

test("an expired token's refresh that fails shows neither token", async () => {
  const world = await connected();
  const { accessToken, refreshToken } = await tokensOf(world);
  await echo(world, 400, "/oauth", `${refreshToken} / ${encodeURIComponent(CLIENT_SECRET)}`);
  await world.portal.fault({ status: 401, path: "/crm" });
  const { code, out, err } = await world.run(["resync-properties", "--verbose"]);
  expect(code).toBe(2);
  expect(err).toContain("does not know this client id and secret");
  for (const secret of [accessToken, refreshToken, CLIENT_SECRET]) expect(out + err).not.toContain(secret);
  await world.portal.clearFaults();
  await succeed(world, ["resync-properties"]);
});
