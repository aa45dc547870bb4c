import type { Handed } from "../shared/world.ts";

/** sd_listen_fds(3) counts from here. */
const FIRST_DESCRIPTOR = 3;

const VARIABLES = [
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
  "NOTIFY_SOCKET",
  "JC_NOTIFY_FD",
];

/** Reads what systemd handed to the process with that pid, and takes it out of `env`, since no child is meant by it. */
export function takeHanded(env: NodeJS.ProcessEnv, pid: number): Handed {
  const isForUs = (variable: string) => env[variable] === undefined || env[variable] === String(pid);
  const count = env.LISTEN_PID !== undefined && isForUs("LISTEN_PID") ? Number(env.LISTEN_FDS ?? 0) : 0;
  const names = env.LISTEN_FDNAMES?.split(":") ?? [];
  const sockets = Array.from({ length: count }, (_, n): [string, number] => [
    names[n] ?? "unknown",
    FIRST_DESCRIPTOR + n,
  ]);
  const usec = Number(env.WATCHDOG_USEC ?? 0);
  const handed: Handed = {
    sockets: new Map(sockets),
    notify:
      env.NOTIFY_SOCKET === undefined
        ? null
        : {
            socket: env.NOTIFY_SOCKET,
            descriptor: env.JC_NOTIFY_FD === undefined ? null : Number(env.JC_NOTIFY_FD),
          },
    watchdogMs: usec > 0 && isForUs("WATCHDOG_PID") ? usec / 1_000 : null,
  };
  for (const variable of VARIABLES) delete env[variable];
  return handed;
}
