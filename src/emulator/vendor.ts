/** What each vendor of the emulator owes, and what it is given. */
import type { Clock } from "../shared/clock.ts";
import type { Fault } from "./faults.ts";
import type { Call, Reply } from "./http.ts";
import type { Pattern } from "./routes.ts";
import type { Settings } from "./settings.ts";

export interface EmulatorOptions {
  /** 0 or nothing: any free port. */
  port?: number;
  /** Consent pages redirect at once instead of asking. */
  autoApprove?: boolean;
  /** `100/10s` or `none`; the default is HubSpot's own figure for OAuth apps, `110/10s`. */
  hubspotLimit?: string;
  /** The receiver of JobCannon's events: its base URL, or the whole URL of the call. */
  jobcannonUrl?: string;
  /** `whsec_…`, with which those events are signed. */
  jobcannonSecret?: string;
  /** The org those events name; `default` unless given. */
  jobcannonOrg?: string;
  clock?: Clock;
}

export interface VendorContext {
  options: EmulatorOptions;
  clock: Clock;
  /** The faults in force, oldest first. The vendor asks them about rate limits and revocations. */
  faults: Fault[];
  /** Aborts when this world ends, by `reset` or with the emulator: whatever a vendor does on its own stops then. */
  signal: AbortSignal;
}

export interface Vendor {
  /** Answers a call of the vendor's API. Its path has no vendor prefix. */
  answer(call: Call): Reply | Promise<Reply>;
  /** What the vendor adds to every answer, those of faults too. */
  seal?(reply: Reply): Reply;
  settings: Settings;
  /** Its own calls under `/_control/{vendor}`. */
  control: readonly ControlRoute[];
}

export interface ControlRoute extends Pattern {
  answer(call: Call, param: (name: string) => string): Reply | Promise<Reply>;
}

/** An empty world of that vendor; `reset` makes a new one. */
export type CreateVendor = (context: VendorContext) => Vendor;
