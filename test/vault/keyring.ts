import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { dist } from "../built.ts";
import { removeTree } from "../directory.ts";

dist();

type Env = Record<string, string>;

/** A real GNOME keyring on a session bus of its own, unlocked, ending with the test. */
export async function startKeyring(): Promise<{ env: Env; lock(): Promise<void>; unlock(): Promise<void> }> {
  const home = mkdtempSync(join(tmpdir(), "jc-keyring-"));
  const running: ChildProcess[] = [];
  onTestFinished(async () => {
    await Promise.all(running.reverse().map(end));
    removeTree(home);
  });
  const base = { HOME: home, XDG_RUNTIME_DIR: home, PATH: process.env.PATH ?? "" };
  const bus = spawn("dbus-daemon", ["--session", "--nofork", "--print-address=1"], { env: base });
  running.push(bus);
  const [address] = await once(bus.stdout.setEncoding("utf8"), "data");
  const env = { ...base, DBUS_SESSION_BUS_ADDRESS: String(address).trim() };
  const gdbus = (...words: string[]) => promisify(execFile)("gdbus", words, { env });
  /** As a sign-in does. */
  const signIn = async () => {
    const options = ["--foreground", "--unlock", "--components=secrets"];
    const daemon = spawn("gnome-keyring-daemon", options, { env });
    running.push(daemon);
    daemon.stdin.end("password");
    await gdbus("wait", "--session", "--timeout", "10", "org.freedesktop.secrets");
    return daemon;
  };
  let daemon = await signIn();
  const secretService = ["--dest", "org.freedesktop.secrets", "--object-path", "/org/freedesktop/secrets"];
  const lock = ["--method", "org.freedesktop.Secret.Service.Lock", LOGIN_COLLECTION];
  return {
    env,
    lock: async () => void (await gdbus("call", "--session", ...secretService, ...lock)),
    unlock: async () => {
      await end(daemon);
      daemon = await signIn();
    },
  };
}

const LOGIN_COLLECTION = "['/org/freedesktop/secrets/collection/login']";

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** A session bus that takes connections and never says a word. */
export async function startSilentBus(): Promise<Env> {
  const home = mkdtempSync(join(tmpdir(), "jc-silent-"));
  const path = join(home, "bus");
  const server = createServer((socket) => socket.on("error", () => {})).listen(path);
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    removeTree(home);
  });
  return { HOME: home, PATH: process.env.PATH ?? "", DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` };
}

/** The same bus behind a door that stays shut until it is opened, as a keychain that waits for its dialog. */
export async function behindDialog(session: Env): Promise<{ env: Env; unlock(): void }> {
  const behind = /unix:(?:path|abstract)=([^,]+)/.exec(session.DBUS_SESSION_BUS_ADDRESS ?? "");
  const target = `${behind?.[0].startsWith("unix:abstract") ? "\0" : ""}${behind?.[1] ?? ""}`;
  const silent = mkdtempSync(join(tmpdir(), "jc-dialog-"));
  const waiting: Socket[] = [];
  let isOpen = false;
  const pass = (socket: Socket) => {
    const bus = connect(target);
    for (const end of [socket, bus]) end.on("error", () => {});
    socket.pipe(bus).pipe(socket);
  };
  const server = createServer((socket) => {
    if (isOpen) return pass(socket);
    socket.on("error", () => {});
    waiting.push(socket);
  }).listen(join(silent, "bus"));
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    removeTree(silent);
  });
  return {
    env: { ...session, DBUS_SESSION_BUS_ADDRESS: `unix:path=${join(silent, "bus")}` },
    unlock: () => {
      isOpen = true;
      waiting.forEach(pass);
    },
  };
}

/** What this machine lacks for a real keychain; null when nothing is missing, or when everything has to run. */
export function missingForKeychain(): string | null {
  if (process.env.JC_TEST_ALL_PARTS === "1") return null;
  if (process.platform !== "linux") return "a Linux keyring";
  const onPath = (name: string) =>
    (process.env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, name)));
  const missing = ["dbus-daemon", "gnome-keyring-daemon", "gdbus"].filter((name) => !onPath(name));
  return missing[0] ?? (canLoadKeytar() ? null : "keytar with libsecret");
}

function canLoadKeytar(): boolean {
  try {
    const path = createRequire(import.meta.url).resolve("keytar");
    execFileSync(process.execPath, ["-e", `require(${JSON.stringify(path)})`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
