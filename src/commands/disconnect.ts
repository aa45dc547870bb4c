import { removeSecretCommand, statusCommand } from "../core/advice/command-lines.ts";
import type { Command } from "commander";
import type { Connection, ConnectionName } from "../core/connection.ts";
import type { Disconnected } from "../flows/connect/disconnect.ts";
import { AppError } from "../shared/errors.ts";
import { count } from "../shared/text.ts";
import { agreed } from "./session/agreement.ts";
import { vendorNames } from "./session/known-values.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerDisconnect(program: Command, world: World): void {
  program
    .command("disconnect")
    .argument("<vendor>", vendorNames())
    .description("revoke the tokens at the vendor, then forget them; open results are held, open links void")
    .option("--uninstall", "also remove the app from the account")
    .option("--sandbox", "the sandbox environment")
    .addHelpText(
      "after",
      "\nIt asks first; a script says --yes. It ends with 7 where the vendor was not told.\n\nExample:\n  jc-integrations disconnect hubspot --org acme",
    )
    .action((vendor: string, options: { uninstall?: boolean; sandbox?: boolean }, command: Command) =>
      withApp(world, command, (session) => runDisconnect(session, vendor, options)),
    );
}

async function runDisconnect(
  session: Session,
  vendor: string,
  options: { uninstall?: boolean; sandbox?: boolean },
): Promise<void> {
  const { app, globals, world, print } = session;
  const { disconnect } = await import("../flows/connect/disconnect.ts");
  const key = { org: app.org, vendor, environment: options.sandbox ? "sandbox" : "production" } as const;
  const destination = await app.destination(key);
  const store = await app.store();
  const connection = await store.connection(key);
  if (connection && (connection.state !== "not_connected" || options.uninstall))
    await agreed(session, lossOf(connection, destination.label, options));
  if (!connection || connection.account === null) {
    const linksVoided = await store.endConsents({ outcome: "voided", connection: key }, app.clock.now());
    const nothing = { revocation: null, uninstall: null, held: 0, linksVoided };
    if (linksVoided > 0) return printNothing(print, destination.label, { ...key, ...nothing });
    throw new AppError("USAGE", `${app.org} has no ${destination.label} connection (${key.environment})`, {
      hint: statusCommand({
        ...(globals.org === undefined ? {} : { org: app.org }),
        environment: key.environment,
      }),
    });
  }
  const [http, vault, tokens] = await Promise.all([app.http(), app.vault(), app.tokens()]);
  // In whichever contract its tokens were made, they go.
  const access = await app.access(
    { ...connection, profile: destination.profile ?? null },
    { store, signal: world.signal },
  );
  const done = await disconnect({ ...app, store, http, vault, tokens, destination, access }, connection, {
    uninstall: options.uninstall === true,
  });
  if (done.revocation === null) return printNothing(print, destination.label, { ...key, ...done });
  print({
    json: { vendor, environment: key.environment, ...done },
    text: () =>
      [
        `${destination.label} is disconnected; our tokens are gone from ${vault.describe()}.`,
        ...(done.revocation?.kind === "not_offered"
          ? [
              `${destination.label} offers no way to revoke them: its admin ends them by removing the integration there.`,
            ]
          : []),
        ...(connection.method === "api-key"
          ? [
              `The API key stays: ${removeSecretCommand(destination.authorization.apiKeyName ?? "", connection)}`,
            ]
          : []),
        ...(connection.subscription?.state === "active"
          ? ["Its webhooks still reach us, and are kept for when you connect again."]
          : []),
        ...(done.uninstall?.kind === "done" ? ["The app is removed from the account."] : []),
        ...(done.linksVoided > 0 ? [LINK_VOIDED] : []),
        ...(done.held > 0 ? [`${count(done.held, "result")} held until you connect again.`] : []),
      ].join("\n"),
  });
  const failures = [done.revocation, done.uninstall].flatMap((part) =>
    part?.kind === "failed" ? [part.reason] : [],
  );
  if (failures.length === 0) return;
  throw new AppError("PARTIAL", `forgotten here, but not at ${destination.label}: ${failures.join("; ")}`, {
    hint: `Remove the app in ${destination.label} under Settings → Integrations → Connected Apps.`,
  });
}

function lossOf(
  { org, environment, account }: Connection,
  label: string,
  options: { uninstall?: boolean },
): string {
  const place = `${label} (${org}, ${environment}${account ? `, account ${account.id}` : ""})`;
  const app = options.uninstall ? ", the app is removed from it" : "";
  return account
    ? `This disconnects ${place}: its tokens are revoked and forgotten${app}, open results are held`
    : `This makes the open link for the consent of ${place} void`;
}

const LINK_VOIDED = "The link for consent that was open no longer counts.";

function printNothing(
  print: Session["print"],
  label: string,
  { org, ...json }: ConnectionName & Disconnected,
): void {
  const { environment, linksVoided } = json;
  const text =
    linksVoided > 0
      ? `${label} was not connected (${org}, ${environment}). ${LINK_VOIDED}`
      : `${label} is not connected (${org}, ${environment}): nothing to do.`;
  print({ json, text: () => text });
}
