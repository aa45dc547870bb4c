import { createInterface } from "node:readline";
import type { Command } from "commander";
import { consentElsewhere } from "../core/advice/elsewhere.ts";
import { type ConnectMethod, usualMethod } from "../core/authorization.ts";
import type { Account, Connection } from "../core/connection.ts";
import type { DirectRequest } from "../flows/connect/connect-by-credentials.ts";
import type { ConnectContext, Connected, ConnectRequest } from "../flows/connect/connect.ts";
import { AppError } from "../shared/errors.ts";
import { plain } from "../shared/text.ts";
import { canAsk, saysYes } from "./session/agreement.ts";
import { reportConnected } from "./session/connected-report.ts";
import { vendorNames } from "./session/known-values.ts";
import { type Session, withApp } from "./session/with-app.ts";
import { tell } from "./session/told.ts";
import type { World } from "../shared/world.ts";
import type { Destination } from "../vendors/contract/destination.ts";

export function registerConnect(program: Command, world: World): void {
  program
    .command("connect")
    .argument("<vendor>", vendorNames())
    .description("give consent in the browser, keep the tokens, prepare the account")
    .option("--no-browser", "only print the link, and take the address the browser ends at")
    .option("--via-service", "print a link, valid for 7 days, for the account's admin; `serve` finishes it")
    .option("--confirm", "the account that came by a link is the right one: prepare it, deliver what waits")
    .option(
      "--method <way>",
      "client-credentials, api-key or code, where the vendor has more than one way in",
    )
    .option("--account <id>", "no other account than this one; a link for it needs no --confirm")
    .option(
      "--allow-cross-region",
      "its data may rest in another region than the org's shall, or this log does",
    )
    .option("--sandbox", "the sandbox environment")
    .addHelpText("after", EXAMPLES)
    .action((vendor: string, options: ConnectOptions, command: Command) =>
      withApp(world, command, async (session) => {
        refuseBoth(options);
        if (options.confirm) {
          const { runConnectConfirm } = await import("./connect-confirm.ts");
          return await runConnectConfirm(session, vendor, options);
        }
        if (!options.viaService) return await runConnect(session, vendor, options);
        const { runConnectViaService } = await import("./connect-via-service.ts");
        await runConnectViaService(session, vendor, options);
      }),
    );
}

interface ConnectOptions {
  browser: boolean;
  viaService?: boolean;
  confirm?: boolean;
  account?: string;
  allowCrossRegion?: boolean;
  sandbox?: boolean;
  method?: string;
}

const EXAMPLES = `
It waits 5 minutes for the consent, also with --no-input, which only keeps it
from asking: then the browser has to come back to this machine. With --json the
link is a line of JSON on stderr, {"version":1,"consentUrl":"…"}.

Exit codes: 0 connected · 7 connected, and a scope or property is missing
            2 wrong client id, secret or redirect URI
            3 consent denied, or nobody gave it in time
            6 the vendor refused, or did not answer

Example:
  jc-integrations connect hubspot --org acme
  jc-integrations connect hubspot --org acme --via-service --json
  jc-integrations connect hubspot --org acme --via-service --account 8480001
  jc-integrations connect hubspot --org acme --confirm
  jc-integrations connect hubspot --org acme --allow-cross-region
  jc-integrations connect smartrecruiters --org acme --method client-credentials`;

function refuseBoth({ confirm, viaService }: ConnectOptions): void {
  if (!confirm || !viaService) return;
  throw new AppError("USAGE", "--confirm and --via-service exclude each other", {
    hint: "Make the link first; confirm the account that came by it.",
  });
}

async function runConnect(session: Session, vendor: string, options: ConnectOptions): Promise<void> {
  const { app, world } = session;
  const environment = options.sandbox ? "sandbox" : "production";
  const destination = await app.destination({ org: app.org, vendor, environment });
  const [store, vault, http, tokens] = await Promise.all([
    app.store(),
    app.vault(),
    app.http(),
    app.tokens(),
  ]);
  const before = await store.connection({ org: app.org, vendor, environment });
  const method = methodFor(destination, options.method, before);
  const context = {
    ...{ clock: app.clock, config: app.config, http, store, vault, tokens, destination },
    accessTo: (connection: Connection) => app.access(connection, { store, signal: world.signal }),
  };
  const done = new AbortController();
  const request = {
    org: app.org,
    environment,
    accountId: options.account ?? null,
    allowsCrossRegion: options.allowCrossRegion === true,
    signal: world.signal,
    confirmOtherAccount: async (from: Account, to: Account) => {
      done.abort();
      return await confirmOtherAccount(session, from, to);
    },
  } as const;
  try {
    const connected =
      method === "code"
        ? await connectByConsent(session, context, {
            ...request,
            browser: options.browser,
            done: done.signal,
          })
        : await connectDirectly(context, { ...request, method });
    reportConnected(session, { connected, destination, vault: vault.describe() });
  } finally {
    done.abort();
  }
}

/** The one that was typed, else the way it was opened before, else the vendor's usual one. */
function methodFor(
  { label, authorization }: Destination,
  wanted: string | undefined,
  before: Connection | null,
): ConnectMethod {
  const { methods = ["code"] } = authorization;
  if (wanted === undefined) return usualMethod(authorization, before);
  const method = methods.find((each) => each === wanted);
  if (method) return method;
  throw new AppError("USAGE", `${label} is not connected by ${plain(wanted)}`, {
    hint: methods.length > 1 ? `--method ${methods.join(" | ")}` : "It has one way in: leave --method out.",
  });
}

async function connectDirectly(context: ConnectContext, request: DirectRequest): Promise<Connected> {
  const { connectByCredentials } = await import("../flows/connect/connect-by-credentials.ts");
  return await connectByCredentials(context, request);
}

async function connectByConsent(
  { world, globals, say, terminal }: Session,
  context: ConnectContext,
  { browser, done, ...request }: Omit<ConnectRequest, "consent"> & { browser: boolean; done: AbortSignal },
): Promise<Connected> {
  const { connect } = await import("../flows/connect/connect.ts");
  const { vendor, authorization } = context.destination;
  const canPaste = world.io.stdinIsTerminal || !browser;
  const elsewhere = () =>
    consentElsewhere({ ...request, vendor }, { port: authorization.redirectPort, canPaste }).join("\n");
  const connected = await connect(context, {
    ...request,
    consent: {
      onUrl: (url) => {
        say(`Give JobCannon access to ${context.destination.label} in the browser:`);
        // Unredacted: this one place is where its state has to be seen.
        world.io.err(globals.json ? `${JSON.stringify({ version: 1, consentUrl: url })}\n` : `\n${url}\n\n`);
        if (!browser) say(elsewhere());
      },
      onTick: (seconds) => {
        if (terminal.redraws && !globals.json)
          world.io.err(`\r\u001b[2Kwaiting for consent, ${seconds} s left `);
      },
      onNotice: say,
      onNoBrowser: () => {
        clearCountdown({ world, terminal });
        say(`No browser can be opened here. ${elsewhere()}`);
      },
      ...(browser ? { openBrowser: world.openBrowser } : {}),
      ...(canPaste ? { pastedLines: linesOf(world, done) } : {}),
    },
  });
  clearCountdown({ world, terminal });
  return connected;
}

function clearCountdown({ world, terminal }: Pick<Session, "world" | "terminal">): void {
  if (terminal.redraws) world.io.err("\r\u001b[2K");
}

async function confirmOtherAccount(
  { globals, world, terminal }: Session,
  before: Account,
  after: Account,
): Promise<boolean> {
  if (globals.yes) return true;
  if (!canAsk({ globals, world })) {
    throw new AppError("USAGE", `consent came from account ${after.id}, not ${before.id} as before`, {
      hint: "If that is meant, run it again with --yes. Nothing was changed.",
    });
  }
  clearCountdown({ world, terminal });
  tell(
    world,
    `This is account ${after.id} (${plain(after.name)}), not ${before.id} as before: all results would count as never sent.`,
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
