import type { Command } from "commander";
import { connectCommand, VAULT_COMMAND } from "../core/advice/command-lines.ts";
import type { Environment } from "../core/connection.ts";
import { AppError, ERROR_CODES } from "../shared/errors.ts";
import type { World } from "../shared/world.ts";
import { renderStatus, type Status } from "./session/status-text.ts";
import { type Session, withApp } from "./session/with-app.ts";

interface Flags {
  sandbox?: boolean;
  all?: boolean;
  watch?: boolean;
}

const LOOK_EVERY_MS = 2_000;
/** To the upper left, and nothing below. */
const CLEAR_SCREEN = "\u001b[H\u001b[2J";

export function registerStatus(program: Command, world: World): void {
  program
    .command("status")
    .description(
      "show connections, queue and what needs attention (exit 2: configuration or store, 4: reconnect needed, 5: tokens unreadable, 6: the vendor refuses us)",
    )
    .option("--sandbox", "the sandbox environment")
    .option("--all", "of every org")
    .option("--watch", "go on looking, until Ctrl-C")
    .addHelpText(
      "after",
      "\nExamples:\n  jc-integrations status --org acme --json\n  jc-integrations status --all --watch",
    )
    .action((flags: Flags, command: Command) =>
      withApp(world, command, async (session) => {
        if (flags.watch) return await watch(session, flags);
        const statuses = await look(session, flags);
        const trouble = await troubleIn(session, flags, statuses);
        show(session, flags, { statuses, trouble });
        if (trouble) throw trouble;
      }),
    );
}

async function look({ app }: Session, { all, sandbox }: Flags): Promise<Status[]> {
  const { statusOf } = await import("../flows/status/status.ts");
  const environment = sandbox ? "sandbox" : "production";
  const own = await statusOf(app, { org: app.org, environment });
  if (!all) return [own];
  const orgs = new Set([...own.orgs, ...Object.keys(app.config.orgs)]);
  const statuses: Status[] = [];
  for (const org of [...orgs].toSorted())
    statuses.push(org === app.org ? own : await statusOf(app, { org, environment }));
  return statuses.length > 0 ? statuses : [own];
}

/** `trouble`: what follows below, as the error that the command ends with. */
function show(
  { app, terminal, print }: Session,
  { all }: Flags,
  { statuses, trouble }: { statuses: readonly Status[]; trouble: AppError | null },
): void {
  const [first] = statuses;
  const json = all || !first ? { orgs: statuses } : first;
  const { stateDir, clock } = app;
  print({ json, text: () => renderStatus(statuses, { terminal, now: clock.now(), stateDir, trouble }) });
}

/** On a terminal in the same place; elsewhere, and for scripts, whenever something changed. */
async function watch(session: Session, flags: Flags): Promise<void> {
  const { app, world, globals } = session;
  const inPlace = world.io.stdoutIsTerminal && !globals.json;
  let last = "";
  while (!world.signal.aborted) {
    const statuses = await look(session, flags);
    const text = JSON.stringify(statuses);
    if (inPlace) world.io.out(CLEAR_SCREEN);
    if (inPlace || text !== last) show(session, flags, { statuses, trouble: null });
    last = text;
    await app.clock.sleep(LOOK_EVERY_MS, world.signal).catch(() => {});
  }
}

/** The worst by its exit code: configuration and store, tokens, logins, vendors. */
const WORST_FIRST = [2, 5, 4, 6];

async function troubleIn(
  session: Session,
  { sandbox }: Flags,
  statuses: readonly Status[],
): Promise<AppError | null> {
  const environment = sandbox ? "sandbox" : "production";
  const troubles: AppError[] = [];
  for (const status of statuses) {
    const trouble = await troubleOf(session, status, environment);
    if (trouble) troubles.push(trouble);
  }
  const rank = ({ code }: AppError) => WORST_FIRST.indexOf(ERROR_CODES[code].exit);
  return troubles.toSorted((a, b) => rank(a) - rank(b))[0] ?? null;
}

async function troubleOf(
  { app, globals }: Session,
  status: Status,
  environment: Environment,
): Promise<AppError | null> {
  const fault = status.storage.find(({ isWarning }) => !isWarning);
  if (fault) return asError("STORE_UNAVAILABLE", fault);
  const account = accountTrouble(status, environment);
  // A service that cannot read the vault lacks what its senders sign with, too.
  if (account?.code === "VAULT_UNAVAILABLE") return account;
  const unjudged = status.secrets.find(({ isStep }) => !isStep);
  if (unjudged) return asError("CONFIG_INVALID", unjudged);
  if (status.tls) return asError("CONFIG_INVALID", status.tls);
  if (!status.isKnown && globals.org !== undefined)
    return (await import("./session/log-to-read.ts")).unknownOrg(app);
  return account;
}

function asError(
  code: "STORE_UNAVAILABLE" | "CONFIG_INVALID",
  { message, hint }: { message: string; hint: string | null },
): AppError {
  return new AppError(code, message, hint === null ? {} : { hint });
}

function accountTrouble({ org, connections }: Status, environment: Environment): AppError | null {
  const lost = connections.filter(({ state }) => state === "must_reconnect");
  if (lost.length > 0) {
    return new AppError("RECONNECT_NEEDED", `${lost.map(({ vendor }) => vendor).join(", ")} must reconnect`, {
      hint: lost.map(({ vendor }) => connectCommand({ org, vendor, environment })).join("\n"),
    });
  }
  const refused = connections.filter(({ refusedFor }) => refusedFor !== null);
  if (refused.length > 0) {
    const isOurs = refused.some(({ refusedFor }) => refusedFor === "our configuration");
    return new AppError(
      isOurs ? "CONFIG_INVALID" : "VENDOR_REJECTED",
      `${refused.map(({ label }) => label).join(", ")} refuses ${isOurs ? "our configuration" : "us"}: nothing is delivered there`,
      { hint: "Its line above says why, and what to type." },
    );
  }
  const unreadable = connections.filter(({ tokens }) => tokens === "unreadable");
  if (unreadable.length === 0) return null;
  return new AppError(
    "VAULT_UNAVAILABLE",
    `the tokens of ${unreadable.map(({ vendor }) => vendor).join(", ")} cannot be read`,
    { hint: `Its line above says what to do; ${VAULT_COMMAND} shows where they rest.` },
  );
}
