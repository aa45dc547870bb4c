/** The built program in a process of its own: at a terminal, without one, and how it ends. */
import { once } from "node:events";
import { connect as open } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { launch, type Program } from "../end-to-end/program.ts";
import { follow } from "../oauth/browser.ts";
import { atTerminal, missingForTerminal as missing } from "../end-to-end/terminal.ts";
import { leastOf, msOf } from "../least.ts";
import { connected, prepared, until, type World } from "../world.ts";
import { approve, expectNoConnection, linkIn, OTHER_PORTAL, PORTAL, statusOf, tokensOf } from "./world.ts";

/** Starts `connect` in the background of the test and waits until it has shown its link. */
async function connecting(world: World): Promise<Program & { link: string }> {
  const program = launch(world, ["connect", "hubspot", "--no-browser"]);
  return { ...program, link: await until("the link is shown", () => linkIn(program.err())) };
}

const linkOn = (terminal: ReturnType<typeof atTerminal>) =>
  until("the link is shown", () => linkIn(terminal.screen()));

/** A connection that the browser opened ahead of need and never uses. Resolves when the other side has ended it. */
async function spareConnection(port: number): Promise<{ isClosed(): boolean }> {
  let isClosed = false;
  const socket = open(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket
    .on("error", () => {})
    .once("close", () => {
      isClosed = true;
    });
  await once(socket, "connect");
  return { isClosed: () => isClosed };
}

describe("the built program", () => {
  test("ends promptly once the page is out, whatever connections the browser still holds", async () => {
    const endsAfterMs = async () => {
      const world = await prepared();
      const program = await connecting(world);
      const redirect = await approve(program.link);
      const spare = await spareConnection(Number(new URL(redirect).port));
      const page = await follow(redirect);
      expect(page.body).toContain("HubSpot is connected");
      const connected = { code: 0, out: expect.stringContaining("[Connected]") };
      const tookMs = await msOf(async () => expect(await program.ended).toMatchObject(connected));
      await until("the spare connection is closed", spare.isClosed);
      return tookMs;
    };
    expect(await leastOf(3_000, endsAfterMs)).toBeLessThan(3_000);
  });

  test.each(["SIGINT", "SIGTERM"] as const)(
    "ends on %s while it waits, and nothing has changed",
    async (signal) => {
      const world = await prepared();
      const program = await connecting(world);
      program.child.kill(signal);
      const { code, out, err } = await program.ended;
      expect({ code, out }).toEqual({ code: 3, out: "" });
      expect(err).toContain("Error: Cancelled before consent was given. Nothing was changed");
      await expectNoConnection(world);
    },
  );

  test("ends with 130 when it is interrupted while HubSpot makes the code good", async () => {
    const world = await prepared();
    await world.portal.fault({ delayMs: 20_000, path: "/oauth/v3/token" });
    const program = await connecting(world);
    const page = follow(program.link).catch(() => null);
    await until("the code is on its way", async () => {
      return (await world.portal.requests({ from: "/oauth/v3/token" })).length > 0;
    });
    program.child.kill("SIGINT");
    expect(await program.ended).toMatchObject({
      code: 130,
      out: "",
      err: expect.not.stringContaining("bug"),
    });
    expect((await page)?.body).toContain("HubSpot was not connected");
    await expectNoConnection(world);
  });

  test.each([
    ["there is no screen", {}],
    ["its starter fails", { DISPLAY: ":0", PATH: "" }],
  ])("says so where no browser can be opened (%s), and what to type over SSH", async (_, env) => {
    const world = await prepared({ env });
    const program = launch(world, ["connect", "hubspot"]);
    await until("it tells", () => program.err().includes("No browser can be opened here. "));
    const link = linkIn(program.err()) ?? "";
    const { port } = new URL(new URL(link).searchParams.get("redirect_uri") ?? "");
    expect(program.err()).toContain(`ssh -N -L ${port}:127.0.0.1:${port} <this machine>`);
    expect(program.err()).toContain("jc-integrations connect hubspot --org acme --no-browser");
    await follow(link);
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  test("says nothing of it where a browser opens", async () => {
    const world = await prepared();
    const { err } = await world.run(["connect", "hubspot"]);
    expect(err).not.toContain("No browser");
  });

  test("goes on waiting for the browser when its input ends", async () => {
    const world = await prepared();
    const program = await connecting(world);
    program.child.stdin?.end("that is all\n");
    await until("the last line was read", () => program.err().includes("That is no address"));
    await follow(program.link);
    expect(await program.ended).toMatchObject({ code: 0 });
  });

  test("takes the address that is pasted, and ends though its input stays open", async () => {
    const world = await prepared();
    const program = await connecting(world);
    program.child.stdin?.write(`${await approve(program.link)}\n`);
    expect(await program.ended).toMatchObject({ code: 0, out: expect.stringContaining("[Connected]") });
  });
});

describe.skipIf(missing !== null)(
  `at a terminal${missing === null ? "" : ` (${missing} is missing)`}`,
  () => {
    test("connect counts down, takes a pasted address, and leaves a clean screen", async () => {
      const world = await prepared();
      const terminal = atTerminal(world, ["connect", "hubspot", "--no-browser"]);
      const link = await linkOn(terminal);
      await terminal.shows("s left");
      terminal.type(`${await approve(link)}\r`);
      expect(await terminal.ended).toBe(0);
      expect(terminal.screen()).toContain("Connected");
      expect((await statusOf(world)).state).toBe("connected");
    });

    test("without a browser here it says so, and takes the address that another machine's ends at", async () => {
      const world = await prepared();
      const terminal = atTerminal(world, ["connect", "hubspot"]);
      const link = await linkOn(terminal);
      await terminal.shows("No browser can be opened here. Open the link where a browser is, and paste");
      await terminal.shows("ssh -N -L ");
      terminal.type(`${await approve(link)}\r`);
      expect(await terminal.ended).toBe(0);
    });

    test("Ctrl-C ends it, and nothing has changed", async () => {
      const world = await prepared();
      const terminal = atTerminal(world, ["connect", "hubspot", "--no-browser"]);
      await linkOn(terminal);
      terminal.type("\u0003");
      expect(await terminal.ended).toBe(3);
      expect(terminal.screen()).toContain("Nothing was changed");
      await expectNoConnection(world);
    });

    test("closing the window ends it, and nothing has changed", async () => {
      const world = await prepared();
      const terminal = atTerminal(world, ["connect", "hubspot", "--no-browser"]);
      const link = await linkOn(terminal);
      await terminal.close();
      await expect(follow(link)).rejects.toThrow("ECONNREFUSED");
      await expectNoConnection(world);
    });

    test.each([
      ["n", 3, PORTAL],
      ["\u0003", 3, PORTAL],
      ["y", 0, OTHER_PORTAL],
    ])("another account than before is asked about, and %j decides", async (answer, code, portal) => {
      const world = await connected();
      const before = await tokensOf(world);
      await world.portal.settings({ portalId: OTHER_PORTAL });
      const terminal = atTerminal(world, ["connect", "hubspot", "--no-browser"]);
      const page = follow(await linkOn(terminal)).catch(() => null);
      await terminal.shows("Connect to this account?");
      expect(terminal.screen()).toContain(`This is account ${OTHER_PORTAL} (`);
      terminal.type(answer === "\u0003" ? answer : `${answer}\r`);
      expect(await terminal.ended).toBe(code);
      expect((await page)?.body).toContain(code === 0 ? "HubSpot is connected" : "HubSpot was not connected");
      expect((await statusOf(world)).account).toContain(String(portal));
      expect((await tokensOf(world)).accessToken === before.accessToken).toBe(code !== 0);
    });
  },
);
