/** The built program in processes of its own, in the world of a test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { request } from "undici";
import { onTestFinished } from "vitest";
import { addressIn } from "../daemon/serving.ts";
import { type InviteEvent, sign, until, type World } from "../world.ts";
import { dist } from "../built.ts";

dist();

export const BIN = fileURLToPath(new URL("../../bin/jc-integrations.js", import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

export interface Program {
  child: ChildProcess;
  out(): string;
  err(): string;
  /** Whatever way it ends. */
  ended: Promise<Ended>;
}

export interface LaunchOptions {
  /** What a shell is to do before it becomes the program, as `ulimit -f 100`. */
  shell?: string;
  /** The program in another place than this checkout. */
  bin?: string;
}

export function launch(world: World, argv: readonly string[], options: LaunchOptions = {}): Program {
  const command = [process.execPath, options.bin ?? BIN, ...argv];
  const child = options.shell
    ? spawn("sh", ["-c", `${options.shell}; exec "$@"`, "sh", ...command], { env: environment(world) })
    : spawn(command[0] ?? "", command.slice(1), { env: environment(world) });
  // What it has not read when it ends is refused to us.
  child.stdin.on("error", () => {});
  const shown = { out: "", err: "" };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8");
  child.stdout.on("data", (chunk) => {
    shown.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    shown.err += chunk;
  });
  const ended = once(child, "close").then(
    ([code, signal]): Ended => ({ code, signal, out: shown.out, err: shown.err }),
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return { child, out: () => shown.out, err: () => shown.err, ended };
}

export interface Service extends Program {
  url: string;
  /** Of the admin listener. */
  adminUrl: string;
}

/** `serve`, once it listens. */
export async function launchService(world: World, options: LaunchOptions = {}): Promise<Service> {
  const program = launch(world, ["serve", "--json"], options);
  const address = await until("serve listens", () => {
    if (program.child.exitCode !== null) throw new Error(`serve ended: ${program.err()}`);
    return addressIn(program.out());
  });
  const { admin } = JSON.parse(program.out());
  return { ...program, url: `http://${address}`, adminUrl: `http://${admin}` };
}

/** Sends one webhook as JobCannon does, to whatever listens there now; null when nobody answers. */
export async function send(
  url: string,
  event: InviteEvent,
  { id }: { id?: string } = {},
): Promise<Answer | null> {
  const body = JSON.stringify(event);
  const headers = sign(body, undefined, id === undefined ? {} : { id });
  try {
    return await post(`${url}/jobcannon/events`, { headers, body });
  } catch {
    return null;
  }
}

interface Answer {
  status: number;
  /** Names in lower case. */
  headers: Record<string, string | string[] | undefined>;
}

/** As `fetch`, at a third of its price: senders by the thousand would else cost more than the program. */
export async function post(
  url: string,
  { headers, body }: { headers: Record<string, string>; body: string },
): Promise<Answer> {
  const answer = await request(url, { method: "POST", headers, body });
  await answer.body.dump();
  return { status: answer.statusCode, headers: answer.headers };
}

/** Sends it until it is acknowledged, as JobCannon does with what met 503 or nobody. */
export async function sendUntilTaken(url: string, event: InviteEvent, id: string): Promise<void> {
  await until(`${id} is taken`, async () => (await send(url, event, { id }))?.status === 202);
}

/** Waits until nothing is left to be delivered, and gives back what `status` says then. */
export async function allDelivered(world: World): Promise<unknown> {
  return await until("all is delivered", async () => {
    const { json, err } = await world.run(["status", "--json"]);
    if (err !== "") throw new Error(err);
    return pendingIn(json) === 0 ? json : null;
  });
}

function pendingIn(status: unknown): unknown {
  return Object(Object(status).pushes).pending;
}

export function environment(world: World): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, HOME: world.dir, ...world.env };
}
