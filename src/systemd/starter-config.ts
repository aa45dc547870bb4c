import { setSecretCommand, SHOW_CONFIG_COMMAND } from "../core/advice/command-lines.ts";
import { reaching } from "../core/advice/systemd.ts";
import type { Places } from "./places.ts";

/** The first configuration. The system's service has the key as a credential; a person's other commands have to find it too. */
export function starterConfig({ scope, keyFile }: Places, org: string | undefined): string {
  const key =
    scope === "system"
      ? `# The key is the unit's credential, from ${keyFile}.`
      : `key_file = ${JSON.stringify(keyFile)}`;
  return `# All keys and where their values come from: ${reaching(scope, SHOW_CONFIG_COMMAND)}
${org === undefined ? '# org = "acme"' : `org = ${JSON.stringify(org)}`}

[hubspot]
# client_id = "…"
# Its secret rests in the vault: ${reaching(scope, setSecretCommand("hubspot.client-secret"))}

[vault]
backend = "sealed"
${key}
`;
}
