import type { Schema } from "../../postgres/migrate.ts";

/**
 * Sealed rows, in a schema of their own: a dump that leaves it out brings no spent refresh token back. Points in time are ms
 * since the epoch.
 */
export const VAULT_SCHEMA: Schema = {
  name: "jc_vault",
  migrations: [
    `
    CREATE TABLE jc_vault.vault (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      revision bigint NOT NULL DEFAULT 0,
      salt bytea,
      proof bytea
    );
    INSERT INTO jc_vault.vault DEFAULT VALUES;
    CREATE TABLE jc_vault.items (name text COLLATE "C" PRIMARY KEY, sealed bytea NOT NULL, set_at bigint);
    `,
  ],
};
