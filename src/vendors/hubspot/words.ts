import type { DestinationWords } from "../contract/destination.ts";

export const WORDS = {
  vendor: "hubspot",
  label: "HubSpot",
  fieldWords: ["property", "properties"],
  afterErase:
    "HubSpot keeps an address that was deleted for good on a blocklist: its people and its imports cannot add the contact again, and it may refuse one from us, too. The person themselves can come back, by a form or a mail",
} as const satisfies DestinationWords;
