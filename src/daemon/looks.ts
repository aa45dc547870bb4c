/** What the service looks at in each of its rounds, and when it has time until the next one. */
import { isBackupWanted } from "../flows/backup/order.ts";
import type { Log } from "../shared/log.ts";
import type { ChangeNotices } from "./change-notices.ts";
import { createDescriptorWatch } from "./descriptors.ts";
import type { Certificate } from "./http/certificate.ts";
import type { Metrics } from "./metrics/metrics.ts";
import { type Look, type Looks, SECOND_MS } from "./rounds.ts";
import type { Alarms } from "./trouble/alarms.ts";
import type { BackupWatch } from "./trouble/backup-watch.ts";
import type { Incidents } from "./trouble/incidents.ts";
import type { Watches } from "./watches.ts";

interface Looking {
  stateDir: string;
  log: Log;
  watches: Watches;
  metrics: Metrics;
  changes: ChangeNotices;
  certificate: Certificate | null;
  backups: BackupWatch;
  incidents: Incidents;
  alarms: Alarms;
  reports: { look: Look };
  /** A command wants a backup. */
  onOrder(): void;
}

/** To look for one costs more than most other looks, and whoever has none is without them for long. */
const DESCRIPTORS_EVERY_MS = 5_000;
/** A log that cannot be written is not asked again each second. */
const PRESENCE_EVERY_MS = 20_000;

export function looksOf(looking: Looking): Looks {
  const { stateDir, log, watches, metrics, changes, certificate, incidents, alarms } = looking;
  const { secretWatch, faults, trouble, presence, vaultWatch } = watches;
  const descriptors = createDescriptorWatch(log);
  return {
    all: [
      metrics.ticked,
      trouble.look,
      () => secretWatch.look()?.then(faults.look, trouble.hear),
      faults.look,
      looking.backups.look,
      () => {
        if (isBackupWanted(stateDir)) looking.onOrder();
      },
      incidents.look,
      atMostEvery(DESCRIPTORS_EVERY_MS, descriptors.look),
      () => (certificate?.look() ? presence.tell() : undefined),
      () => alarms.look()?.catch(trouble.hear),
      looking.reports.look,
      atMostEvery(PRESENCE_EVERY_MS, presence.look),
    ],
    isCalm: () =>
      changes.areWorking() &&
      // A secret that is missing is set in the vault, which is told.
      faults.all().every(({ kind }) => kind === "secrets") &&
      trouble.isOver() &&
      vaultWatch.problem() === null &&
      incidents.isQuiet() &&
      !alarms.isWaiting() &&
      !descriptors.areOut() &&
      certificate?.isSettled() !== false &&
      !metrics.isScraped(),
  };
}

function atMostEvery(ms: number, look: Look): Look {
  let lookedMs = Number.NEGATIVE_INFINITY;
  return (lateMs) => {
    // A round may begin a little early.
    if (performance.now() - lookedMs < ms - SECOND_MS / 2) return;
    lookedMs = performance.now();
    return look(lateMs);
  };
}
