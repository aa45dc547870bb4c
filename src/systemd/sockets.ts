/** The sockets that systemd opens for the service and keeps over its restarts: one unit for each listener. */
import { type Places, SERVICE, UNIT, writtenBy } from "./places.ts";

/** A socket that systemd opens and keeps over restarts, for the listener of that name. */
export interface ListenerUnit {
  unit: string;
  name: string;
  key: "serve.listen" | "serve.admin_listen";
  description: string;
}

export const LISTENERS: readonly ListenerUnit[] = [
  {
    unit: `${SERVICE}.socket`,
    name: "public",
    key: "serve.listen",
    description: "JobCannon integrations: where webhooks arrive",
  },
  {
    unit: `${SERVICE}-admin.socket`,
    name: "admin",
    key: "serve.admin_listen",
    description: "JobCannon integrations: for who looks after it",
  },
];

/** `address`: `host:port` with an IP address. */
export function socketText(
  places: Places,
  { unit, name, key, description }: ListenerUnit,
  address: string,
): string {
  return `${[
    ...writtenBy(places, unit),
    `# The address is ${key} of the configuration: after a change there, install it anew.`,
    "[Unit]",
    `Description=${description}`,
    "",
    "[Socket]",
    `ListenStream=${address}`,
    `FileDescriptorName=${name}`,
    `Service=${UNIT}`,
    "# What arrives while the service restarts waits here.",
    "Backlog=4096",
    "# The address may come later than this, at boot.",
    "FreeBind=yes",
    "# Never gives up, however often the service falls.",
    "TriggerLimitIntervalSec=0",
    "",
    "[Install]",
    "WantedBy=sockets.target",
  ].join("\n")}\n`;
}
