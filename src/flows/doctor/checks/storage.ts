/** The vault, the log, the disk beneath and the last backup. */
import { databaseFindings, databaseWords } from "./database.ts";
import { BACKUP_COMMAND } from "../../../core/advice/command-lines.ts";
import { relativeTime, shortBytes } from "../../../shared/text.ts";
import { type Area, area, type Finding, fault, faultOf, fixIn, warning } from "../finding.ts";
import type { Facts, Status } from "../look/facts.ts";
import { foundIn } from "../look/looker.ts";
import { isNativeTrouble } from "./installation.ts";
import { unlooked } from "./unlooked.ts";

export function vaultArea({ vault }: Pick<Facts, "vault">): Area {
  const kept = foundIn(vault);
  return area("vault", "vault", {
    found: [unreadableVault(vault)],
    calm: kept ? `${kept.where}: readable` : "",
    notLookedAt: kept ? null : vault.is === "known" ? "nothing is kept there yet" : "it could not be opened",
  });
}

export function unreadableVault(vault: Facts["vault"]): Finding | null {
  if (isNativeTrouble(vault)) return null;
  if (vault.is === "failed")
    return faultOf(
      "vault",
      vault.problem,
      "Tokens cannot be used: results wait, and go out by themselves once they can.",
    );
  return unlooked("vault", vault, { what: "reading the vault", code: "VAULT_UNAVAILABLE" });
}

export function storeArea(facts: Pick<Facts, "log" | "database" | "status" | "stateDir">): Area {
  const { log, stateDir } = facts;
  const [looked, status] = [foundIn(log), foundIn(facts.status)];
  const database = foundIn(facts.database);
  const free = status?.disk ? `, ${shortBytes(status.disk.freeBytes)} free` : "";
  const through = looked?.isLookedThrough === false ? "looked through in part" : "looked through";
  return area("store", "store", {
    found: [
      ...beside(damagedLog(facts.log), unusableStore(facts)),
      largeWal(log),
      fullDisk(status?.disk ?? null, stateDir),
      ...databaseFindings(database),
      ...openFiles(status?.openToOthers ?? []),
    ],
    calm: database
      ? databaseWords(database)
      : looked
        ? `${shortBytes(looked.bytes)}, -wal ${shortBytes(looked.walBytes)}, ${through}${free}`
        : "",
    notLookedAt:
      looked || database ? null : unlookedLog(log.is === "known", { kind: status?.log.kind, stateDir }),
  });
}

function unlookedLog(
  isKnown: boolean,
  { kind, stateDir }: { kind: "sqlite" | "postgres" | undefined; stateDir: string },
): string {
  if (!isKnown) return "it could not be opened";
  return kind === "postgres"
    ? "the log is in PostgreSQL, and its disk is the database's affair"
    : `no log yet in ${stateDir}`;
}

/** What the service says of its log, and whoever opens it. */
function unusableStore({ status, log }: Pick<Facts, "status" | "log">): Finding[] {
  const why = "While it lasts senders hear 503 and send again: nothing acknowledged is lost.";
  const late = unlooked("store", status, { what: "reading the log", code: "STORE_UNAVAILABLE" });
  if (late) return [late];
  if (isNativeTrouble(log)) return [];
  if (status.is === "failed") return [faultOf("store", status.problem, why)];
  const told = foundIn(status)?.storage ?? [];
  const isTold = (message: string) => told.some((each) => each.message.includes(message));
  const met =
    log.is === "failed" && !isNativeTrouble(log) && !isTold(log.problem.message) ? log.problem : null;
  return [
    ...told
      .filter(({ isWarning }) => !isWarning)
      .map(({ message, hint }) =>
        fault("store", "STORE_UNAVAILABLE", { what: message, why, ...fixIn(hint ?? undefined) }),
      ),
    ...(met ? [faultOf("store.open", met, "Nothing can be read or written.")] : []),
  ];
}

/** The damage says where it is: who met it elsewhere adds nothing. */
function beside(damage: Finding | null, others: readonly Finding[]): (Finding | null)[] {
  return [...others.filter(({ what }) => !damage?.what.startsWith(`${what}: `)), damage];
}

export function damagedLog(log: Facts["log"]): Finding | null {
  const damage = foundIn(log)?.damage;
  if (!damage)
    return unlooked("store.damage", log, { what: "looking through the log", code: "STORE_UNAVAILABLE" });
  return fault("store.damage", "STORE_UNAVAILABLE", {
    what: damage.message,
    why: "Its content contradicts itself: go back to a backup, with serve stopped.",
    ...fixIn(damage.hint),
  });
}

export function largeWal(log: Facts["log"]): Finding | null {
  const held = foundIn(log)?.heldUp;
  if (!held) return null;
  return warning("store.wal", {
    what: held.message,
    why: "It grows until the disk is full.",
    who: `Whoever runs this machine: ${held.hint}`,
  });
}

const SCARCE_BYTES = 64 * 1024 * 1024;

export function fullDisk(disk: Status["disk"], stateDir: string): Finding | null {
  if (disk === null || disk.freeBytes >= SCARCE_BYTES) return null;
  const words = {
    what: `the disk of ${stateDir} has ${shortBytes(disk.freeBytes)} left`,
    who: `Whoever runs this machine: make room there; df -h '${stateDir}' shows how much there is.`,
  };
  if (disk.freeBytes > 0)
    return warning("disk", { ...words, why: "Once it is full serve refuses events with 503." });
  return fault("disk", "STORE_UNAVAILABLE", {
    ...words,
    why: "serve refuses events with 503 until there is room; nothing acknowledged is lost.",
  });
}

/** As `status` says them: "<path> is open to other users (0644): chmod 600 '<path>'" */
function openFiles(open: readonly string[]): Finding[] {
  return open.map((words) => {
    const [, what = words, fix = ""] = /^(.*\)): (.*)$/s.exec(words) ?? [];
    return warning("store.files", {
      what,
      why: "Results and tokens' names are there; others on this machine could read or change them.",
      ...fixIn(fix),
    });
  });
}

export function backupArea({ status, now }: Pick<Facts, "status" | "now">): Area {
  const backup = foundIn(status)?.backup;
  const lastAt = backup?.lastAt ?? null;
  return area("backup", "backup", {
    found: [lateBackup(backup?.trouble ?? null)],
    calm: lastAt === null ? "" : `the last one ${relativeTime(Date.parse(lastAt), now)}`,
    notLookedAt: lastAt === null ? whyNoBackup(foundIn(status)) : null,
  });
}

function whyNoBackup(status: { log: { kind: string }; isLogRead: boolean } | null): string {
  if (status === null || !status.isLogRead) return "the log could not be read";
  return status.log.kind === "postgres"
    ? "the database's own affair"
    : "none yet in backup.dir; serve takes one each day";
}

export function lateBackup(trouble: string | null): Finding | null {
  if (trouble === null) return null;
  return warning("backup", {
    what: trouble.replace(/, and one is due.*$/s, ""),
    why: "One is due each day: what a broken disk takes would be gone.",
    command: BACKUP_COMMAND,
    remedy: { does: "back up" },
  });
}
