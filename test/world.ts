/** A fresh world for each test: a directory, a configuration, a sealed vault, an emulator, and a person with a browser. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { Webhook } from "standardwebhooks";
import { onTestFinished } from "vitest";
import { type Emulator, startEmulator } from "../src/emulator/emulator.ts";
import { main } from "../src/main.ts";
import { type Clock, systemClock } from "../src/shared/clock.ts";
import type { Environment } from "../src/shared/config.ts";
import { dist } from "./built.ts";
import { removeTree, TEMPORARY } from "./directory.ts";
import { type Emulated, type EmulatedHubspot, emulated } from "./emulated.ts";
import { follow, type Visit } from "./oauth/browser.ts";

export const ORG = "acme";
export const CLIENT_SECRET = "the-secret-of-our-app";
export const WEBHOOK_SECRET = `whsec_${Buffer.from("the receiver's first secret").toString("base64")}`;

/** How one command line ended. */
export interface Run {
  code: number;
  out: string;
  err: string;
  /** What stdout says as JSON; undefined when it is none. */
  json: unknown;
}

/** A command line that runs until it is told to stop, as `serve` does. */
export interface Running {
  out(): string;
  err(): string;
  /** As Ctrl-C or SIGTERM does. */
  stop(): Promise<Run>;
  done: Promise<Run>;
}

export interface RunOptions {
  stdin?: string | AsyncIterable<string | Buffer>;
  env?: Environment;
  /** Are stdout and stderr a terminal? */
  isTerminal?: boolean;
  /** Its width; 100 unless given. */
  columns?: number;
}

export interface World {
  dir: string;
  stateDir: string;
  configFile: string;
  /** The environment the program sees: where configuration and state rest, and what the test adds. */
  env: Environment;
  emulator: Emulator;
  portal: EmulatedHubspot;
  smartrecruiters: Emulated["smartrecruiters"];
  telegram: Emulated["telegram"];
  clock: Clock;
  /** What the browser ended at, each time the program opened it. */
  visits: Visit[];
  run(argv: readonly string[], options?: RunOptions): Promise<Run>;
  start(argv: readonly string[], options?: RunOptions): Running;
  /** Writes a file of NDJSON and returns its path. */
  file(name: string, lines: readonly (object | string)[]): string;
}

export interface WorldOptions {
  clock?: Clock;
  /** Sets configuration keys as an operator may: `{ JC_SCHEDULE_SWEEP_AT: "03:00" }`. */
  env?: Environment;
  /** Does the portal's admin say yes at once? Yes unless told otherwise. */
  autoApprove?: boolean;
}

export async function freshWorld(options: WorldOptions = {}): Promise<World> {
  const clock = options.clock ?? systemClock;
  const dir = mkdtempSync(join(TEMPORARY, "jc-world-"));
  const { autoApprove = true } = options;
  const emulator = await startEmulator({ port: 0, autoApprove, hubspotLimit: "none", clock });
  const running = new Set<Running>();
  onTestFinished(async () => {
    await Promise.all([...running].map((each) => each.stop()));
    await emulator.close();
    removeTree(dir);
  });

  const configFile = join(dir, "config.toml");
  writeFileSync(configFile, configuration({ dir, emulator, redirectPort: await freePort() }));
  const stateDir = join(dir, "state");
  const env = { JC_CONFIG: configFile, JC_STATE_DIR: stateDir, ...options.env };
  const visits: Visit[] = [];

  const start = (argv: readonly string[], options: RunOptions = {}): Running => {
    const { stdin = "", env: more = {}, isTerminal = false, columns = 100 } = options;
    const shown = { out: "", err: "" };
    const interrupt = new AbortController();
    const ended = main(argv, {
      io: {
        out: (text) => {
          shown.out += text;
        },
        err: (text) => {
          shown.err += text;
        },
        lost: () => ({ lines: 0, isOver: true }),
        stdin: Readable.from(typeof stdin === "string" ? [stdin] : stdin),
        stderr: new PassThrough(),
        stdinIsTerminal: false,
        stdoutIsTerminal: isTerminal,
        stderrIsTerminal: isTerminal,
        columns: () => columns,
      },
      env: { ...env, ...more },
      platform: process.platform,
      nodePath: process.execPath,
      clock,
      signal: interrupt.signal,
      keepRunning: () => {},
      takeHanded: () => ({ sockets: new Map(), notify: null, watchdogMs: null }),
      // A browser that meets a closed door shows its own error page, and nobody else learns of it.
      openBrowser: (url) =>
        void follow(url).then(
          (visit) => visits.push(visit),
          () => {},
        ),
      get distUrl() {
        return dist();
      },
      cwd: dir,
    });
    const done = ended.then((code): Run => {
      running.delete(each);
      return { code, ...shown, json: jsonOrUndefined(shown.out) };
    });
    const each: Running = {
      out: () => shown.out,
      err: () => shown.err,
      stop: () => {
        interrupt.abort(new DOMException("SIGTERM", "AbortError"));
        return done;
      },
      done,
    };
    running.add(each);
    return each;
  };

  const { hubspot: portal, smartrecruiters, telegram } = emulated(emulator);
  return {
    dir,
    stateDir,
    configFile,
    env,
    emulator,
    portal,
    smartrecruiters,
    telegram,
    clock,
    visits,
    run: (argv, more) => start(argv, more).done,
    start,
    file: (name, lines) => {
      const path = join(dir, name);
      writeFileSync(path, ndjson(lines));
      return path;
    },
  };
}

/** A world in which all is set for the first connect. */
export async function prepared(options: WorldOptions = {}): Promise<World> {
  const world = await freshWorld(options);
  await prepare(world);
  return world;
}

/** A world whose org has its secrets set and is connected to the emulator's portal. */
export async function connected(options: WorldOptions = {}): Promise<World> {
  const world = await freshWorld(options);
  await connect(world);
  return world;
}

async function prepare(world: World): Promise<void> {
  await succeed(world, ["secrets", "set", "hubspot.client-secret"], CLIENT_SECRET);
  await succeed(world, ["secrets", "set", "jobcannon.webhook-secret"], WEBHOOK_SECRET);
}

/** What the operator types on the first day. */
export async function connect(world: World): Promise<void> {
  await prepare(world);
  await succeed(world, ["connect", "hubspot"]);
}

/** Runs what the test takes for granted. */
export async function succeed(world: World, argv: readonly string[], stdin = ""): Promise<Run> {
  const run = await world.run(argv, { stdin });
  if (run.code !== 0) throw new Error(`${argv.join(" ")} ended with ${run.code}: ${run.err}`);
  return run;
}

export async function importResults(world: World, events: readonly object[]): Promise<void> {
  await succeed(world, ["invites", "import", world.file("events.ndjson", events)]);
}

/** The body of an invite's webhook, and one line of an import. */
export interface InviteEvent {
  type: string;
  timestamp: string;
  data: {
    invitation_id: string;
    org: string;
    status?: string;
    sent_at?: string | null;
    completed_at?: string | null;
    candidate: { email: string; first_name: string; last_name: string };
    tests: InviteTest[];
    result_url?: string | null;
    source?: object;
  };
}

export interface InviteTest {
  slug: string;
  status: string;
  completed_at?: string;
  result?: object;
}

const PEOPLE = [
  ["Maya", "Lindqvist"],
  ["Tomás", "Arriaga"],
  ["Ingrid", "Solheim"],
  ["Kwame", "Boateng"],
  ["Yuki", "Tanabe"],
  ["Olena", "Hrytsenko"],
] as const;

let invitations = 0;

/** The next candidate's invitation with a finished DISC test, changed where the test says. */
export function invite(
  changes: Partial<InviteEvent["data"]> & { type?: string; timestamp?: string; email?: string } = {},
): InviteEvent {
  invitations += 1;
  const [first, last] = PEOPLE[invitations % PEOPLE.length] ?? PEOPLE[0];
  const { type = "invite.completed", timestamp = "2024-05-15T10:15:00Z", email, ...data } = changes;
  return {
    type,
    timestamp,
    data: {
      // Where all else is equal the greater id wins, as text.
      invitation_id: `inv_${String(invitations).padStart(7, "0")}`,
      org: ORG,
      sent_at: "2024-05-13T09:00:00Z",
      candidate: {
        email: email ?? `${last.toLowerCase()}.${invitations}@example.org`,
        first_name: first,
        last_name: last,
      },
      tests: [disc()],
      ...data,
    },
  };
}

export function disc(scores: readonly [number, number, number, number] = [68, 41, 55, 80]): InviteTest {
  const names = ["Dominance", "Influence", "Steadiness", "Conscientiousness"];
  const dimensions = names.map((name, index) => ({ name, score: scores[index] }));
  return {
    slug: "disc",
    status: "completed",
    completed_at: "2024-05-15T10:01:00Z",
    result: { dimensions, duration_seconds: 245 },
  };
}

/** What `disc()` looks like on a contact. */
export const DISC_SCORES = { jc_disc_d: "68", jc_disc_i: "41", jc_disc_s: "55", jc_disc_c: "80" };

let messages = 0;

/** The headers of a webhook as JobCannon sends it, signed by the published library of the scheme. */
export function sign(
  body: string | Buffer,
  secret: string = WEBHOOK_SECRET,
  { id, at = Date.now() }: { id?: string; at?: number } = {},
): Record<string, string> {
  messages += 1;
  const messageId = id ?? `msg_${messages}`;
  return {
    "content-type": "application/json",
    "webhook-id": messageId,
    "webhook-timestamp": String(Math.floor(at / 1000)),
    "webhook-signature": new Webhook(secret).sign(messageId, new Date(at), body),
  };
}

export function ndjson(lines: readonly (object | string)[]): string {
  return lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join("");
}

/** No machine is that slow: what has not come true by then does not. */
const PATIENCE_MS = 90_000;

/**
 * Waits for what must come true, looking again and again; says `what` did not when the time is over. Looks that take
 * long are made seldom, so that waiting costs little beside what is waited for.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  withinMs = PATIENCE_MS,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const beganAt = performance.now();
    const seen = await look();
    if (seen !== false && seen !== null && seen !== undefined)
      return seen as Exclude<T, false | null | undefined>;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await systemClock.sleep(Math.min(10 + 4 * (performance.now() - beganAt), 250));
  }
}

function configuration(options: { dir: string; emulator: Emulator; redirectPort: number }): string {
  const { dir, emulator, redirectPort } = options;
  return `org = "${ORG}"
[hubspot]
client_id = "app-1"
api_base = "${emulator.hubspot}"
authorize_url = "${emulator.hubspot}/oauth/authorize"
redirect_port = ${redirectPort}
tier = "none"
[serve]
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
[vault]
backend = "sealed"
key_file = ${JSON.stringify(join(dir, "vault.key"))}
`;
}

/** A port that is free now, from the range out of which the system hands out none by itself. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
