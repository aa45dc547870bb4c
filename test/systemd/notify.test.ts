/** The built `serve` and a service manager's socket: each datagram as a manager would read it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createNotify } from "../../src/systemd/notify.ts";
import { temporaryDirectory } from "../directory.ts";
import { BIN } from "../end-to-end/program.ts";
import { prepared, until } from "../world.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/with-notify-socket.pl", import.meta.url));
const missing = ["perl", "systemd-notify"].find((name) => spawnSync(name, ["--version"]).status !== 0);
const isAble = process.env.JC_TEST_ALL_PARTS === "1" || missing === undefined;

test.skipIf(!isAble).each([
  ["a path", () => join(temporaryDirectory(), "notify")],
  ["an abstract name", () => `@jc-${randomUUID()}`],
])(
  "through a socket with %s it says that it starts, is ready, reloads, lives and stops",
  async (_, nameOf) => {
    const manager = await managerAt(nameOf());
    const world = await prepared();
    const env = {
      PATH: process.env.PATH,
      ...world.env,
      NOTIFY_SOCKET: manager.socket,
      WATCHDOG_USEC: "600000",
    };
    const service = spawn("perl", [LAUNCHER, process.execPath, BIN, "serve"], { env, stdio: "ignore" });
    kept(service);
    await until("it is ready", () => manager.heard.includes("READY=1"));
    expect(manager.heard[0]).toMatch(/^STATUS=Opens the log/);
    await until("it lives", () => manager.heard.filter((each) => each === "WATCHDOG=1").length > 2);
    await until("it says how it does", () =>
      manager.heard.some((each) =>
        /^STATUS=Listens on 127\.0\.0\.1:\d+; no account is connected yet$/.test(each),
      ),
    );

    const [before, first] = [process.hrtime.bigint() / 1_000n, manager.heard.length];
    service.kill("SIGHUP");
    const reloading = await until("it reloads", () =>
      manager.heard.find((each) => each.startsWith("RELOADING=1")),
    );
    expect(Number(/MONOTONIC_USEC=(\d+)$/.exec(reloading)?.[1])).toBeGreaterThan(Number(before));
    await until("it is ready again", () => manager.heard.slice(first).includes("READY=1"));

    service.kill("SIGTERM");
    const [code] = await once(service, "exit");
    expect(code).toBe(0);
    await until("it said that it stops", () =>
      manager.heard.some((each) => /^STOPPING=1\|STATUS=/.test(each)),
    );
  },
);

test.skipIf(!isAble)("without an open socket, by systemd-notify in the same words and order", async () => {
  const { socket, heard } = await managerAt(join(temporaryDirectory(), "notify"));
  const notify = createNotify({ socket, descriptor: null }, (text) => text.replace("s3cret", "[redacted]"));
  notify({ STATUS: "one\nwith s3cret" });
  notify({ READY: "1", STATUS: "two" });
  notify({ WATCHDOG: "1" });
  await until("all is heard", () => heard.includes("WATCHDOG=1"));
  expect(heard.filter((each) => !each.startsWith("BARRIER"))).toEqual([
    "STATUS=one with [redacted]",
    "READY=1|STATUS=two",
    "WATCHDOG=1",
  ]);
});

test.skipIf(!isAble)("a manager that is not there keeps nothing from running", () => {
  const env = { PATH: process.env.PATH, NOTIFY_SOCKET: "/nowhere/notify", JC_NOTIFY_FD: "7" };
  const command = [LAUNCHER, "sh", "-c", "printenv JC_NOTIFY_FD || echo none"];
  const { stdout, status } = spawnSync("perl", command, { env, encoding: "utf8" });
  expect([stdout, status]).toEqual(["none\n", 0]);
});

/** Ends with the test. */
function kept(child: ChildProcess): void {
  onTestFinished(() => void child.kill("SIGKILL"));
}

/** Keeps each datagram as one line, with `|` between its own. */
async function managerAt(socket: string): Promise<{ socket: string; heard: string[] }> {
  const listen = `use Socket; $| = 1; my $n = shift; $n =~ s/^@/\\0/;
    socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, pack_sockaddr_un($n)) or die $!;
    print "listens\\n"; while (defined recv(S, my $m, 4096, 0)) { $m =~ s/\\n(?!\\z)/|/g; chomp $m; print "$m\\n" }`;
  const child = spawn("perl", ["-e", listen, socket], { stdio: ["ignore", "pipe", "inherit"] });
  kept(child);
  const heard: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => heard.push(line));
  await until("the manager listens", () => heard.shift() === "listens");
  return { socket, heard };
}
