import type { DestinationExample } from "./destination.ts";
import type { LookUpExample } from "./look-up.ts";
import type { SourceExample } from "./source.ts";

/** Of each thing that a vendor brings, what its suite cannot know. */
export interface VendorExample {
  source?: SourceExample;
  lookUp?: LookUpExample;
  destination?: DestinationExample;
}

/** The same in other contracts than the vendor's first, by their names in the configuration. */
export type OtherExamples = Readonly<Record<string, VendorExample>>;
