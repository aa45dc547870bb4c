import type { DestinationWords } from "../contract/destination.ts";

export const WORDS = {
  vendor: "hubspot",
  label: "HubSpot",
  fieldWords: ["property", "properties"],
} as const satisfies DestinationWords;
