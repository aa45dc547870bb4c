/** A sealed vault's rows, wherever they lie, as whoever is alone with them sees them. */
export interface VaultRows {
  /** Where they lie, in words. */
  readonly path: string;
  isEmpty(): boolean;
  /** Of all rows; only where all were asked for. */
  names(): string[];
  /** Null for an absent item and for one whose value rests in the keychain. */
  sealed(name: string): Buffer | null;
  put(name: string, sealed: Buffer | null): void;
  remove(name: string): void;
  /** Notes when an operator set it, ms since the epoch. */
  stamp(name: string, at: number): void;
  keyCheck(): KeyCheck | null;
  setKeyCheck(check: KeyCheck): void;
  /** Every other process shall read again. */
  touch(): void;
}

/** What recognises the right key without opening an item. */
export interface KeyCheck {
  salt: Buffer;
  /** The sealed list of the rows. */
  proof: Buffer;
}

/** Where the rows of a sealed vault lie. */
export interface VaultPlace {
  /** Runs `work` on the rows of those names alone among all processes, all or nothing. It may run more than once. */
  alone<T>(names: readonly string[] | "all", work: (rows: VaultRows) => T): Promise<T>;
  /** The same for who reads only: null where there is no vault yet, and none is made. */
  look<T>(names: readonly string[], work: (rows: VaultRows) => T): Promise<T | null>;
  names(prefix: string): Promise<string[]>;
  /** When those were set whose names begin so. What an older program set has no time. */
  stamps(prefix: string): Promise<Map<string, number>>;
  revision(): number;
  /** In words. */
  where(): string;
}

/** Tokens come and go by themselves; when a secret was set is what an operator asks. */
export function stampSecrets(
  rows: Pick<VaultRows, "stamp">,
  changes: ReadonlyMap<string, unknown>,
  now: number,
): void {
  for (const [name, value] of changes)
    if (value !== null && name.startsWith("secret/")) rows.stamp(name, now);
}
