import { hostname } from "node:os";
import { isDeepStrictEqual } from "node:util";
import type { RememberingSecrets } from "../../vault/secrets.ts";
import type { AccountContext } from "../../flows/account/context.ts";
import {
  holdForVault,
  isServedElsewhere,
  releaseReadable,
  vaultProblemOf,
} from "../../flows/account/vault-trouble.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { ServiceFacts, Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import { isToldOfLog, metOfLog } from "../../core/advice/database.ts";
import type { StoreTrouble } from "./store-trouble.ts";

/**
 * Sees whether the vault can be read while the service runs. What it finds stands in the store, for `status` and the
 * alerts: connections whose tokens cannot be read are held, and released when they can be again.
 */
export interface VaultWatch {
  /** Why nothing in the vault can be read; null when it can be. */
  problem(): AppError | null;
  /** Another service, which can read the vault, does whatever is due: here none of it could be done. */
  isLeftToOthers(): Promise<boolean>;
  /** What others hear of it; undefined before the first look. */
  standing(): ServiceFacts["vaultTrouble"];
  /** A delivery or a refresh could not read what it needs. True when the connection is held for it, or left to others. */
  hear(connectionId: number, problem: AppError): Promise<boolean>;
  look(signal: AbortSignal): Promise<void>;
  /** The same, and reads what is kept in memory anew, changed or not. */
  reread(signal: AbortSignal): Promise<void>;
  /** Looks again and again until the signal aborts. `onOlder`: an older vault, or none, lies in the place of the one that was read. */
  run(signal: AbortSignal, onOlder: () => void): Promise<void>;
}

export interface VaultWatchContext extends AccountContext {
  store: Store;
  vault: Vault;
  /** Keeps what it reads in memory, for the time when the vault cannot be read. */
  secrets: RememberingSecrets;
  trouble: StoreTrouble;
  readWebhookSecrets(): Promise<void>;
  /** Tells the other services the standing. */
  tell(): Promise<void>;
  /** It can no more be read, or can again. */
  onChange(): void;
}

const LOOK_EVERY_MS = 60_000;
/** A locked keyring may ask its user each time. */
const LOOK_AGAIN_AFTER_MS = 30_000;

export function createVaultWatch(context: VaultWatchContext): VaultWatch {
  const { store, clock, log, vault, trouble } = context;
  let problem: AppError | null = null;
  let standing: ServiceFacts["vaultTrouble"];
  let isTold = false;
  let isAnyHeld = false;
  /** Since it was last looked for connections that are held: to read a thousand of them costs as much as an idle minute. */
  let isLogChanged = true;
  store.watch(() => {
    isLogChanged = true;
  });
  let readAt: number | null = null;
  let seenAt = 0;
  let tellOlder = () => {};

  /** What several machines share one of them may be unable to read: which, stands nowhere else. */
  const here = ({ code, message, hint }: AppError) =>
    new AppError(code, vault.notes ? `${message} (on ${hostname()})` : message, hint ? { hint } : {});

  const hold = async (connectionId: number, reason: AppError): Promise<boolean> => {
    const connection = await store.connection(connectionId);
    const held = connection ? await holdForVault(context, connection, here(reason)) : null;
    if (held === null) return false;
    isAnyHeld = true;
    const { org = null, vendor = null } = connection ?? {};
    log.error("tokens cannot be read: results wait", { org, vendor, reason: reason.message });
    return true;
  };

  /** Once for each change of the vault: what the service must know while it cannot be read. */
  const keepInMemory = async () => {
    const revision = vault.revision();
    if (revision < seenAt) tellOlder();
    seenAt = revision;
    if (revision === readAt) return;
    await context.readWebhookSecrets();
    await context.secrets.keep("telegram.bot-token");
    readAt = revision;
  };

  const note = (found: AppError | null) => {
    const isNew = (found === null) !== (problem === null);
    problem = found;
    if (isNew) context.onChange();
  };
  /** Before anything is held: who else cannot read it holds nothing for a service that cannot either. */
  const tellOthers = async (found: AppError | null) => {
    const told = found && { reason: found.message, fix: found.hint ?? null };
    if (isDeepStrictEqual(told, standing)) return;
    standing = told;
    await context.tell();
  };
  const meet = async (found: AppError) => {
    const ofLog = metOfLog(found);
    if (ofLog) trouble.hear(ofLog);
    const isNew = !isTold && ofLog === null && !isToldOfLog(found.message, messagesOf(store));
    isTold ||= isNew;
    if (isNew) log.error("the vault cannot be read", { reason: found.message });
    isAnyHeld = true;
    try {
      await tellOthers(found);
      if (await isServedElsewhere(store)) {
        if (isNew) log.warn("what is due is left to a service that can read the vault");
        return;
      }
      for (const { id, vaultTrouble } of await store.connections())
        if (vaultTrouble === null) await hold(id, found);
    } finally {
      // Who sees that we are not ready finds in the store why.
      note(found);
    }
  };
  const lookOnce = async (signal: AbortSignal) => {
    const found = await vaultProblemOf(() => vault.read([]));
    if (found) return await meet(found);
    note(null);
    await tellOthers(null);
    if (isTold) log.info("the vault can be read again");
    isTold = false;
    await vaultProblemOf(keepInMemory);
    if (!isAnyHeld && !isLogChanged) return;
    isLogChanged = false;
    // Also while nobody could tell.
    isAnyHeld = true;
    isAnyHeld = (await releaseReadable(context, store, { signal })) !== null;
  };
  const look = (signal: AbortSignal) =>
    lookOnce(signal).catch((error: unknown) => {
      if (signal.aborted) return;
      if (!isAppError(error) || error.code === "STORE_UNAVAILABLE") trouble.hear(error);
      else log.warn("the vault could not be looked at", { reason: error.message });
    });

  return {
    problem: () => problem,
    standing: () => standing,
    isLeftToOthers: async () => {
      if (problem === null || !(await isServedElsewhere(store))) return false;
      // A database that was away is back, and with it the vault.
      if ((await vaultProblemOf(() => vault.read([]))) !== null) return true;
      note(null);
      return false;
    },
    hear: async (connectionId, reason) => {
      const found = await vaultProblemOf(() => vault.read([]));
      if (found === null) {
        note(null);
        return await hold(connectionId, reason);
      }
      await meet(found);
      return true;
    },
    look,
    reread: async (signal) => {
      readAt = null;
      await look(signal);
    },
    run: async (signal, onOlder) => {
      tellOlder = onOlder;
      while (!signal.aborted) {
        const waitMs = isAnyHeld ? LOOK_AGAIN_AFTER_MS : LOOK_EVERY_MS;
        await clock.sleep(waitMs, signal).catch(() => {});
        if (signal.aborted) return;
        await look(signal);
      }
    },
  };
}

const messagesOf = (store: Pick<Store, "faults">) => store.faults().map(({ message }) => message);
