import {
  backfillCommand,
  connectCommand,
  resyncCommand,
  SERVE_COMMAND,
  subscribeCommand,
  trialCommand,
} from "../core/advice/command-lines.ts";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import type { Account, Connection } from "../core/connection.ts";
import type { Connected } from "../flows/connect/connect.ts";
import { loginWords } from "../core/advice/login-age.ts";
import { scopeFixes } from "../core/advice/missing-scopes.ts";
import { AppError } from "../shared/errors.ts";
import { count, plain, shortTime } from "../shared/text.ts";
import type { Destination } from "../vendors/contract/destination.ts";
import { canAsk, saysYes } from "./session/agreement.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerConnect(program: Command, world: World): void {
  program
    .command("connect <vendor>")
    .description("give consent in the browser, keep the tokens, prepare the account")
    .option("--no-browser", "only print the link, and take the address the browser ends at")
    .option("--via-service", "print a link, valid for 7 days, for the account's admin; `serve` finishes it")
    .option("--sandbox", "the sandbox environment")
    .addHelpText("after", EXAMPLES)
    .action((vendor: string, options: ConnectOptions, command: Command) =>
      withApp(world, command, async (session) => {
        if (!options.viaService) return await runConnect(session, vendor, options);
        const { runConnectViaService } = await import("./connect-via-service.ts");
        await runConnectViaService(session, vendor, options);
      }),
    );
}

interface ConnectOptions {
  browser: boolean;
  viaService?: boolean;
  sandbox?: boolean;
}

const EXAMPLES = `
Example:
  jc-integrations connect hubspot --org acme
  jc-integrations connect hubspot --org acme --via-service --json`;

async function runConnect(session: Session, vendor: string, options: ConnectOptions): Promise<void> {
  const { app, world, terminal, print, say } = session;
  const { connect } = await import("../flows/connect/connect.ts");
  const environment = options.sandbox ? "sandbox" : "production";
  const destination = await app.destination({ org: app.org, vendor, environment });
  const [store, vault, http, tokens] = await Promise.all([
    app.store(),
    app.vault(),
    app.http(),
    app.tokens(),
  ]);
  const done = new AbortController();
  try {
    const connected = await connect(
      {
        clock: app.clock,
        http,
        store,
        vault,
        tokens,
        destination,
        accessTo: (connection) => app.access(connection, { store, signal: world.signal }),
      },
      {
        org: app.org,
        environment,
        signal: world.signal,
        confirmOtherAccount: async (before, after) => {
          done.abort();
          return await confirmOtherAccount(session, before, after);
        },
        consent: {
          onUrl: (url) => {
            say(`Give JobCannon access to ${destination.label} in the browser:`);
            // Unredacted: this one place is where its state has to be seen.
            world.io.err(`\n${url}\n\n`);
            if (!options.browser) say("On another machine: paste the address the browser ends at, here.");
          },
          onTick: (seconds) => {
            if (world.io.stderrIsTerminal) world.io.err(`\r\u001b[2Kwaiting for consent, ${seconds} s left `);
          },
          onNotice: say,
          ...(options.browser ? { openBrowser: world.openBrowser } : {}),
          ...(world.io.stdinIsTerminal || !options.browser
            ? { pastedLines: linesOf(world, done.signal) }
            : {}),
        },
      },
    );
    clearCountdown(world);
    print({
      json: jsonOf(connected, vault.describe()),
      text: () => render(connected, destination, { vault: vault.describe(), terminal, now: app.clock.now() }),
    });
    refusePartial(connected, destination);
  } finally {
    done.abort();
  }
}

function clearCountdown({ io }: World): void {
  if (io.stderrIsTerminal) io.err("\r\u001b[2K");
}

async function confirmOtherAccount(
  { globals, world }: Session,
  before: Account,
  after: Account,
): Promise<boolean> {
  if (globals.yes) return true;
  if (!canAsk({ globals, world })) {
    throw new AppError("USAGE", `consent came from account ${after.id}, not ${before.id} as before`, {
      hint: "If that is meant, run it again with --yes. Nothing was changed.",
    });
  }
  clearCountdown(world);
  world.io.err(
    `This is account ${after.id} (${plain(after.name)}), not ${before.id} as before: all results would count as never sent.\n`,
  );
  return await saysYes(world, "Connect to this account?");
}

/** What is typed or pasted, until `done`: then the stream must not keep the process alive. */
async function* linesOf(world: World, done: AbortSignal): AsyncGenerator<string> {
  const reader = createInterface({ input: world.io.stdin, terminal: false });
  done.addEventListener("abort", () => {
    reader.close();
    world.io.stdin.pause();
    if ("unref" in world.io.stdin && typeof world.io.stdin.unref === "function") world.io.stdin.unref();
  });
  try {
    yield* reader;
  } catch {
    // A terminal that was closed says nothing any more; consent may still come by the browser.
  }
}

function render(
  connected: Connected,
  { label, ats, fieldWords }: Destination,
  { vault, terminal, now }: { vault: string; terminal: Session["terminal"]; now: number },
): string {
  const { connection, fields, released } = connected;
  const { paint, table, pill } = terminal;
  const { account, login } = connection;
  const rows = [
    [
      "account",
      account ? `${plain(account.name)} (${account.id}${account.kind ? `, ${account.kind}` : ""})` : "–",
    ],
    ["data hosted in", account?.region ?? "not told"],
    ...scopeRows(connection, paint),
    [
      "token",
      connection.tokenExpiresAt === null
        ? "does not expire"
        : `until ${shortTime(connection.tokenExpiresAt)}, refreshed by itself`,
    ],
    ...(login ? [["login", loginWords(login, now)]] : []),
    ["vault", vault],
    ...(fields
      ? [
          [
            fieldWords[1],
            ats
              ? `${fields.existing.length} found`
              : `${fields.created.length} created, ${fields.existing.length} there already`,
          ],
        ]
      : []),
    ...(released > 0 ? [["held results", `${released} go out now`]] : []),
  ];
  const steps = nextSteps(connected, ats !== undefined);
  return [
    `${label}  ${pill("Connected", "good")}`,
    "",
    table(["", ""], rows).replace(/^\s*\n/, ""),
    ...(steps.length > 0 ? ["", ...steps] : []),
  ].join("\n");
}

/** What to type now: one line each; none where a service does what is left. */
function nextSteps({ connection, waiting, isServed }: Connected, isAts: boolean): string[] {
  const { vendor, org, environment, subscription } = connection;
  const subscribing =
    isAts && subscription === null ? [`Let its webhooks reach us: ${subscribeCommand(connection)}`] : [];
  if (environment === "sandbox") {
    const trial = `Results go to production only. Try the whole road: ${trialCommand({ vendor, org })}`;
    return [...subscribing, trial];
  }
  const earlier =
    waiting > 0
      ? [
          `${count(waiting, "earlier result")} ${waiting === 1 ? "waits" : "wait"}: ${backfillCommand(connection)}`,
        ]
      : [];
  const steps = [...subscribing, ...earlier];
  return steps.length > 0 || isServed ? steps : [`Deliver as they come: ${SERVE_COMMAND}`];
}

/** What was granted, beside what was wanted when that is more. */
function scopeRows({ scopes, missingScopes }: Connection, paint: Session["terminal"]["paint"]): string[][] {
  if (missingScopes.length === 0) return [["scopes", `${scopes.length} granted`]];
  return [
    ["scopes", `${scopes.length} of ${scopes.length + missingScopes.length} granted`],
    ...scopes.map((scope) => ["", `${scope}  ${paint.green("granted")}`]),
    ...missingScopes.map((scope) => ["", `${scope}  ${paint.red("missing")}`]),
  ];
}

function jsonOf({ connection, fields, fieldsProblem, released, waiting }: Connected, vault: string) {
  const { vendor, environment, state, account, scopes, missingScopes, tokenExpiresAt, login } = connection;
  return {
    connection: {
      vendor,
      environment,
      state,
      account,
      scopes,
      missingScopes,
      tokenExpiresAt: tokenExpiresAt === null ? null : new Date(tokenExpiresAt).toISOString(),
      login: login && {
        since: new Date(login.since).toISOString(),
        endsAt: new Date(login.endsAt).toISOString(),
      },
    },
    vault,
    properties: fields && { created: fields.created, existing: fields.existing, overQuota: fields.overQuota },
    propertiesProblem: fieldsProblem?.message ?? null,
    released,
    waiting,
  };
}

function refusePartial({ connection, fields, fieldsProblem }: Connected, destination: Destination): void {
  const { label, fieldWords, commonErrors } = destination;
  const resync = resyncCommand(connection);
  if (connection.missingScopes.length > 0) {
    const fixes = scopeFixes(destination);
    throw new AppError("PARTIAL", `connected, but not granted: ${connection.missingScopes.join(", ")}`, {
      hint:
        commonErrors && fixes !== null
          ? `${fixes} Until then: ${commonErrors.scope.title}. Run: ${connectCommand(connection)}`
          : `Add the scopes to the app in ${label}, then connect again and approve all of them.`,
    });
  }
  if (fieldsProblem) {
    throw new AppError(
      "PARTIAL",
      `connected, but the ${fieldWords[1]} are not ready: ${fieldsProblem.message}`,
      {
        hint: resync,
        cause: fieldsProblem,
      },
    );
  }
  if (fields && fields.overQuota.length > 0) {
    throw new AppError(
      "PARTIAL",
      `connected, but the portal has no room for ${fields.overQuota.join(", ")}`,
      {
        hint: `Free custom properties there, then: ${resync}`,
      },
    );
  }
}
