import { execFile } from "node:child_process";
import { writeSync } from "node:fs";
import { hrtime } from "node:process";
import { cut, plain } from "../shared/text.ts";
import type { Handed } from "../shared/world.ts";

/** What sd_notify(3) lets a service say. */
export interface Told {
  READY?: "1";
  RELOADING?: "1";
  STOPPING?: "1";
  WATCHDOG?: "1";
  EXTEND_TIMEOUT_USEC?: string;
  /** For a person who types `systemctl status`. */
  STATUS?: string;
}

/** Tells the service manager. In order; what it cannot take now it hears before the next. */
export type Notify = (told: Told) => void;

/** systemd reads no message over 4 KiB. */
const LONGEST_STATUS = 600;
/** As many messages wait for a systemd that takes none; the oldest are of no use then. */
const MOST_WAITING = 8;

/** Silent where nobody listens. `redact`: nothing of a secret is said. */
export function createNotify(to: Handed["notify"], redact: (text: string) => string): Notify {
  if (to === null) return () => {};
  const send = to.descriptor === null ? byCommand(to.socket) : byDescriptor(to.descriptor);
  return (told) => {
    const { STATUS } = told;
    const said = {
      ...told,
      ...(STATUS === undefined ? {} : { STATUS: cut(plain(redact(STATUS)), LONGEST_STATUS) }),
      // Of Type=notify-reload, which takes an answer to an older reload for none; others ignore it.
      ...(told.RELOADING ? { MONOTONIC_USEC: String(hrtime.bigint() / 1_000n) } : {}),
    };
    send(Object.entries(said).map(([name, value]) => `${name}=${value}`));
  };
}

type Send = (lines: readonly string[]) => void;

/** A datagram each, some 15 µs. Never waits: a systemd that is busy must not hold up webhooks. */
function byDescriptor(descriptor: number): Send {
  let waiting: string[] = [];
  return (lines) => {
    waiting = [...waiting, lines.join("\n")].slice(-MOST_WAITING);
    try {
      for (;;) {
        const [next] = waiting;
        if (next === undefined) return;
        writeSync(descriptor, next);
        waiting.shift();
      }
    } catch {
      // Said again with the next message, which comes within a third of the watchdog's time.
    }
  };
}

/** A process each, some 7 ms, one after the other. */
function byCommand(socket: string): Send {
  let last: Promise<void> = Promise.resolve();
  const run = (lines: readonly string[]) =>
    new Promise<void>((resolve) => {
      const options = { env: { NOTIFY_SOCKET: socket, PATH: "/usr/bin:/bin" }, timeout: 5_000 };
      execFile("systemd-notify", lines, options, () => resolve());
    });
  return (lines) => {
    last = last.then(() => run(lines));
  };
}
