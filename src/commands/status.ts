import {
  backfillCommand,
  connectCommand,
  RETRY_COMMAND,
  SERVE_COMMAND,
  subscribeCommand,
  VAULT_COMMAND,
  requestsCommand,
  wantedCommand,
} from "../core/advice/command-lines.ts";
import type { Command } from "commander";
import type { PushCounts } from "../store/contract/store.ts";
import type { Terminal, Tone } from "../shared/terminal.ts";
import { count, plain, possessive, relativeTime, shortTime } from "../shared/text.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

/** As many as fit into a line or two. */
const MOST_ORGS = 10;
const MIB = 1024 * 1024;
/** Less than this on the disk of the log is told before it is nothing. */
const SCARCE_BYTES = 64 * MIB;

export function registerStatus(program: Command, world: World): void {
  program
    .command("status")
    .description(
      "show connections, queue and what needs attention (exit 2: configuration or store, 4: reconnect needed, 5: tokens unreadable, 6: the vendor refuses us)",
    )
    .option("--sandbox", "the sandbox environment")
    .addHelpText("after", "\nExample:\n  jc-integrations status --org acme --json")
    .action((options: { sandbox?: boolean }, command: Command) =>
      withApp(world, command, async ({ app, globals, terminal, print }) => {
        const [{ statusOf }, { AppError }] = await Promise.all([
          import("../flows/watch/status.ts"),
          import("../shared/errors.ts"),
        ]);
        const environment = options.sandbox ? "sandbox" : "production";
        const status = await statusOf(app, { org: app.org, environment });
        print({ json: status, text: () => render(status, terminal, app) });
        const fault = status.storage.find(({ isWarning }) => !isWarning);
        if (fault) {
          const { message, hint } = fault;
          throw new AppError("STORE_UNAVAILABLE", message, hint === null ? {} : { hint });
        }
        const [unjudged] = status.secrets;
        if (unjudged) throw new AppError("CONFIG_INVALID", unjudged.message, { hint: unjudged.hint });
        if (status.tls) {
          const { message, hint } = status.tls;
          throw new AppError("CONFIG_INVALID", message, hint === null ? {} : { hint });
        }
        if (!status.isKnown && globals.org !== undefined)
          throw (await import("./session/log-to-read.ts")).unknownOrg(app);
        const lost = status.connections.filter((connection) => connection.state === "must_reconnect");
        if (lost.length > 0) {
          throw new AppError(
            "RECONNECT_NEEDED",
            `${lost.map(({ vendor }) => vendor).join(", ")} must reconnect`,
            {
              hint: lost
                .map(({ vendor }) => connectCommand({ org: status.org, vendor, environment }))
                .join("; "),
            },
          );
        }
        const refused = status.connections.filter(({ refusedFor }) => refusedFor !== null);
        if (refused.length > 0) {
          const isOurs = refused.some(({ refusedFor }) => refusedFor === "our configuration");
          throw new AppError(
            isOurs ? "CONFIG_INVALID" : "VENDOR_REJECTED",
            `${refused.map(({ label }) => label).join(", ")} refuses ${isOurs ? "our configuration" : "us"}: nothing is delivered there`,
            { hint: "The banner says why, and what to type." },
          );
        }
        const unreadable = status.connections.filter(({ tokens }) => tokens === "unreadable");
        if (unreadable.length > 0) {
          throw new AppError(
            "VAULT_UNAVAILABLE",
            `the tokens of ${unreadable.map(({ vendor }) => vendor).join(", ")} cannot be read`,
            { hint: `The banner says what to do; ${VAULT_COMMAND} shows where they rest.` },
          );
        }
      }),
    );
}

type Status = Awaited<ReturnType<typeof import("../flows/watch/status.ts").statusOf>>;

function render(status: Status, terminal: Terminal, { clock, stateDir }: Session["app"]): string {
  const { paint } = terminal;
  const now = clock.now();
  const ago = (at: string | null) => (at === null ? "–" : relativeTime(Date.parse(at), now));
  const rows = status.connections.map((connection) => [
    connection.label,
    terminal.pill(...(status.isLogRead ? pillOf(connection) : NOT_KNOWN)),
    connection.account ?? "–",
    ago(connection.lastSyncAt),
    queueOf(connection.pushes),
    connection.pushes.stuck > 0 ? paint.red(String(connection.pushes.stuck)) : "0",
  ]);
  const banners = status.connections.flatMap(({ label, banner }) =>
    banner ? [paint.yellow(`! ${label}: ${banner}`)] : [],
  );
  const versions = status.connections.flatMap(({ versionWarning }) =>
    versionWarning ? [paint.yellow(`! ${versionWarning}`)] : [],
  );
  const regions = status.connections.flatMap(({ residency }) =>
    residency === null
      ? []
      : [residency.isTrouble ? paint.yellow(`! ${residency.words}`) : paint.dim(residency.words)],
  );
  const webhooks = status.connections.flatMap(({ label, state, subscription }) =>
    state === "connected" && subscription?.state === "active"
      ? [paint.dim(`${label}: its webhooks reach us, looked at ${ago(subscription.checkedAt)}`)]
      : [],
  );
  const links = status.connections.flatMap(({ label, state, linkExpiresAt }) =>
    linkExpiresAt !== null && state !== "waiting_for_consent"
      ? [paint.dim(`${label}: a link for consent is open until ${shortTime(Date.parse(linkExpiresAt))}`)]
      : [],
  );
  const refused = status.refused.flatMap(({ banner }) => (banner ? [paint.yellow(`! ${banner}`)] : []));
  const asked = status.questions.map(({ label, n, since, reason }) => {
    const words = `${count(n, "event")} of ${label} to be looked up, the oldest came ${ago(since)}`;
    return reason === null ? paint.dim(words) : paint.yellow(`! ${words}. ${reason}`);
  });
  const wanted = wantedLines(status, paint);
  const nothing =
    status.isKnown || status.storage.length > 0 ? [] : [paint.yellow(`! ${nothingWords(status, stateDir)}`)];
  const scarce = diskWords(status.disk, stateDir).map((words) => paint.yellow(`! ${words}`));
  const storage = [...status.storage, ...status.secrets].map(({ message, hint }) =>
    paint.yellow(`! ${message}${hint === null ? "" : `\n  ${hint}`}`),
  );
  const weak = [...status.secretWarnings, ...status.openToOthers, ...status.settingWarnings].map((words) =>
    paint.yellow(`! ${plain(words)}`),
  );
  const { trouble } = status.backup;
  const unsaved = trouble === null ? [] : [paint.yellow(`! ${plain(trouble)}`)];
  const drift = status.services.flatMap(({ advice }) => advice.map((words) => paint.yellow(`! ${words}`)));
  const notes = [
    ...storage,
    ...nothing,
    ...scarce,
    ...unsaved,
    ...drift,
    ...banners,
    ...versions,
    ...weak,
    ...asked,
    ...wanted,
    ...removedWords(status).map((words) => paint.yellow(`! ${words}`)),
    ...refused,
    ...regions,
    ...webhooks,
    ...links,
  ];
  const holds = `${count(status.invites, "invite")}; the log holds ${count(status.events.total, "event")} in all`;
  return [
    `${paint.bold(status.org)}  ${paint.dim(status.isLogRead ? holds : "the log cannot be read: what is connected is not known")}`,
    "",
    terminal.table(["", "", "account", "last sync", "queue", "stuck"], rows),
    ...(notes.length > 0 ? ["", ...notes] : []),
    "",
    paint.dim(
      `next sweep ${shortTime(Date.parse(status.nextSweepAt))} · last backup ${status.backup.lastAt === null ? "none yet" : ago(status.backup.lastAt)} · service ${status.service}${runsWhat(status)}`,
    ),
    ...nextCommands(status).map((line) => paint.dim(line)),
  ].join("\n");
}

function runsWhat({ services }: Status): string {
  return services
    .map(({ version, build, config, tls }) => {
      const configuration = config === null ? "no configuration file" : `configuration ${config.digest}`;
      const certificate = tls === null ? "" : `, certificate until ${shortTime(Date.parse(tls.endsAt))}`;
      return `: ${version} (build ${build}), ${configuration}${certificate}`;
    })
    .join("; ");
}

/** Who sees nothing has often mistyped the org, or looks into another state directory. */
function nothingWords({ org, orgs }: Status, stateDir: string): string {
  const others = orgs.slice(0, MOST_ORGS).join(", ") + (orgs.length > MOST_ORGS ? ", …" : "");
  const known = orgs.length > 0 ? `; the orgs there: ${others}` : "";
  return `${org} has no connection and no events in ${stateDir}${known}`;
}

function diskWords(disk: Status["disk"], stateDir: string): string[] {
  if (disk === null || disk.freeBytes >= SCARCE_BYTES) return [];
  const free = Math.floor(disk.freeBytes / MIB);
  const [state, refuses] =
    free > 0
      ? [`almost full (${free} MB left)`, "once it is full, serve refuses events"]
      : ["full (nothing left)", "serve refuses events"];
  return [
    `the disk of ${stateDir} is ${state}: ${refuses} with 503 until there is room, nothing acknowledged is lost`,
  ];
}

/** Those that JobCannon is being asked for are none of a person's business until it says no. */
function wantedLines({ org, wanted }: Status, paint: Terminal["paint"]): string[] {
  const { n, forPerson, since, reason } = wanted;
  if (n === 0) return [];
  const words = `${count(n, "invite")} wanted by stages, the oldest since ${since?.slice(0, 16).replace("T", " ")} UTC`;
  if (forPerson > 0)
    return [paint.yellow(`! ${words}; ${forPerson} for a person to send: ${wantedCommand({ org })}`)];
  return [
    reason === null ? paint.dim(words) : paint.yellow(`! ${words}. ${reason}: ${requestsCommand({ org })}`),
  ];
}

function removedWords({ retention: { days, rejected, lastAt } }: Status): string[] {
  if (rejected === 0 || lastAt === null) return [];
  const were = rejected === 1 ? "was" : "were";
  return [
    `${count(rejected, "result")} that a vendor had rejected ${were} removed after ${count(days, "day")}, never delivered, the last on ${lastAt.slice(0, 10)}`,
  ];
}

function nextCommands(status: Status): string[] {
  const { org, connections } = status;
  const steps = connections.flatMap(({ label, vendor, environment, state, subscription, unsent }) => {
    if (!status.isLogRead) return [];
    if (state === "not_connected") return [`connect: ${connectCommand({ org, vendor, environment })}`];
    const name = { org, vendor, environment };
    const subscribing =
      state === "connected" && subscription?.state === "none"
        ? [`let ${possessive(label)} webhooks reach us: ${subscribeCommand(name)}`]
        : [];
    const earlier =
      unsent > 0
        ? [
            `${count(unsent, "earlier result")} ${unsent === 1 ? "was" : "were"} never sent: ${backfillCommand(name, "--yes")}`,
          ]
        : [];
    return [...subscribing, ...earlier];
  });
  const { nobodyAlerted } = status;
  const alerts = nobodyAlerted
    ? [`nobody is alerted of trouble, ${nobodyAlerted.reason}: ${nobodyAlerted.hint}`]
    : [];
  return [...steps, ...nextForService(status), ...alerts];
}

function nextForService({ connections, pushes, service }: Status): string[] {
  if (connections.every(({ state }) => state === "not_connected")) return [];
  if (service === "running") return [];
  if (connections.some(({ linkExpiresAt }) => linkExpiresAt !== null))
    return [`the consent will be taken by: ${SERVE_COMMAND}`];
  if (pushes.pending === 0) return [`deliver as they come: ${SERVE_COMMAND}`];
  return [
    `${count(pushes.pending, "result")} ${pushes.pending === 1 ? "waits" : "wait"} for delivery: ${SERVE_COMMAND}, or once: ${RETRY_COMMAND}`,
  ];
}

/** Without the log nobody can tell whether it is connected. */
const NOT_KNOWN: [string, Tone] = ["Not known", "off"];

function pillOf({ state, tokens }: Pick<Status["connections"][number], "state" | "tokens">): [string, Tone] {
  if (tokens === "unreadable") return ["Tokens unreadable", "bad"];
  return state === "connected" ? ["Connected", "good"] : ["Not connected", "off"];
}

function queueOf(pushes: PushCounts): string {
  const parts = [`${pushes.delivered} delivered`];
  if (pushes.pending > 0) parts.push(`${pushes.pending} pending`);
  if (pushes.held > 0) parts.push(`${pushes.held} held`);
  if (pushes.rejected > 0) parts.push(`${pushes.rejected} rejected`);
  return parts.join(", ");
}
