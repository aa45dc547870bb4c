/** docs/schemas/, as a script reads it. */
import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";

const FOLDER = new URL("../../docs/schemas/", import.meta.url);

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });

/** What is not as the schema says; null where all is. */
export function faultsIn(name: string, output: unknown): unknown {
  const check = ajv.getSchema(name) ?? ajv.addSchema(schemaOf(name), name).getSchema(name);
  if (!check) throw new Error(`docs/schemas/${name}.json is no schema`);
  return check(output) ? null : check.errors;
}

/** The name of the schema for each command that a schema's title names. */
export function schemaNames(): Map<string, string> {
  const names = readdirSync(FOLDER).map((file) => file.replace(/\.json$/, ""));
  return new Map(
    names.flatMap((name) => commandsIn(schemaOf(name).title).map((command) => [command, name] as const)),
  );
}

/** "replay --json, backfill --json" names two. */
function commandsIn(title: string): string[] {
  const parts = title.split(", ").map((part) => /^([a-z -]+) --json$/.exec(part)?.[1]);
  return parts.flatMap((command) => command ?? []);
}

function schemaOf(name: string): { title: string } {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8"));
}
