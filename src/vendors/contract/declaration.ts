import type { DeclaredSecret } from "../../core/declared-secret.ts";
import type { VendorKeys } from "../../shared/config-keys.ts";
import type { Destination, DestinationWords, VendorOptions } from "./destination.ts";
import type { LookUp } from "./look-up.ts";
import type { Source } from "./source.ts";

/**
 * All that one vendor brings, as data: whoever lists vendors, their keys, secrets or words lists declarations. The code
 * behind one is loaded when it is asked for, so that a command that only lists loads no vendor.
 */
export interface VendorDeclaration {
  /** Names it in commands, configuration and store. */
  vendor: string;
  /** As people write it: "HubSpot". */
  label: string;
  keys: VendorKeys;
  secrets: readonly DeclaredSecret[];
  /** The versions of its API that can be chosen, by its setting `api_version`; absent where there is but one. */
  versions?: Readonly<Record<string, { supportedUntil: string }>>;
  /** The keys that lead to the emulator, each with the path behind this vendor's address there. */
  emulated: Readonly<Record<string, string>>;
  /** Who tells us about invites or assessments by webhook; absent where the vendor sends none. */
  source?(): Promise<Source>;
  /** Answers what the source's events only name; absent where they say all themselves. */
  lookUp?(): Promise<(options: VendorOptions) => LookUp>;
  /** Who shall hold the results; absent where nothing goes there. */
  destination?: DestinationDeclaration;
}

export interface DestinationDeclaration extends Omit<DestinationWords, "vendor" | "label"> {
  /** An applicant tracking system: we subscribe to its webhooks, and its jobs' stages trigger tests. */
  isAts: boolean;
  open(): Promise<(options: VendorOptions) => Destination>;
}
