import { join } from "node:path";
import * as v from "valibot";
import { type ChatContext, trySending } from "../../flows/alerting/chat.ts";
import { chatsOf } from "../../flows/watch/alert-chat.ts";
import { type ServeFault, writeInPlace } from "../../flows/watch/serve-faults.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import { readOwnFile } from "../../shared/private-files.ts";

/**
 * Tells the chats that webhooks are refused, or that nothing is backed up, straight from memory: an alert cannot rest in a store that is broken. Once for
 * each incident, again each day while it lasts, and once when it is over; what was told stands in a file beside the log, so
 * that a restart does not repeat it.
 */
export interface Incidents {
  /** To be called about once a second. Nothing where there are none. */
  look(): Promise<void> | undefined;
  /** There are none, and the end of none is to be told. */
  isQuiet(): boolean;
}

const AGAIN_AFTER_MS = 24 * 3_600_000;
/** What is over by the next look is no incident; what comes back after so many looks is a new one. */
const LOOKS_TO_BE_ONE = 2;
const LOOKS_TO_BE_OVER = 4;
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 3_600_000;
const ROOM_BYTES = 8 * 1024;

const Told = v.array(v.object({ key: v.string(), org: v.string(), toldAt: v.number() }));
type Told = v.InferOutput<typeof Told>[number];

export interface IncidentsContext extends ChatContext {
  clock: Clock;
  log: Log;
  stateDir: string;
  faults(): readonly ServeFault[];
  /** Why the log is without a backup; null while it is not. */
  backupTrouble(): string | null;
  signal: AbortSignal;
}

export function createIncidents(context: IncidentsContext): Incidents {
  const { clock, stateDir, config } = context;
  const path = join(stateDir, "serve-told.json");
  let told = readTold(path);
  keep(path, told);
  const seen = new Map<string, number>();
  const unseen = new Map<string, number>();
  const waits = new Map<string, { until: number; tries: number }>();

  /** False where it has to wait. */
  const send = async (key: string, org: string, text: string): Promise<boolean> => {
    const wait = waits.get(key);
    if (wait && clock.now() < wait.until) return false;
    const unsent = await trySending(context, { org, text, signal: context.signal });
    if (unsent === null) {
      waits.delete(key);
      return true;
    }
    const tries = (wait?.tries ?? 0) + 1;
    const ownMs = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS);
    waits.set(key, { until: clock.now() + Math.max(ownMs, unsent.waitMs), tries });
    if (tries === 1) context.log.warn("alert not sent yet", { reason: unsent.problem.message });
    return false;
  };
  const note = (changed: Told[]) => {
    told = changed;
    keep(path, told);
  };

  const lookAt = async (incidents: readonly { key: string; text: string }[]) => {
    const chats = chatsOf(config);
    const current = incidents.flatMap((incident) =>
      [...chats].map(([chat, org]) => ({ ...incident, key: `${incident.key}/${chat}`, org })),
    );
    for (const { key, org, text } of current) {
      unseen.delete(key);
      const looks = (seen.get(key) ?? 0) + 1;
      seen.set(key, looks);
      const before = told.find((each) => each.key === key);
      const isDue = before
        ? Math.abs(clock.now() - before.toldAt) >= AGAIN_AFTER_MS
        : looks >= LOOKS_TO_BE_ONE;
      if (isDue && (await send(key, org, before ? `Still: ${text}` : text)))
        note([...told.filter((each) => each.key !== key), { key, org, toldAt: clock.now() }]);
    }
    for (const key of seen.keys()) if (!current.some((each) => each.key === key)) seen.delete(key);
    for (const { key, org } of told.filter((each) => !current.some(({ key }) => key === each.key))) {
      const looks = (unseen.get(key) ?? 0) + 1;
      unseen.set(key, looks);
      if (looks >= LOOKS_TO_BE_OVER && (await send(`over ${key}`, org, overWords(key))))
        note(told.filter((each) => each.key !== key));
    }
  };
  return {
    look: () => {
      const incidents = openIncidents(context.faults(), context.backupTrouble());
      if (incidents.length > 0 || seen.size > 0 || told.length > 0) return lookAt(incidents);
      return;
    },
    isQuiet: () => seen.size === 0 && told.length === 0,
  };
}

function overWords(key: string): string {
  return key.startsWith("backup/")
    ? "jc-integrations: the log is backed up again."
    : "jc-integrations takes webhooks again. What was refused meanwhile is sent again by its sender.";
}

/** What is wrong with the store is one incident, however it shows. */
function openIncidents(
  faults: readonly ServeFault[],
  backupTrouble: string | null,
): { key: string; text: string }[] {
  const refusing = faults.filter(({ kind, isStep }) => kind !== "held-up" && !isStep);
  const storage = refusing.find(({ kind }) => kind !== "secrets");
  const secrets = refusing.filter(({ kind }) => kind === "secrets");
  return [
    ...(storage ? [{ key: "storage", text: wordsOf(storage) }] : []),
    ...(backupTrouble === null ? [] : [{ key: "backup", text: `jc-integrations: ${backupTrouble}` }]),
    ...(secrets.length > 0 ? [{ key: "secrets", text: secrets.map(wordsOf).join(" ") }] : []),
  ];
}

function wordsOf({ refuses, message, hint }: ServeFault): string {
  const what = refuses ? "jc-integrations refuses webhooks with 503" : "jc-integrations is not ready";
  return `${what}: ${message}. ${hint}`.trim();
}

function readTold(path: string): Told[] {
  try {
    return v.parse(Told, JSON.parse(readOwnFile(path)));
  } catch {
    return [];
  }
}

/** Where it cannot be written a restart repeats what was told: better twice than never. */
function keep(path: string, told: readonly Told[]): void {
  writeInPlace(path, JSON.stringify(told), ROOM_BYTES);
}
