/** What a service that runs was started with, and what stands in its place now. */
export interface Drift {
  running: { version: string; build: string };
  /** Null: nothing is there any more. */
  installed: { version: string; build: string } | null;
  /** The configuration file and its digest before and now; `unknown`: it cannot be read by who looks. */
  config: { before: string | null; now: string | null | "unknown" };
  lostLines: number;
}

const RESTART = "restart serve (systemd: sudo systemctl restart jc-integrations)";

/** What a restart would change, in sentences; empty when nothing would. */
export function driftWords({ running, installed, config, lostLines }: Drift): string[] {
  const words: string[] = [];
  if (installed === null)
    words.push(`the program that serve runs is gone from its place: install it again, then ${RESTART}`);
  else if (installed.version !== running.version || installed.build !== running.build)
    words.push(`${installedWords(running, installed)} is installed: ${RESTART}`);
  if (config.now !== "unknown" && config.now !== config.before)
    words.push(`the configuration changed since serve started: ${RESTART}`);
  if (lostLines > 0)
    words.push(
      `${lostLines} lines of serve's log could not be written: look after the disk or the journal that takes them, then ${RESTART}`,
    );
  return words;
}

function installedWords(running: Drift["running"], installed: Drift["running"]): string {
  if (installed.version === running.version) return `a newer program (${installed.version}, another build)`;
  const isOlder = compare(installed.version, running.version) < 0;
  return `${isOlder ? "an older" : "a newer"} program (${installed.version})`;
}

/** By number, part by part. */
function compare(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}
