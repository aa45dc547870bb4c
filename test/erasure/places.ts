/** Where an address stands in the bytes of a state directory. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { World } from "../world.ts";

/** Files, backups aside, that hold it in any of its forms: in any case, JSON-escaped, percent-encoded. */
export function placesOf({ stateDir }: Pick<World, "stateDir">, address: string): string[] {
  const [local = "", host = ""] = address.split("@");
  const escaped = [...address]
    .map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
  const forms = [address, `${local}%40${host}`, `${local}\\u0040${host}`, escaped].map((each) =>
    each.toLowerCase(),
  );
  return readdirSync(stateDir, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.startsWith("backups") && statSync(join(stateDir, name)).isFile())
    .filter((name) => {
      const bytes = readFileSync(join(stateDir, name)).toString("latin1").toLowerCase();
      return forms.some((form) => bytes.includes(form));
    });
}
