import { type Connection, connectionName } from "../../core/connection.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { AccountContext } from "../account/context.ts";
import { notConfirmed } from "../../core/advice/not-confirmed.ts";
import type { ErasedPerson } from "../../vendors/contract/destination.ts";
import type { VaultErasure } from "./kept.ts";

/** What an org's accounts are asked about an erased person. */
export interface AskedVendor {
  connection: string;
  label: string;
  /** What it did, or why it could not be asked, in words. */
  words: string;
  isDone: boolean;
  /** It may be asked again; else only a person can do it there. */
  canAsk: boolean;
}

/** Every account that was told of them, and every one that knows people by their address. */
export async function eraseAtVendors(
  context: AccountContext & { store: Store },
  { org, remote, signal }: { org: string; remote: NonNullable<VaultErasure["remote"]>; signal: AbortSignal },
): Promise<AskedVendor[]> {
  const connections = await context.store.connections(org);
  const asked: AskedVendor[] = [];
  for (const connection of connections) {
    const told = remote.told.find(({ connectionId }) => connectionId === connection.id);
    const subjects = connection.subject === "contact" ? remote.addresses : (told?.subjects ?? []);
    const isConcerned =
      told !== undefined || (connection.subject === "contact" && connection.state !== "not_connected");
    if (!isConcerned || subjects.length === 0) continue;
    const { records = [], receipts = [], places = [] } = told ?? {};
    const person = { subjects, records, receipts, places, addresses: remote.addresses };
    asked.push(await askOne(context, connection, { person, signal }));
  }
  return asked;
}

async function askOne(
  context: AccountContext & { store: Store },
  connection: Connection,
  { person, signal }: { person: ErasedPerson; signal: AbortSignal },
): Promise<AskedVendor> {
  const destination = await context.destination(connection);
  const of = { connection: connectionName(connection), label: destination.label };
  if (!destination.erase)
    return {
      ...of,
      isDone: false,
      canAsk: false,
      words: `${destination.label} offers no call for it: a person has to do it there`,
    };
  try {
    if (!connection.isConfirmed) throw notConfirmed(connection);
    const access = await context.access(connection, { store: context.store, signal });
    const { words, left } = await destination.erase(access, person);
    if (left === null) return { ...of, isDone: true, canAsk: true, words };
    return { ...of, isDone: false, canAsk: false, words: `${words}; ${left}` };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const hint = error.hint === undefined ? "" : `. ${error.hint}`;
    return {
      ...of,
      isDone: false,
      canAsk: true,
      words: `${destination.label} was not asked: ${error.message}${hint}`,
    };
  }
}
