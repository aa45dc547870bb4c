/** Reads the account's fields again and creates what can be created. */
export function resyncCommand(vendor: string): string {
  return `resync-properties${vendor === "hubspot" ? "" : ` --vendor ${vendor}`}`;
}
