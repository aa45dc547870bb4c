import type { Command } from "commander";
import { SERVE_COMMAND } from "../core/advice/command-lines.ts";
import { isThisMachine } from "../shared/admin-address.ts";
import { isoTime } from "../shared/clock.ts";
import { shortTime } from "../shared/text.ts";
import { refuseMistyped } from "./session/log-to-read.ts";
import { operatorOf } from "./session/operator.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

export function registerAdmin(program: Command, world: World): void {
  const admin = program
    .command("admin")
    .description("the admin page of serve, for a browser")
    .addHelpText("after", "\nExample:\n  jc-integrations admin link");
  admin
    .command("link")
    .description(
      "a one-time link that signs a browser in for 12 hours (good for 15 minutes; --org: that org)",
    )
    .addHelpText("after", "\nExample:\n  jc-integrations admin link --org acme")
    .action((_options: object, command: Command) => withApp(world, command, (session) => printLink(session)));
}

async function printLink(session: Session): Promise<void> {
  const { app, globals, world, say } = session;
  await refuseMistyped(session);
  const { makeAdminLink } = await import("../flows/watch/admin-link.ts");
  const org = globals.org === undefined ? null : app.org;
  const { clock, config, tlsFiles } = app;
  const link = await makeAdminLink(
    { store: await app.store(), clock, config, tlsFiles },
    { org, who: operatorOf(world.env) },
  );
  const { url } = link;
  const expiresAt = isoTime(link.expiresAt);
  const { isServiceRunning } = link;
  if (!isServiceRunning)
    say(`! No service is running: the link opens nothing before you run: ${SERVE_COMMAND}\n`);
  say(
    `Open this link until ${shortTime(link.expiresAt)}, once; it signs in for 12 hours${org === null ? "" : `, to ${org} alone`}:\n`,
  );
  // Unredacted: this one place is where its secret has to be seen.
  world.io.out(
    globals.json
      ? `${JSON.stringify({ version: 1, url, expiresAt, org, isServiceRunning, certificateOf: link.certificateOf })}\n`
      : `${url}\n`,
  );
  const { hostname, host, port, protocol } = new URL(url);
  if (link.certificateOf !== null)
    say(
      `\n! The TLS certificate is for ${link.certificateOf} and does not name ${hostname}: a browser warns of it. Set serve.admin_url to an address that it names.`,
    );
  if (config["serve.admin_url"] === "" && isThisMachine(hostname)) {
    const local = port || (protocol === "https:" ? "443" : "80");
    say(`\nFrom another machine, first: ssh -N -L ${local}:${host} <this machine>`);
  }
}
