/** Where somebody wrote a secret into the configuration: what to type instead. Pure. */
import { setSecretCommand } from "./command-lines.ts";

/** `path`: of a key, as `orgs.acme.hubspot_client_secret`; null where it is that of no secret among `names`. */
export function misplacedSecret(path: string, names: readonly string[]): string | null {
  const said = withDashes(path);
  const org = /^orgs\.([^.]+)\./.exec(path)?.[1];
  const whose = {
    ...(org === undefined ? {} : { org }),
    ...(path.startsWith("sandbox.") ? { environment: "sandbox" as const } : {}),
  };
  const name = names.find((each) => isEndOf(said, withDashes(each)));
  if (name !== undefined) return setSecretCommand(name, whose);
  const kinds = names.map((each) => each.slice(each.indexOf(".") + 1));
  return kinds.some((kind) => isEndOf(said, kind)) ? setSecretCommand("<name>", whose) : null;
}

function withDashes(path: string): string {
  return path.toLowerCase().replace(/[._]/g, "-");
}

function isEndOf(said: string, name: string): boolean {
  return said === name || said.endsWith(`-${name}`);
}
