import type { Way } from "../../postgres/connect.ts";
import { openDatabase } from "../../postgres/database.ts";
import type { Clock } from "../../shared/clock.ts";
import type { Sql } from "../../postgres/sql.ts";
import type { VaultPlace } from "../rows.ts";
import { vaultInDatabase } from "./place.ts";
import { type VaultSession, vaultSession } from "./session.ts";

export interface VaultDatabaseOptions {
  /** To the database, perhaps over a pooler. */
  config: Way;
  /** To the server itself. */
  direct: Way;
  /** In words. */
  where: string;
  clock: Pick<Clock, "sleep" | "monotonic">;
  /** Throws `CONFIG_INVALID` where nobody is to write there; unless given, somebody always may. */
  insist?: (sql: Sql) => Promise<void>;
}

export interface SharedVault {
  place: VaultPlace;
  /** Makes the tables, or brings them to this program's version, without the vault's key. */
  prepare(): Promise<void>;
  exclusively: VaultSession["exclusively"];
  notices: VaultSession["notices"];
  close(): Promise<void>;
}

const CONNECTIONS = 2;
/** Tokens are asked for once in a while. */
const IDLE_MS = 10_000;

/** The rows of a vault that machines share, and what parts them. Connects to nothing before it is asked. */
export function openSharedVault({
  config,
  direct,
  where,
  clock,
  insist = async () => {},
}: VaultDatabaseOptions): SharedVault {
  const db = openDatabase({ ...config, max: CONNECTIONS, idleTimeoutMillis: IDLE_MS });
  const session = vaultSession(direct, clock);
  const place = vaultInDatabase({ db, where, revision: session.revision, onRevision: session.saw, insist });
  return {
    place,
    prepare: place.prepare,
    exclusively: session.exclusively,
    notices: session.notices,
    close: async () => {
      await session.close();
      await db.close();
    },
  };
}
