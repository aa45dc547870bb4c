import type { Secret } from "../shared/secret.ts";

/**
 * Where tokens and secrets rest. An item's name is a path of plain ASCII, as `token/acme/hubspot/production`
 * or `secret/acme/jobcannon.webhook-secret/1`. Every verb throws `VAULT_UNAVAILABLE`, with the fix as its hint,
 * when the vault cannot be read now; it never answers "absent" instead.
 */
export interface Vault {
  readonly backend: VaultBackend;
  /** The items that exist among `names`, in one request. An absent item is missing from the map. */
  read(names: readonly string[]): Promise<Map<string, Secret>>;
  /**
   * Sets items, or removes them where the value is null; durable when it returns. Each item changes whole or not
   * at all; several change together where the backend can (sealed), else in the order of the map (keychain).
   */
  write(changes: ReadonlyMap<string, Secret | null>): Promise<void>;
  /** The names of all items that begin with `prefix`, sorted. */
  names(prefix: string): Promise<string[]>;
  /** When the secrets were set whose names begin so, ms since the epoch; without those that an older program set. */
  setAt(prefix: string): Promise<Map<string, number>>;
  /**
   * A number that moves with every write of any process, within a moment where the vault lies on another machine; cheap enough
   * to ask before each use of a cached item. Equal numbers: what was read then still stands.
   */
  revision(): number;
  /**
   * Runs `work` while no other process holds the lock of the same name. A killed holder frees it at once; where there are `notes`,
   * it may also be lost while its holder lives on.
   */
  exclusively<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** One line for a person: where the tokens rest and under which key. Never a secret. */
  describe(): string;
  /** Only where the vault lies on another machine. */
  notes?: MachineNotes;
  notices?: VaultNotices;
  close(): void | Promise<void>;
}

/** What is heard of other machines' writes, between two times that the revision is asked for. */
export interface VaultNotices {
  /** Calls back when the revision moved, or nothing is heard any more. */
  listen(heard: () => void): () => void;
  isWorking(): boolean;
}

/** What this machine alone keeps, sealed as the vault is: it outlives the vault's absence, and its being put back to an older state. */
export interface MachineNotes {
  read(name: string): Promise<Secret | null>;
  /** Durable when it returns; null removes it. */
  write(name: string, value: Secret | null): Promise<void>;
}

export type VaultBackend = "sealed" | "keychain";

/** Somebody at the terminal. */
export interface Person {
  tell(words: string): void;
  /** Aborts when they have had enough. */
  signal: AbortSignal;
}

/** What the keychain's child process needs to know of this one. */
export interface Host {
  platform: NodeJS.Platform;
  /** `process.execPath` */
  nodePath: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Who can answer an unlock dialog; absent where nobody is there, as for a service. */
  person?: Person;
}
