import { randomBytes } from "node:crypto";
import { type Places, type Program, SERVICE } from "./places.ts";
import { surroundingsOf, withoutVariables } from "./unit.ts";
import type { Answer, Runner } from "./runner.ts";

/**
 * Runs one command line of ours as the service's user, with its directories and its vault key. systemd does it,
 * in a unit of its own: it alone hands out the credential, and does so as for the service. Returns the exit code.
 */
export async function execAsService(
  runner: Runner,
  { signal, stdin, ...command }: Command & { signal: AbortSignal; stdin?: number | undefined },
): Promise<number> {
  const unit = `${SERVICE}-exec-${randomBytes(6).toString("hex")}.service`;
  const manager = command.places.scope === "user" ? ["--user"] : [];
  // systemd-run may be gone by the same Ctrl-C, and would leave its unit behind. To stop one that ended is no error.
  let stopped: Promise<unknown> = Promise.resolve();
  const stop = () => {
    stopped = runner.run("systemctl", [...manager, "stop", unit]);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await runner.attach("systemd-run", execArguments(unit, command), stdin);
  } finally {
    signal.removeEventListener("abort", stop);
    await stopped;
  }
}

/** Runs it the same way, and returns how it ended with what it said. */
export async function askAsService(runner: Runner, command: Command): Promise<Answer> {
  const unit = `${SERVICE}-exec-${randomBytes(6).toString("hex")}.service`;
  return await runner.run("systemd-run", execArguments(unit, command));
}

interface Command {
  places: Places;
  program: Program;
  argv: readonly string[];
  cwd: string;
  /** Who types: for the record of what was sent again. */
  person: string;
}

/** For systemd-run: a terminal of its own where we have one (so Ctrl-C reaches the command), else our own streams. */
export function execArguments(unit: string, { places, program, argv, cwd, person }: Command): string[] {
  const { settings, environment } = surroundingsOf(places);
  return [
    ...(places.scope === "user" ? ["--user"] : []),
    ...["--pty", "--pipe", "--wait", "--collect", "--quiet", `--unit=${unit}`],
    // Else the journal gets the command line, and with it a candidate's address.
    "--description=a command of jc-integrations, run as its service",
    // Files are named from where the operator stands; the dash: it may be a place the service's user cannot enter.
    `--property=WorkingDirectory=-${cwd}`,
    ...settings.map(([name, value]) => `--property=${name}=${value}`),
    ...Object.entries({ ...environment, SUDO_USER: person }).map(
      ([name, value]) => `--setenv=${name}=${value}`,
    ),
    "--",
    program.nodePath,
    ...[program.scriptPath, ...argv].map(withoutVariables),
  ];
}
