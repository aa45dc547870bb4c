/** Where the demo plays: the real app on a state directory of its own, beside the emulated vendors. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, openApp } from "../app.ts";
import type { Output } from "../commands/with-app.ts";
import type { World } from "../commands/world.ts";
import type { Connection } from "../core/connection.ts";
import { type Emulator, startEmulator } from "../emulator/emulator.ts";
import { connect } from "../flows/connect.ts";
import { setSecret } from "../flows/secrets.ts";
import { secret } from "../shared/secret.ts";
import type { Store } from "../store/contract.ts";
import { visit } from "./browser.ts";

export const ORG = "demo";
const WEBHOOK_SECRET = `whsec_${Buffer.from("invented for the demo, 32 bytes!").toString("base64")}`;
const PATIENCE_MS = 15_000;

export interface Stage {
  app: App;
  store: Store;
  emulator: Emulator;
  output: Output;
  /** Where configuration and state rest. */
  dir: string;
  /** Where `serve` listens, for JobCannon and SmartRecruiters alike. */
  url: string;
  /** With which JobCannon signs. */
  webhookSecret: string;
  signal: AbortSignal;
}

/** Plays on a stage that is gone afterwards. */
export async function onStage(
  output: Output,
  signal: AbortSignal,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "jc-integrations-demo-"));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const emulator = await startEmulator({
    port: 0,
    autoApprove: true,
    jobcannonUrl: url,
    jobcannonSecret: WEBHOOK_SECRET,
    jobcannonOrg: ORG,
  });
  const world = await demoWorld(output.world, { dir, emulator, address });
  const app = openApp(world, { color: true, input: false });
  try {
    const vault = await app.vault();
    const keep = (name: string, text: string) =>
      setSecret(vault, { org: null, environment: "production", name }, secret(text));
    await keep("hubspot.client-secret", "demo-client-secret");
    await keep("smartrecruiters.client-secret", "demo-client-secret");
    await keep("jobcannon.webhook-secret", WEBHOOK_SECRET);
    const store = await app.threadedStore();
    await play({ app, store, emulator, output, dir, url, webhookSecret: WEBHOOK_SECRET, signal });
  } finally {
    await app.close();
    await emulator.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function demoWorld(
  world: World,
  { dir, emulator, address }: { dir: string; emulator: Emulator; address: string },
): Promise<World> {
  const config = join(dir, "config.toml");
  writeFileSync(
    config,
    `org = "${ORG}"
[hubspot]
client_id = "demo"
api_base = "${emulator.hubspot}"
authorize_url = "${emulator.hubspot}/oauth/authorize"
redirect_port = ${await freePort()}
[smartrecruiters]
client_id = "demo"
api_base = "${emulator.smartrecruiters}"
identity_base = "${emulator.smartrecruiters}"
redirect_port = ${await freePort()}
[serve]
listen = "${address}"
public_url = "http://${address}"
[vault]
backend = "sealed"
key_file = "${join(dir, "vault-key")}"
[log]
level = "error"
`,
    { mode: 0o600 },
  );
  return { ...world, env: { JC_CONFIG: config, JC_STATE_DIR: join(dir, "state") } };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** As `connect` does it; the browser of the demo follows the redirects, as a person's would. */
export async function connectTo(vendor: string, { app, store, signal }: Stage): Promise<Connection> {
  const destination = await app.destination({ org: ORG, vendor, environment: "production" });
  const { connection, fieldsProblem } = await connect(
    {
      clock: app.clock,
      http: await app.http(),
      store,
      vault: await app.vault(),
      tokens: await app.tokens(),
      destination,
      accessTo: (to) => app.access(to, { store, signal }),
    },
    {
      org: ORG,
      environment: "production",
      signal,
      confirmOtherAccount: async () => false,
      consent: { onUrl: () => {}, openBrowser: visit },
    },
  );
  if (fieldsProblem) throw fieldsProblem;
  return connection;
}

/** Until nothing waits to be delivered. */
export async function settled(stage: Stage): Promise<void> {
  const { app, store } = stage;
  await until("all is delivered", stage, async () => {
    const { connections } = await store.overview(ORG, app.clock.now());
    return connections.every(({ pushes }) => pushes.pending === 0);
  });
}

/** Looks again and again, and throws where it does not come true. */
export async function until(
  what: string,
  { app, signal }: Stage,
  isTrue: () => Promise<boolean>,
): Promise<void> {
  const endsAt = app.clock.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (app.clock.now() > endsAt) throw new Error(`${what}: not within ${PATIENCE_MS / 1_000} s`);
    await app.clock.sleep(20, signal);
  }
}

/** A call of the emulator's control, as a person at the vendor's own pages makes it. */
export async function control({ emulator }: Stage, path: string, body?: object): Promise<unknown> {
  const init = body && { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`${emulator.url}/_control${path}`, init);
  if (!answer.ok) throw new Error(`the emulator answered ${answer.status}: ${await answer.text()}`);
  return await answer.json();
}
