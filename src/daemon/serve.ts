import { type AppError, isAppError } from "../shared/errors.ts";
import { makePrivateDir } from "../shared/private-dir.ts";
import { isPostgres } from "../shared/store-url.ts";
import { openToOthers } from "../shared/private-files.ts";
import { orgsIn, regionWarnings } from "../core/advice/residency.ts";
import type { Store } from "../store/contract/store.ts";
import type { OwnProcess, ServeContext, ServeParts } from "./context.ts";
import { delivering } from "./delivering.ts";
import { openAdminListener } from "./admin-listener.ts";
import { type ChangeNotices, changeNotices } from "./change-notices.ts";
import { openCertificate } from "./http/certificate.ts";
import { listen } from "./listen.ts";
import { looksOf } from "./looks.ts";
import { LOOKING, OPENING, reportTo, waitedFor } from "./service-manager.ts";
import { createMetrics, type Metrics } from "./metrics/metrics.ts";
import { createPublicListener } from "./public-listener.ts";
import type { Notice } from "./pages/notice.ts";
import { createToldEnds } from "./pages/told-ends.ts";
import { reloading } from "./reload.ts";
import { createRounds, type Rounds } from "./rounds.ts";
import { type ScheduledJobs, scheduledJobs } from "./scheduled-jobs.ts";
import { runScheduler } from "./scheduler.ts";
import { type Stopping, stopsOn } from "./stopping.ts";
import { createAlarms } from "./trouble/alarms.ts";
import { createBackupWatch } from "./trouble/backup-watch.ts";
import { createIncidents } from "./trouble/incidents.ts";
import { createRefusedDoors } from "./trouble/refused-doors.ts";
import { createToldHolds, tellingLostLogins } from "./trouble/told-holds.ts";
import { createWatchdog } from "./watchdog.ts";
import { createWatches, type Watches } from "./watches.ts";

export interface ServeOptions {
  signal: AbortSignal;
  /** `admin`: where the admin listener is; null where there is none. */
  onListening(address: string, admin: string | null): void;
  /** None where another command serves for a while. */
  own?: OwnProcess;
}

const GUEST: OwnProcess = {
  directory: "",
  lost: () => ({ lines: 0, isOver: true }),
  keepRunning: () => {},
  sockets: new Map(),
  notify: () => {},
  watchdogMs: null,
};

/**
 * The service: receiver, scheduler and delivery in one process, until the signal aborts. Throws when a part of it dies:
 * systemd starts it anew, and nothing acknowledged is lost by that. A store that becomes full or locked ends nothing:
 * senders hear 503, and all goes on when there is room.
 */
export async function serve(
  context: ServeContext,
  { signal, onListening, own = GUEST }: ServeOptions,
): Promise<void> {
  const { log, config } = context;
  for (const words of regionWarnings(config, orgsIn(config))) log.warn(words);
  for (const open of openToOthers(context.stateDir)) log.warn(open);
  const { notify, sockets } = own;
  const parts = await waitedFor(notify, OPENING, openParts(context));
  const rounds = createRounds();
  const { soon } = rounds;
  const changes = changeNotices(parts, context.stateDir, soon);
  const watches = createWatches(context, parts, { own, soon });
  const stopping = stopsOn(signal, { log, notify });
  const metrics = createMetrics({ ...context, ...parts, onScrape: soon });
  context.observeCalls(metrics.called);
  const scheduled = await scheduledJobs(jobContext(context, parts, watches), metrics);
  const { hurry } = scheduled;
  let changed = () => {};
  const shownAnew = () => changed();
  const notices = createToldEnds<Notice>(context.clock, shownAnew);
  const listener = createPublicListener(context, parts, {
    watches,
    stopping,
    metrics,
    hurry,
    notices,
    shownAnew,
  });
  const descriptor = sockets.get("admin");
  const admin = await openAdminListener(context, parts, { watches, stopping, metrics, descriptor, notices });
  changed = admin?.changed ?? changed;
  const address = await listen(listener.server, {
    address: config["serve.listen"],
    key: "serve.listen",
    descriptor: sockets.get("public"),
  }).catch(async (error: unknown) => {
    await admin?.end();
    throw error;
  });
  watches.presence.listens(address, admin?.address ?? null);
  own.keepRunning(
    reloading({
      log,
      notify,
      reload: context.reload,
      rereadSecrets: () => watches.vaultWatch.reread(stopping.abort),
      rereadCertificate: async () => {
        parts.certificate?.reread();
        await watches.presence.tell();
      },
      runs: watches.presence.runs,
    }),
  );
  await waitedFor(notify, LOOKING, firstLooks(watches, stopping.abort));
  notify({ READY: "1" });
  log.info("listening", { address, ...(admin ? { admin: admin.address } : {}) });
  onListening(address, admin?.address ?? null);
  const running = startAll(context, parts, {
    watches,
    stopping,
    scheduled,
    metrics,
    own,
    address,
    rounds,
    changes,
  });
  try {
    await Promise.all(running);
    if (!stopping.stop.aborted) throw new Error("the service ended though nothing asked it to");
  } finally {
    stopping.begin();
    await Promise.allSettled(running);
    stopping.end();
    await Promise.all([listener.end(), admin?.end()]);
    watches.faults.end();
    changes.end();
    log.info("stopped");
  }
}

/** Where the log is a file, a directory that is not there is a log that is gone. */
function makeStateDir({ config, stateDir }: ServeContext): void {
  if (!isPostgres(config["store.url"])) return;
  try {
    makePrivateDir(stateDir);
  } catch {
    // What is told of the service stands nowhere then; whoever has to write there says why he cannot.
  }
}

async function openParts(context: ServeContext): Promise<ServeParts> {
  makeStateDir(context);
  const threaded = await context.threadedStore();
  const store = tellingLostLogins(threaded, context.log);
  // With their thread: an upgrade may replace its file.
  const opening = [context.vault(), context.sources(), context.backupFiles()] as const;
  const [vault, sources] = await Promise.all(opening);
  // What no waiting mends: a keychain module that this Node cannot load.
  await vault.read([]).catch((error: unknown) => {
    if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
  });
  const files = context.tlsFiles();
  const certificate = files && openCertificate({ ...context, files });
  return { store, thread: threaded.thread, vault, sources, certificate };
}

function jobContext(context: ServeContext, { store }: ServeParts, { secrets, vaultWatch }: Watches) {
  return {
    ...context,
    store,
    insists: false,
    secrets: async () => secrets,
    tokenTrouble: {
      release: async () => vaultWatch.problem(),
      note: ({ id }: { id: number }, problem: AppError) => vaultWatch.hear(id, problem),
    },
  };
}

/** Whoever asks once we listen hears the truth. */
async function firstLooks(
  { presence, vaultWatch, secretWatch, trouble, faults }: Watches,
  abort: AbortSignal,
) {
  await presence.tell();
  await vaultWatch.look(abort);
  await secretWatch.look()?.catch(trouble.hear);
  faults.look();
}

interface Running {
  watches: Watches;
  stopping: Stopping;
  scheduled: ScheduledJobs;
  metrics: Metrics;
  own: OwnProcess;
  address: string;
  rounds: Rounds;
  changes: ChangeNotices;
}

/** Each runs until it is told to stop, and throws what is a bug. */
function startAll(
  context: ServeContext,
  { store, thread, vault, certificate }: ServeParts,
  { watches, stopping, scheduled, metrics, own, address, rounds, changes }: Running,
): Promise<void>[] {
  const { clock, log } = context;
  const { stop, abort } = stopping;
  const { faults, trouble, vaultWatch, secrets } = watches;
  const toldHolds = createToldHolds(store, log);
  const refused = createRefusedDoors({ store, vault, clock });
  let wake = () => {};
  const watch: Store["watch"] = (onChange) => {
    wake = onChange;
    return store.watch(onChange);
  };
  const deliver = delivering({ account: context, store, toldHolds, vaultWatch, refused, metrics, abort });
  const { jobs, hurry } = scheduled;
  const chats = { vault: async () => secrets };
  const backups = createBackupWatch(context);
  const told = { faults: faults.all, backupTrouble: backups.trouble };
  const incidents = createIncidents({ ...context, ...chats, ...told, signal: abort });
  const alarms = createAlarms({ ...context, ...chats, store }, () => {
    hurry("alerts");
    wake();
  });
  const watchdog = createWatchdog({ thread, wake: () => wake() }, clock);
  const onOrder = () => {
    hurry("backup");
    wake();
  };
  const reports = reportTo(own, { log, watches, watchdog, address, soon: rounds.soon });
  const round = { watches, metrics, changes, certificate, backups, incidents, alarms, reports, onOrder };
  return [
    runScheduler(
      {
        store: watchdog.through({ ...store, watch }),
        clock,
        random: Math.random,
        log,
        trouble,
        jobs,
        isLeftToOthers: vaultWatch.isLeftToOthers,
        deliver,
      },
      stop,
    ),
    vaultWatch.run(stop, () => {
      hurry("refresh");
      wake();
    }),
    rounds.run(looksOf({ ...context, ...round }), stop),
    ...reports.signs(stop),
  ];
}
