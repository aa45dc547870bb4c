/** The built program in a process of its own: at a terminal, without one, and how it ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect as open } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { launch, type Program } from "../end-to-end/program.ts";
import { follow } from "../oauth/browser.ts";
import { connected, prepared, until, type World } from "../world.ts";
import { approve, expectNoConnection, linkIn, OTHER_PORTAL, PORTAL, statusOf, tokensOf } from "./world.ts";
import { dist } from "../built.ts";

dist();

const BIN = fileURLToPath(new URL("../../bin/jc-integrations.js", import.meta.url));

/** Starts `connect` in the background of the test and waits until it has shown its link. */
async function connecting(world: World): Promise<Program & { link: string }> {
  const program = launch(world, ["connect", "hubspot", "--no-browser"]);
  return { ...program, link: await until("the link is shown", () => linkIn(program.err())) };
}

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
    const world = await prepared();
    const program = await connecting(world);
    const redirect = await approve(program.link);
    const spare = await spareConnection(Number(new URL(redirect).port));
    const page = await follow(redirect);
    const fetchedAt = performance.now();
    expect(page.body).toContain("HubSpot is connected");
    expect(await program.ended).toMatchObject({ code: 0, out: expect.stringContaining("[Connected]") });
    expect(performance.now() - fetchedAt).toBeLessThan(3_000);
    await until("the spare connection is closed", spare.isClosed);
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

const hasScript = (process.env.PATH ?? "")
  .split(delimiter)
  .some((directory) => existsSync(join(directory, "script")));
const missing = hasScript || process.env.JC_TEST_ALL_PARTS === "1" ? null : "script";

/** The program on a terminal of its own, and what a person sees and types there. */
function atTerminal(world: World, argv: readonly string[]) {
  const pidFile = join(world.dir, "pid");
  const quoted = [process.execPath, BIN, ...argv].map((word) => `'${word}'`).join(" ");
  const script = spawn("script", ["-qefc", `echo $$ > '${pidFile}'; exec ${quoted}`, "/dev/null"], {
    env: { PATH: process.env.PATH, HOME: world.dir, TERM: "xterm", SHELL: "/bin/sh", ...world.env },
  });
  let screen = "";
  for (const stream of [script.stdout, script.stderr])
    stream.on("data", (chunk) => {
      screen += chunk;
    });
  const ended = once(script, "close").then(([code]: unknown[]) => code);
  onTestFinished(async () => {
    script.kill("SIGKILL");
    await ended;
  });
  return {
    ended,
    shows: (text: string) => until(`the terminal shows "${text}"`, () => screen.includes(text)),
    screen: () => screen,
    type: (keys: string) => script.stdin.write(keys),
    link: () => until("the link is shown", () => linkIn(screen)),
    /** As when its window is closed: the program's own end is all that is left to see. */
    close: async () => {
      const pid = Number(readFileSync(pidFile, "utf8"));
      script.kill("SIGKILL");
      await until("the program has ended", () => !isRunning(pid));
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    // Without a signal it only asks. A process that has ended but was not reaped yet is a zombie, state Z.
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

describe.skipIf(missing !== null)(
  `at a terminal${missing === null ? "" : ` (${missing} is missing)`}`,
  () => {
    test("connect counts down, takes a pasted address, and leaves a clean screen", async () => {
      const world = await prepared();
      const terminal = atTerminal(world, ["connect", "hubspot", "--no-browser"]);
      const link = await terminal.link();
      await terminal.shows("s left");
      terminal.type(`${await approve(link)}\r`);
      expect(await terminal.ended).toBe(0);
      expect(terminal.screen()).toContain("Connected");
      expect((await statusOf(world)).state).toBe("connected");
    });

    test("Ctrl-C ends it, and nothing has changed", async () => {
      const world = await prepared();
      const terminal = atTerminal(world, ["connect", "hubspot", "--no-browser"]);
      await terminal.link();
      terminal.type("\u0003");
      expect(await terminal.ended).toBe(3);
      expect(terminal.screen()).toContain("Nothing was changed");
      await expectNoConnection(world);
    });

    test("closing the window ends it, and nothing has changed", async () => {
      const world = await prepared();
      const terminal = atTerminal(world, ["connect", "hubspot", "--no-browser"]);
      const link = await terminal.link();
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
      const page = follow(await terminal.link()).catch(() => null);
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
