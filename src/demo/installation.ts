import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, openApp } from "../app.ts";
import type { World } from "../shared/world.ts";
import type { Connection, Environment } from "../core/connection.ts";
import { type Emulator, startEmulator } from "../emulator/emulator.ts";
import { connect } from "../flows/connect/connect.ts";
import { addSecret, setSecret } from "../vault/secrets.ts";
import { AppError } from "../shared/errors.ts";
import { secret } from "../shared/secret.ts";
import type { Store } from "../store/contract/store.ts";
import { emulatedLines, VENDORS } from "../vendors/index.ts";
import { visit } from "./browser.ts";

/** A world for one run: the emulator, and the real program on a state directory that is gone afterwards. */
export interface Installation {
  dir: string;
  emulator: Emulator;
  app: App;
  /** Ends with the operator's Ctrl-C, or with the installation. */
  stop: AbortController;
  /** Where its receiver is to listen, for JobCannon and the vendors alike. */
  url: string;
  /** With which JobCannon signs. */
  webhookSecret: string;
  /** Takes everything down again. */
  remove(): Promise<void>;
}

export interface InstallOptions {
  org: string;
  /** Parts a directory's name. */
  name: string;
  environment: Environment;
  /** The client secrets that are set, by vendor. */
  vendors: readonly string[];
  /** The versions of their APIs that are to be spoken, by vendor. */
  apiVersions?: Readonly<Record<string, string>>;
  /** Further variables of the program's, for what the emulator plays beside. */
  env?(emulator: Emulator): Readonly<Record<string, string>>;
}

const WEBHOOK_SECRET = `whsec_${Buffer.from("invented for the demo, 32 bytes!").toString("base64")}`;

function temporaryDirectory(name: string): string {
  try {
    return mkdtempSync(join(tmpdir(), `jc-integrations-${name}-`));
  } catch (cause) {
    throw new AppError(
      "USAGE",
      `no directory can be made in ${tmpdir()}${cause instanceof Error ? `: ${cause.message.split(",")[0]}` : ""}`,
      {
        hint: "Set TMPDIR to a directory that you may write in, as TMPDIR=/tmp",
        cause,
      },
    );
  }
}

export async function installForAWhile(world: World, options: InstallOptions): Promise<Installation> {
  const { org, name, environment, vendors } = options;
  const dir = temporaryDirectory(name);
  const stop = new AbortController();
  const onSignal = () => stop.abort(world.signal.reason);
  world.signal.addEventListener("abort", onSignal);
  if (world.signal.aborted) onSignal();
  const closers: (() => unknown)[] = [
    () => rmSync(dir, { recursive: true, force: true }),
    () => world.signal.removeEventListener("abort", onSignal),
  ];
  const remove = async () => {
    stop.abort();
    for (const close of closers.reverse()) await close();
  };
  try {
    const listenPort = await freePort();
    const redirectPorts = new Map<string, number>();
    for (const { vendor } of VENDORS) redirectPorts.set(vendor, await freePort());
    const url = `http://127.0.0.1:${listenPort}`;
    const emulator = await startEmulator({
      port: 0,
      autoApprove: true,
      jobcannonUrl: url,
      jobcannonSecret: WEBHOOK_SECRET,
      jobcannonOrg: org,
    });
    closers.push(() => emulator.close());
    const config = join(dir, "config.toml");
    writeFileSync(config, configuration({ ...options, dir, emulator, listenPort, redirectPorts }), {
      mode: 0o600,
    });
    const env = { ...options.env?.(emulator), JC_CONFIG: config, JC_STATE_DIR: join(dir, "state") };
    const app = openApp({ ...world, env }, { color: true, input: false });
    closers.push(() => app.close());
    const vault = await app.vault();
    const clientSecret = secret("demo-client-secret");
    for (const vendor of vendors)
      await setSecret(vault, { org: null, environment, name: `${vendor}.client-secret` }, clientSecret);
    const jobcannon = { org: null, environment: "production", name: "jobcannon.webhook-secret" } as const;
    await addSecret(vault, jobcannon, secret(WEBHOOK_SECRET));
    return { dir, emulator, app, stop, url, webhookSecret: WEBHOOK_SECRET, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function configuration(
  at: InstallOptions & {
    dir: string;
    emulator: Emulator;
    listenPort: number;
    redirectPorts: ReadonlyMap<string, number>;
  },
): string {
  const { org, dir, emulator, listenPort, redirectPorts, environment, apiVersions = {} } = at;
  const prefix = environment === "sandbox" ? "sandbox." : "";
  const urls: Readonly<Record<string, string>> = emulator.urls;
  const sections = VENDORS.filter(({ destination }) => destination).flatMap((declared) => [
    `[${prefix}${declared.vendor}]`,
    'client_id = "demo"',
    ...emulatedLines(declared, urls[declared.vendor] ?? ""),
    `redirect_port = ${redirectPorts.get(declared.vendor)}`,
    ...Object.entries(apiVersions).flatMap(([vendor, version]) =>
      vendor === declared.vendor ? [`api_version = "${version}"`] : [],
    ),
  ]);
  return `org = "${org}"
${sections.join("\n")}
[serve]
listen = "127.0.0.1:${listenPort}"
admin_listen = "none"
public_url = "http://127.0.0.1:${listenPort}"
[vault]
backend = "sealed"
key_file = ${JSON.stringify(join(dir, "vault-key"))}
[log]
level = "error"
`;
}

/** From below the range out of which the system hands out ports by itself, so that nobody gets it in between. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer().once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** As an admin does who approves at once. */
export async function connectEmulated(
  { app, stop }: Installation,
  store: Store,
  { org, vendor, environment }: { org: string; vendor: string; environment: Environment },
): Promise<Connection> {
  const destination = await app.destination({ org, vendor, environment });
  const { signal } = stop;
  const { connection, fieldsProblem } = await connect(
    {
      clock: app.clock,
      http: await app.http(),
      store,
      vault: await app.vault(),
      tokens: await app.tokens(),
      destination,
      config: app.config,
      accessTo: (to) => app.access(to, { store, signal }),
    },
    {
      org,
      environment,
      signal,
      accountId: null,
      allowsCrossRegion: false,
      confirmOtherAccount: async () => false,
      // The browser here follows the redirects, as a person's would.
      consent: { onUrl: () => {}, openBrowser: visit },
    },
  );
  if (fieldsProblem) throw fieldsProblem;
  return connection;
}
