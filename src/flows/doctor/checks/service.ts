/** The service, the certificate it shows, and whether senders reach it. */
import { SERVE_COMMAND } from "../../../core/advice/command-lines.ts";
import { installCommand, systemctlCommand } from "../../../core/advice/systemd.ts";
import { possessive, shortTime } from "../../../shared/text.ts";
import { type Area, area, type Finding, fault, faultOf, warning } from "../finding.ts";
import type { Facts, Status } from "../look/facts.ts";
import type { TakenPort } from "../look/taken-ports.ts";
import type { UnitFacts } from "../look/service.ts";
import { foundIn } from "../look/looker.ts";
import { unlooked, unreadWords } from "./unlooked.ts";

export function serviceArea({
  status,
  unit,
  isLogRead,
  takenPorts,
}: Pick<Facts, "status" | "unit" | "isLogRead" | "takenPorts">): Area {
  const [known, installed] = [foundIn(status), foundIn(unit)];
  const [running] = known?.services ?? [];
  return area("service", "service", {
    found: [
      isLogRead ? known && notServing(known, installed) : null,
      ...takenPorts.map(takenPort),
      ...changedSince(running?.advice ?? [], installed),
      ...(installed ? unfitUnit(installed) : []),
      unlooked("service.unit", unit, { what: "asking systemd", code: "CONFIG_INVALID" }),
      known && badCertificate(known.tls),
    ],
    calm: running ? `runs ${running.version} since ${shortTime(Date.parse(running.since))}` : "",
    notLookedAt: running
      ? null
      : known && isLogRead
        ? "none runs, and nothing is to be served"
        : unreadWords(known),
  });
}

/** Whoever only imports files needs no service. */
function takenPort({ key, address }: TakenPort): Finding {
  return warning("service.port", {
    what: `another process listens on ${address} (${key})`,
    why: "serve cannot start there.",
    who: `Whoever runs this machine: see who it is by ss -ltnp, and end it, or set another ${key}.`,
  });
}

export function notServing(
  { service, connections }: Pick<Status, "service" | "connections">,
  unit: UnitFacts | null,
): Finding | null {
  if (service === "running" || connections.every(({ state }) => state === "not_connected")) return null;
  const why = "Webhooks find nobody, and results wait.";
  if (unit === null) return warning("service", { what: "no service runs", why, command: SERVE_COMMAND });
  return fault("service", "CONFIG_INVALID", {
    what: `the service is ${unit.state}`,
    why: `${why} journalctl -u jc-integrations says what it met.`,
    command: systemctlCommand(unit.scope, "start"),
  });
}

function changedSince(advice: readonly string[], unit: UnitFacts | null): Finding[] {
  return advice
    .filter((words) => /restart serve/.test(words))
    .map((words) =>
      warning("service.drift", {
        what: words.replace(/: (install it again.*|restart serve.*|look after.*)$/s, ""),
        why: "It runs with what it was started with.",
        ...(unit
          ? { command: systemctlCommand(unit.scope, "restart") }
          : { who: "Whoever started serve: stop it, and start it again." }),
      }),
    );
}

export function unfitUnit({ scope, hasWatchdog, isEnabled, outdated, isActive }: UnitFacts): Finding[] {
  const install = installCommand(scope);
  const found = [
    outdated.length > 0
      ? warning("service.unit", {
          what: `${outdated.join(", ")}: not as this program writes it`,
          why: "Limits and sockets of this version are missing.",
          command: install,
        })
      : null,
    isActive && !hasWatchdog && outdated.length === 0
      ? warning("service.watchdog", {
          what: "systemd would not notice a service that hangs: its unit has no watchdog",
          why: "It would stand still until somebody looks.",
          who: `Whoever changed the unit: take WatchdogSec out of your own lines: ${systemctlCommand(scope, "edit")}`,
        })
      : null,
    isActive && !isEnabled
      ? warning("service.boot", {
          what: "the service is not started with the machine",
          why: "After a reboot nothing is received.",
          command: systemctlCommand(scope, "enable"),
        })
      : null,
  ];
  return found.filter((each) => each !== null);
}

export function badCertificate(tls: Status["tls"]): Finding | null {
  if (tls === null) return null;
  return fault("tls", "CONFIG_INVALID", {
    what: tls.message,
    why: "Senders refuse a certificate that is not good, or will once serve starts anew.",
    who: `Whoever renews certificates: ${tls.hint ?? "put a good one there: serve takes it by itself."}`,
  });
}

export function receiverArea({
  receiver,
  publicUrl,
  status,
  isLogRead,
}: Pick<Facts, "receiver" | "publicUrl" | "status" | "isLogRead">): Area {
  const isServed = foundIn(status)?.service === "running";
  const reached = foundIn(receiver);
  return area("receiver", "receiver", {
    found: [unreachable({ receiver, publicUrl })],
    calm: reached ? `${reached.url}${reached.isTls ? ", over TLS 1.2 or newer" : ""}` : "",
    notLookedAt: reached
      ? null
      : !isLogRead
        ? unreadWords(foundIn(status))
        : isServed
          ? "nobody is connected"
          : "serve does not run",
  });
}

const PROXY = "Whoever runs the way there";

export function unreachable({ receiver, publicUrl }: Pick<Facts, "receiver" | "publicUrl">): Finding | null {
  const why = "Vendors' webhooks do not reach us, nor does consent by link.";
  const at = (what: string, who: string) => fault("receiver", "CONFIG_INVALID", { what, why, who });
  if (receiver.is === "known") {
    const { url, status, isOurs } = receiver.value;
    if (status === 200 && isOurs) return null;
    const what = status === 200 ? `something else answers at ${url}` : `${url} answers ${status}`;
    return at(what, `${PROXY}: let serve.public_url lead to serve.listen, unchanged.`);
  }
  if (receiver.is !== "failed")
    return unlooked("receiver", receiver, { what: `asking ${publicUrl}`, code: "CONFIG_INVALID" });
  const { problem } = receiver;
  if (problem.code !== "VENDOR_UNAVAILABLE") return faultOf("receiver", problem, why);
  const [what, who] = wayWords(problem.message, publicUrl);
  return at(`${what} (${problem.message})`, who);
}

/** By the words of Node and OpenSSL. */
function wayWords(message: string, publicUrl: string): [what: string, who: string] {
  const { hostname } = new URL(publicUrl);
  if (/ENOTFOUND|EAI_AGAIN/.test(message))
    return [
      `${hostname} has no address here`,
      `Whoever keeps the DNS of ${hostname}: let it lead to this service.`,
    ];
  if (/CERT_HAS_EXPIRED/.test(message))
    return [`the certificate of ${hostname} has ended`, "Whoever renews it: serve.tls_cert, or the proxy's."];
  if (/ALTNAME/.test(message))
    return [`the certificate there is not for ${hostname}`, "Whoever ordered it: one that names this host."];
  if (/CERT|SELF_SIGNED|ISSUER|VERIFY/.test(message))
    return [
      `the certificate of ${hostname} is not trusted`,
      "Whoever ordered it: serve the whole chain. One of your own authority: set network.ca_file.",
    ];
  if (/SSL|EPROTO|PROTOCOL/.test(message))
    return [`${hostname} does not speak TLS 1.2 or newer`, `${PROXY}: turn on TLS 1.2 and 1.3 there.`];
  return [
    `the receiver cannot be reached at ${possessive(hostname)} address`,
    `${PROXY}: let serve.public_url lead to serve.listen (firewall, proxy, DNS).`,
  ];
}
