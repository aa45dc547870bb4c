import { EXIT_INTERRUPTED } from "../shared/errors.ts";

const SAME_WISH_MS = 300;

/** The part of the process that signals need. */
interface Signalled {
  on(name: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): never;
}

/**
 * SIGINT, SIGTERM and the end of our terminal stop what runs; a second one, given later, ends it at once. A SIGHUP
 * without a terminal is no wish to end: Node has reset what `nohup` set, and a service is asked by it to read anew.
 */
export function heedSignals(
  us: Signalled,
  { hasTerminal, stop, onReload }: { hasTerminal: boolean; stop: AbortController; onReload: () => void },
): void {
  let firstAt: number | null = null;
  const end = (name: NodeJS.Signals) => {
    const now = performance.now();
    // One Ctrl-C may reach us twice, from the terminal and from a parent; a person's second one comes later.
    if (firstAt !== null && now - firstAt > SAME_WISH_MS) us.exit(EXIT_INTERRUPTED);
    firstAt ??= now;
    stop.abort(new DOMException(name, "AbortError"));
  };
  us.on("SIGINT", () => end("SIGINT"));
  us.on("SIGTERM", () => end("SIGTERM"));
  us.on("SIGHUP", () => (hasTerminal ? end("SIGHUP") : onReload()));
  // SIGUSR1 would open Node's inspector, and with it all our secrets, to anybody on this machine; SIGUSR2 would end us.
  for (const name of ["SIGUSR1", "SIGUSR2"] as const) us.on(name, () => {});
}
