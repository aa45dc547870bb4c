import type { Connection, ConnectionName } from "../../core/connection.ts";
import type { Consent, TakenConsent } from "../../core/consent.ts";

/** Who is connected to what, and who was asked to consent. */
export interface ConnectionVerbs {
  /** The connections of one org, or all. Disconnected ones stay listed. */
  connections(org?: string): Promise<Connection[]>;
  /** One of them, by its id or its name; null where there is none. */
  connection(which: number | ConnectionName): Promise<Connection | null>;
  /** Creates the connection or changes the fields given. */
  saveConnection(key: ConnectionKey, changes: ConnectionChanges): Promise<Connection>;
  /** Keeps a new link for consent; the open ones of its connection are void from now on, and old ones forgotten. */
  openConsent(consent: Consent): Promise<void>;
  /**
   * Takes a link for this process, so that no second answer to it is redeemed beside the first. One that its holder
   * died with is free again. Writes nothing unless the link is taken.
   */
  takeConsent(answer: { hash: string; vendor: string; now: number }): Promise<TakenConsent>;
  /** False once somebody voided the link that this process took. */
  holdsConsent(hash: string): Promise<boolean>;
  /** Ends what `takeConsent` began: the link brought its connection, or is open again. */
  endConsent(hash: string, outcome: "connected" | "open", now: number): Promise<void>;
  /** From now on no link of this connection counts. Returns how many were open. */
  voidConsents(connection: ConnectionName, now: number): Promise<number>;
}

export type ConnectionKey = ConnectionName & Pick<Connection, "subject">;

export type ConnectionChanges = Partial<Omit<Connection, "id" | keyof ConnectionKey>>;
