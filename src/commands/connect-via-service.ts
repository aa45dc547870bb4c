import { isIP } from "node:net";
import { connectCommand, SERVE_COMMAND, statusCommand } from "../core/advice/command-lines.ts";
import { isoTime } from "../shared/clock.ts";
import { plain, possessive, shortTime } from "../shared/text.ts";
import type { Session } from "./session/with-app.ts";

/** Prints a link for an account's admin on another machine, and returns: `serve` finishes what they begin. */
export async function runConnectViaService(
  { app, globals, world, say }: Session,
  vendor: string,
  options: { sandbox?: boolean; account?: string; allowCrossRegion?: boolean },
): Promise<void> {
  const { makeLink } = await import("../flows/connect/make-link.ts");
  const environment = options.sandbox ? "sandbox" : "production";
  const { org, clock, config } = app;
  const destination = await app.destination({ org, vendor, environment });
  const { label } = destination;
  const link = await makeLink(
    { store: await app.store(), clock, config, destination },
    {
      org,
      environment,
      accountId: options.account ?? null,
      allowsOtherAccount: globals.yes === true,
      allowsCrossRegion: options.allowCrossRegion === true,
    },
  );
  const { url, redirectUri, before } = link;
  const expiresAt = isoTime(link.expiresAt);
  say(
    `Hand this link to ${possessive(label)} admin. It is good until ${shortTime(link.expiresAt)}, for one connection:\n`,
  );
  // Unredacted: this one place is where its secret has to be seen.
  world.io.out(
    globals.json ? `${JSON.stringify({ version: 1, url, expiresAt, redirectUri })}\n` : `${url}\n`,
  );
  say(`\nThe app in ${label} must allow this redirect URL: ${redirectUri}`);
  const { hostname } = new URL(redirectUri);
  if (destination.authorization.refusesIpAddresses && isIP(hostname.replace(/^\[|\]$/g, "")) !== 0)
    say(
      `${label} refuses redirect URLs with an IP address, as ${hostname}: give serve.public_url a name, as localhost.`,
    );
  if (before?.state === "connected" && before.account)
    say(`Until then all stays as it is: connected to ${plain(before.account.name)} (${before.account.id}).`);
  const waiting =
    before && before.state !== "not_connected"
      ? "until when the link is open"
      : '"waiting for consent" until then';
  say(`${statusCommand({ org, environment })} shows ${waiting}.`);
  const known = options.account ?? (before?.isConfirmed && !globals.yes ? before.account?.id : undefined);
  say(
    known === undefined
      ? `The account that answers gets nothing before you run: ${connectCommand({ org, vendor, environment }, "--confirm")}`
      : `Account ${plain(known)} alone may answer, and is confirmed.`,
  );
  say(
    link.isServiceRunning
      ? "The service that runs takes the answer."
      : `No service is running: start ${SERVE_COMMAND} before the admin answers.`,
  );
}
