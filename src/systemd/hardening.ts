/** What the service may not do, in lines of a `[Service]` section: all that Node, SQLite and our calls can do without. */
import type { Scope } from "../core/service-scope.ts";

type Lines = readonly string[];

export function hardeningOf(
  scope: Scope,
  { privateUsers, needsHomes }: { privateUsers: boolean; needsHomes: boolean },
): Lines {
  if (scope === "user") return [...OF_EACH, ...filter("~@privileged"), "TasksMax=128", "MemoryMax=1G"];
  return [
    "ProtectSystem=strict",
    ...(needsHomes
      ? [
          "# Not hidden: Node, the program or a file of the configuration lies there.",
          "ProtectHome=read-only",
        ]
      : ["ProtectHome=yes"]),
    ...OF_SYSTEM,
    ...(privateUsers ? ["PrivateUsers=yes"] : []),
    ...OF_EACH,
    ...filter("~@privileged @resources"),
    "TasksMax=128",
    "MemoryMax=1G",
    "# Node may not raise it itself.",
    "LimitNOFILE=16384",
    "# Not ProcSubset=pid: it hides the boot id, by which processes that share the log know who is alive.",
    "# Not MemoryDenyWriteExecute=yes: Node's compiler writes the code it runs.",
  ];
}

/** A person's systemd has not the rights for them. */
const OF_SYSTEM = [
  "PrivateTmp=yes",
  "PrivateDevices=yes",
  "PrivateMounts=yes",
  "PrivateIPC=yes",
  "DevicePolicy=closed",
  "ProtectClock=yes",
  "ProtectHostname=yes",
  "ProtectKernelLogs=yes",
  "ProtectKernelModules=yes",
  "ProtectKernelTunables=yes",
  "ProtectControlGroups=yes",
  "ProtectProc=invisible",
  "RemoveIPC=yes",
  "CapabilityBoundingSet=",
];

/** Held by the kernel's filter of calls, which needs no rights. */
const OF_EACH = [
  "LockPersonality=yes",
  "RestrictNamespaces=yes",
  "RestrictRealtime=yes",
  "RestrictSUIDSGID=yes",
  "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
];

function filter(without: string): Lines {
  return [
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    `SystemCallFilter=${without}`,
    "# What is refused fails, and ends nothing.",
    "SystemCallErrorNumber=EPERM",
  ];
}
