import type { Connection } from "../../core/connection.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { FieldReport } from "../../vendors/contract/destination.ts";
import type { Access } from "../../vendors/contract/access.ts";
import { resyncCommand } from "../../core/advice/command-lines.ts";
import { planResync, type ResyncContext, resync } from "./resync.ts";

/** What became of the fields in an account that was just connected. */
export interface Prepared {
  connection: Connection;
  /** What the bootstrap did; null where it did not come to its end. */
  fields: FieldReport | null;
  /** Why the bootstrap did not come to its end; the connection stands all the same. */
  fieldsProblem: AppError | null;
}

export type PrepareContext = Omit<ResyncContext, "access" | "store"> & {
  store: ResyncContext["store"];
  /** Calls to the account, once the connection is saved. */
  accessTo(connection: Connection): Promise<Access>;
};

/** A portal may have changed while nobody was connected to it. Where this fails, the connection stands and the failure is told. */
export async function prepareFields(context: PrepareContext, connection: Connection): Promise<Prepared> {
  try {
    const access = await context.accessTo(connection);
    const fields = await resync(
      { ...context, access },
      connection,
      await planResync({ ...context, access }, connection),
    );
    const now = await context.store.connection(connection.id);
    return { connection: now ?? connection, fields, fieldsProblem: null };
  } catch (error) {
    const reason = isAppError(error) ? error.message : "it was cut off";
    const told = await sayNotReady(context, connection, reason);
    if (!isAppError(error)) throw error;
    return { connection: told, fields: null, fieldsProblem: error };
  }
}

/** Until a resync comes to its end. */
async function sayNotReady(
  { store, destination }: PrepareContext,
  connection: Connection,
  reason: string,
): Promise<Connection> {
  const words = `the ${destination.fieldWords[1]} are not ready: ${reason}. Run: ${resyncCommand(connection)}`;
  const banner = [connection.banner, words].filter(Boolean).join("; ");
  return await store.saveConnection(connection, { banner });
}
