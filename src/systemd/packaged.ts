/** What the Debian package brings of the service: for its own program, on any Debian that takes the package. */
import { placesOf, UNIT } from "./places.ts";
import { LISTENERS, socketText } from "./sockets.ts";
import { starterConfig } from "./starter-config.ts";
import { type Abilities, unitText } from "./unit.ts";
import { KEYS } from "../shared/config-keys.ts";

/** Debian 12's systemd, Perl that is essential there, and nothing that a container might refuse. */
export const PACKAGED_ABILITIES: Abilities = {
  version: 252,
  perl: "/usr/bin/perl",
  privateUsers: false,
  needsHomes: false,
};

/** `directory`: where the package has its program, with Node beside it. Texts by their paths. */
export function packagedFiles(directory: string): Record<string, string> {
  const places = placesOf("system", {});
  const program = { nodePath: `${directory}/bin/node`, scriptPath: `${directory}/bin/jc-integrations.js` };
  const units = [
    [UNIT, unitText(places, program, PACKAGED_ABILITIES)],
    ...LISTENERS.map((listener) => [
      listener.unit,
      socketText(places, listener, String(KEYS[listener.key].default)),
    ]),
  ];
  return Object.fromEntries([
    ...units.map(([unit, text]) => [`${places.packagedUnitDir}/${unit}`, text]),
    [places.configFile, starterConfig(places, undefined)],
  ]);
}
