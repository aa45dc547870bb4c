import type { LookUpContext } from "../flows/intake/look-ups.ts";
import { tellSecretWarnings } from "../flows/watch/secret-warnings.ts";
import type { Tokens } from "../oauth/tokens.ts";
import { digestOf } from "../shared/digest.ts";
import { isAppError } from "../shared/errors.ts";
import type { Http } from "../shared/http.ts";
import type { Lost } from "../shared/io.ts";
import type { Log } from "../shared/log.ts";
import { openToOthers } from "../shared/private-files.ts";
import { BUILD, VERSION } from "../shared/version.ts";
import { withoutEffect } from "../shared/settings.ts";
import type { Store } from "../store/contract/store.ts";
import type { Vault } from "../vault/contract.ts";
import { rememberingSecrets } from "../vault/secrets.ts";
import type { VendorDeclaration } from "../vendors/contract/declaration.ts";
import type { Source } from "../vendors/contract/source.ts";
import { delivering } from "./delivering.ts";
import { connectionsWithinLimit, createDescriptorWatch } from "./descriptors.ts";
import { closeServer, listen } from "./listen.ts";
import { createConsentPages } from "./pages/consent-pages.ts";
import { createPresence } from "./presence.ts";
import { networks } from "./receiving/connections.ts";
import { createReceiver } from "./receiving/receiver.ts";
import { createRefusals } from "./receiving/refusals.ts";
import { createWebhookSecrets } from "./receiving/webhook-secrets.ts";
import { reloading } from "./reload.ts";
import { scheduledJobs } from "./scheduled-jobs.ts";
import { runScheduler } from "./scheduler.ts";
import { createQuietLog } from "./trouble/quiet-log.ts";
import { createRefusedDoors } from "./trouble/refused-doors.ts";
import { createAlarms } from "./trouble/alarms.ts";
import { everySecond } from "./trouble/every-second.ts";
import { createFaults } from "./trouble/faults.ts";
import { createIncidents } from "./trouble/incidents.ts";
import { createSecretWatch } from "./trouble/secret-watch.ts";
import { createStoreTrouble, type StoreTrouble } from "./trouble/store-trouble.ts";
import { createToldHolds, tellingLostLogins } from "./trouble/told-holds.ts";
import { createVaultWatch } from "./trouble/vault-watch.ts";
import { createWriteWatch } from "./trouble/write-watch.ts";

/** The service: receiver, scheduler and delivery in one process, until the signal aborts. */
export interface ServeContext extends LookUpContext {
  stateDir: string;
  log: Log;
  vendors: readonly VendorDeclaration[];
  sources(): Promise<readonly Source[]>;
  vault(): Promise<Vault>;
  http(): Promise<Http>;
  tokens(): Promise<Tokens>;
  threadedStore(): Promise<Store>;
  reload(): { text: string | null; keysForRestart: string[] };
}

/** The process that it is the whole purpose of. */
export interface OwnProcess {
  /** Where the program is installed. */
  directory: string;
  /** What of the log could not be written. */
  lost(): Lost;
  /** From here on no file of the program is opened, and SIGHUP calls back. */
  keepRunning(onReload: () => void): void;
}

export interface ServeOptions {
  signal: AbortSignal;
  onListening(address: string): void;
  /** None where another command serves for a while. */
  own?: OwnProcess;
}

const GUEST: OwnProcess = {
  directory: "",
  lost: () => ({ lines: 0, isOver: true }),
  keepRunning: () => {},
};

/** How long calls under way may take once we were told to stop; systemd's own patience is 90 s. */
const LAST_CALLS_MS = 10_000;

/**
 * Throws when a part of it dies: systemd starts it anew, and nothing acknowledged is lost by that. A store that becomes
 * full or locked ends nothing: senders hear 503, and all goes on when there is room.
 */
export async function serve(
  context: ServeContext,
  { signal, onListening, own = GUEST }: ServeOptions,
): Promise<void> {
  const { log, clock, config } = context;
  let runningText = config.text;
  const startedAt = clock.now();
  const facts = () => ({
    startedAt,
    version: VERSION,
    build: BUILD,
    directory: own.directory,
    config:
      config.file === null || runningText === null
        ? null
        : { file: config.file, digest: digestOf(runningText) },
  });
  for (const setting of withoutEffect(config, context.vendors)) log.warn(setting);
  for (const open of openToOthers(context.stateDir)) log.warn(open);
  const store = tellingLostLogins(await context.threadedStore(), log);
  const toldHolds = createToldHolds(store, log);
  const [vault, sources] = await Promise.all([context.vault(), context.sources()]);
  // What no waiting mends: a keychain module that this Node cannot load.
  await vault.read([]).catch((error: unknown) => {
    if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
  });
  const secretsOf = createWebhookSecrets({
    vault,
    clock,
    log,
    warn: (warnings) => tellSecretWarnings(context.stateDir, warnings),
  });
  const writes = createWriteWatch({ store, clock, onChange: () => faults.look() });
  const secretWatch = createSecretWatch({ ...context, store, sources, secretsOf });
  const faults = createFaults({
    ...context,
    store,
    writes,
    secrets: secretWatch,
    onUsable: () => void presence.tell(),
  });
  const told = createStoreTrouble({ clock, log, isTold: () => faults.storeRefuses() !== null });
  const trouble: StoreTrouble = {
    hear: (error) => {
      told.hear(error);
      // What the store says of itself it also takes back itself.
      if (faults.storeRefuses() === null) writes.hear(error);
    },
    passed: told.passed,
  };
  const presence = createPresence({ store, clock, log, trouble }, { facts, lost: own.lost });
  const secrets = rememberingSecrets(vault);
  const vaultWatch = createVaultWatch({
    ...context,
    store,
    vault,
    secrets,
    trouble,
    readWebhookSecrets: async () => {
      for (const source of sources) await secretsOf(source, { anew: true });
    },
  });
  const [stop, abort] = [new AbortController(), new AbortController()];
  stop.signal.addEventListener("abort", () => {
    log.info("stopping");
    setTimeout(() => abort.abort(), LAST_CALLS_MS).unref();
  });
  const onSignal = () => stop.abort();
  signal.addEventListener("abort", onSignal);
  if (signal.aborted) stop.abort();

  const refusals = createRefusals({ store, clock, log, trouble });
  const quiet = createQuietLog({ log, clock });
  const consentPages = createConsentPages({ ...context, quiet, store, signal: abort.signal });
  const { jobs, hurry } = await scheduledJobs({
    ...context,
    store,
    insists: false,
    secrets: async () => secrets,
    tokenTrouble: {
      release: async () => vaultWatch.problem(),
      note: ({ id }, problem) => vaultWatch.hear(id, problem),
    },
  });
  const receiver = createReceiver({
    store: {
      append: async (events) => {
        const results = await store.append(events);
        writes.stored();
        return results;
      },
    },
    clock,
    quiet,
    sources,
    secretsOf,
    hasSecret: secretsOf.hasAny,
    refused: refusals.note,
    leftQuestion: () => hurry("questions"),
    taken: refusals.taken,
    trouble,
    consentPages,
    notReady: () => {
      if (stop.signal.aborted) return "stopping";
      const word = faults.word();
      if (word === "storage") return word;
      return vaultWatch.problem() === null ? word : "vault";
    },
    mostConnections: connectionsWithinLimit(config["serve.max_connections"], log),
    trustedProxies: networks(config["serve.trusted_proxies"]),
  });
  const address = await listen(receiver, config["serve.listen"], "serve.listen");
  own.keepRunning(
    reloading({
      log,
      reload: context.reload,
      rereadSecrets: () => vaultWatch.reread(abort.signal),
      runs: async (text) => {
        runningText = text;
        await presence.tell();
      },
    }),
  );
  await presence.tell();
  await vaultWatch.look(abort.signal);
  await secretWatch.look().catch(trouble.hear);
  faults.look();
  log.info("listening", { address });
  onListening(address);

  const refused = createRefusedDoors({ store, vault, clock });
  const chats = { vault: async () => secrets };
  let wake = () => {};
  const watch: Store["watch"] = (onChange) => {
    wake = onChange;
    return store.watch(onChange);
  };
  const scheduler = runScheduler(
    {
      store: { ...store, watch },
      clock,
      log,
      trouble,
      jobs,
      deliver: delivering({ vendors: context, store, toldHolds, vaultWatch, refused, abort: abort.signal }),
    },
    stop.signal,
  );
  const incidents = createIncidents({ ...context, ...chats, faults: faults.all, signal: abort.signal });
  const alarms = createAlarms({ ...context, ...chats, store }, () => {
    hurry("alerts");
    wake();
  });
  const running = [
    scheduler,
    vaultWatch.run(stop.signal),
    presence.run(stop.signal),
    everySecond(async () => {
      await writes.look();
      await secretWatch.look().catch(trouble.hear);
      faults.look();
    }, stop.signal),
    everySecond(incidents.look, stop.signal),
    everySecond(createDescriptorWatch(log), stop.signal),
    everySecond(() => alarms.look().catch(trouble.hear), stop.signal),
  ];
  try {
    await Promise.all(running);
    if (!stop.signal.aborted) throw new Error("the service ended though nothing asked it to");
  } finally {
    stop.abort();
    await Promise.allSettled(running);
    signal.removeEventListener("abort", onSignal);
    await closeServer(receiver, LAST_CALLS_MS);
    await refusals.end();
    await consentPages.finish();
    faults.end();
    log.info("stopped");
  }
}
