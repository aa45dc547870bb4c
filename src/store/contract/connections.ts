import type { Connection, ConnectionName, MarkName } from "../../core/connection.ts";
import type { Consent, TakenConsent } from "../../core/consent.ts";

/** Who is connected to what, and who was asked to consent. */
export interface ConnectionVerbs {
  /** The connections of one org, or all. Disconnected ones stay listed. */
  connections(org?: string): Promise<Connection[]>;
  /** One of them, by its id or its name; null where there is none. */
  connection(which: number | ConnectionName): Promise<Connection | null>;
  /**
   * Creates the connection or changes the fields given. Where the account becomes another one, what the old one was told
   * is forgotten before the row names the new one: what was delivered or rejected counts as never pushed, and what is in
   * flight to the old one changes nothing, whenever it is settled; only its attempt is kept. One that is not confirmed is
   * held for it, in the same step. Throws `USAGE` where the account is another org's that is connected.
   */
  saveConnection(key: ConnectionKey, changes: ConnectionChanges): Promise<Connection>;
  /**
   * Moves a mark of a connection forward. True for the one process that did; false where it stands there or further
   * already. One that stands at a time to come was set while the clock was ahead, and gives way.
   */
  mark(connectionId: number, mark: MarkName, value: number): Promise<boolean>;
  /** Keeps a new link for consent; the open ones of its connection are void from now on, and old ones forgotten. */
  openConsent(consent: Consent): Promise<void>;
  /**
   * Takes a link for this process, so that no second answer to it is redeemed beside the first. One that its holder
   * died with is free again. Writes nothing unless the link is taken. `again`: this process took it before, and asks
   * whether it still holds it; void once somebody else ended it. `look`: says what would become of it, and takes nothing.
   */
  takeConsent(answer: TakeRequest): Promise<TakenConsent>;
  /** Ends links, and returns how many that were. */
  endConsents(end: ConsentEnd, now: number): Promise<number>;
}

export interface TakeRequest {
  hash: string;
  vendor: string;
  now: number;
  how?: "again" | "look";
}

/** The link that this process took brought its connection, or is open again; or no open link of a connection counts from now on. */
export type ConsentEnd =
  | { outcome: "connected"; hash: string }
  /** `refusal`: why its answer brought none, in one line. */
  | { outcome: "open"; hash: string; refusal: string | null }
  | { outcome: "voided"; connection: ConnectionName };

export type ConnectionKey = ConnectionName & Pick<Connection, "subject">;

export type ConnectionChanges = Partial<Omit<Connection, "id" | "marks" | keyof ConnectionKey>>;
