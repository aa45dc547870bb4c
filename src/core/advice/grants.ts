/** The least rights of a role that works on the log in PostgreSQL, as SQL. Pure. */

interface DatabaseSchema {
  name: string;
  /** Tables that only migrations and copies write, beside the one with the schema's version. */
  onlyRead: readonly string[];
}

/** All that we make in a database; a test compares them with what the migrations make. */
export const DATABASE_SCHEMAS: readonly DatabaseSchema[] = [
  { name: "jc", onlyRead: ["log_file", "clock_offset"] },
  { name: "jc_vault", onlyRead: [] },
];

const KINDS = [
  ["TABLES", "SELECT, INSERT, UPDATE, DELETE"],
  ["SEQUENCES", "USAGE, SELECT"],
  ["FUNCTIONS", "EXECUTE"],
] as const;

/** One statement each. What a later migration of the same owner makes is granted as it is made. */
export function grantsFor(role: string): string[] {
  const to = identifier(role);
  return DATABASE_SCHEMAS.flatMap(({ name, onlyRead }) => [
    `GRANT USAGE ON SCHEMA ${name} TO ${to};`,
    ...KINDS.map(([kind, rights]) => `GRANT ${rights} ON ALL ${kind} IN SCHEMA ${name} TO ${to};`),
    ...KINDS.map(
      ([kind, rights]) => `ALTER DEFAULT PRIVILEGES IN SCHEMA ${name} GRANT ${rights} ON ${kind} TO ${to};`,
    ),
    `REVOKE INSERT, UPDATE, DELETE ON ${["schema_version", ...onlyRead].map((table) => `${name}.${table}`).join(", ")} FROM ${to};`,
  ]);
}

/** Quoted, so that no name is a word of SQL. */
function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
