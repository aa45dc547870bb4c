import { connectCommand } from "./command-lines.ts";
import type { ConnectionName } from "../connection.ts";

/** How consent comes back from a browser on another machine than ours. */
export function consentElsewhere(
  of: ConnectionName,
  { port, canPaste }: { port: number; canPaste: boolean },
): string[] {
  const tunnel = `ssh -N -L ${port}:127.0.0.1:${port} <this machine>`;
  if (!canPaste)
    return [
      `Open the link where a browser is. It comes back to this machine if you run there first: ${tunnel}`,
      `Or end this, and run: ${connectCommand(of, "--no-browser")}`,
    ];
  return [
    "Open the link where a browser is, and paste the address it ends at, here: that page does not load there, and need not.",
    `Or have it come back by itself, and run there first: ${tunnel}`,
  ];
}
