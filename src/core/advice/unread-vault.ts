/** What a running service says of its vault; null where it can read it, absent where it does not say. */
interface Told {
  vaultTrouble?: { reason: string; fix: string | null } | null;
}

/**
 * What is to be said of a service that cannot read the vault beside one that can: no result waits, and it is to be mended all
 * the same. Null where nothing is; where no service can read it each connection says so.
 */
export function unreadVaultWords(
  { vaultTrouble = null }: Told,
  all: readonly (Told | null)[],
): string | null {
  if (vaultTrouble === null || !all.some((told) => told?.vaultTrouble === null)) return null;
  const { reason, fix } = vaultTrouble;
  const words = `the vault cannot be read there, and other services deliver: ${reason}`;
  return fix === null ? words : `${words}. ${fix}`;
}
