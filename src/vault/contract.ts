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
   * A number that moves with every write of any process; cheap enough to ask before each use of a cached item.
   * Equal numbers: what was read then still stands.
   */
  revision(): number;
  /** Runs `work` while no other process holds the lock of the same name. A killed holder frees it at once. */
  exclusively<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** One line for a person: where the tokens rest and under which key. Never a secret. */
  describe(): string;
  close(): void;
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
