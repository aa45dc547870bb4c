import {
  doctorCommand,
  removeSecretCommand,
  SECRETS_COMMAND,
  trialCommand,
} from "../core/advice/command-lines.ts";
import { type Command, Option } from "commander";
import { type OpenAts, openAts } from "../flows/ats/ats.ts";
import type { SubscriptionContext } from "../flows/ats/subscription-plan.ts";
import { isThisMachine } from "../shared/admin-address.ts";
import { count, listed, plain, possessive } from "../shared/text.ts";
import { DEFAULT_ATS } from "../core/default-vendor.ts";
import { destinationLabels } from "../vendors/index.ts";
import { readLimit } from "./session/option-values.ts";
import { agreed } from "./session/agreement.ts";
import { vendorNames } from "./session/known-values.ts";
import { showWebhookLog, type WebhookLogFlags } from "./session/webhook-log.ts";
import { type Session, withApp } from "./session/with-app.ts";
import type { World } from "../shared/world.ts";

interface Flags {
  vendor: string;
  sandbox?: boolean;
}

/** `webhooks`: how a vendor's events reach us, and what came. */
export function registerWebhooks(program: Command, world: World): void {
  const webhooks = program
    .command("webhooks")
    .description(`${possessive(destinationLabels("ats"))} webhook subscription, and what was received`)
    .addHelpText(
      "after",
      "\nExamples:\n  jc-integrations webhooks subscribe --org acme\n  jc-integrations webhooks log --unmatched",
    );
  const add = (name: string, description: string, example: string) =>
    webhooks
      .command(name)
      .description(description)
      .option("--vendor <ats>", `the applicant tracking system: ${vendorNames("ats")}`, DEFAULT_ATS)
      .option("--sandbox", "of the sandbox environment")
      .addHelpText("after", `\nExample:\n  jc-integrations webhooks ${example}`);

  add("list", "the account's subscriptions, and whether ours serves", "list --org acme").action(
    (flags: Flags, command: Command) => withApp(world, command, (session) => list(session, flags)),
  );
  add(
    "subscribe",
    "subscribe our receiver, or mend what is wrong; a second time changes nothing",
    "subscribe",
  )
    .option("--dry-run", "only say what it would do")
    .action((flags: Flags & { dryRun?: boolean }, command: Command) =>
      withApp(world, command, (session) => runSubscribe(session, flags)),
    );
  add("unsubscribe", "remove our subscription (asks first); results still go out", "unsubscribe").action(
    (flags: Flags, command: Command) => withApp(world, command, (session) => runUnsubscribe(session, flags)),
  );
  add(
    "rotate-secret",
    "a new secret, by a new subscription where it takes one; the old one stays accepted",
    "rotate-secret",
  ).action((flags: Flags, command: Command) =>
    withApp(world, command, (session) => runRotate(session, flags)),
  );
  webhooks
    .command("log")
    .description("what was received, and what was refused and why; of JobCannon too")
    .option("--vendor <source>", `only what this one sent: ${vendorNames("source")} (default: all)`)
    .option("--sandbox", "of the sandbox environment")
    .addOption(new Option("--unmatched", "only what waits for its invite").conflicts("invite"))
    .option("--invite <id>", "only what speaks of this invite; of what was refused nobody can tell")
    .option("--limit <n>", "the last so many", readLimit, 50)
    .addHelpText("after", "\nExample:\n  jc-integrations webhooks log --unmatched")
    .action((flags: WebhookLogFlags, command: Command) =>
      withApp(world, command, (session) => showWebhookLog(session, flags)),
    );
}

async function open(
  { app, world }: Session,
  { vendor, sandbox }: Flags,
): Promise<{ context: SubscriptionContext; opened: OpenAts }> {
  const { webhookUrl } = await import("../flows/ats/subscription-plan.ts");
  const store = await app.store();
  const environment = sandbox ? "sandbox" : "production";
  const opened = await openAts(app, store, { org: app.org, vendor, environment, signal: world.signal });
  const { ats, access } = opened;
  const targetUrl = webhookUrl(app.config["serve.public_url"], ats);
  const { createTakeMissed } = await import("../flows/intake/take-missed.ts");
  const take = createTakeMissed({ store, clock: app.clock, sources: app.sources });
  const vault = await app.vault();
  return { opened, context: { store, clock: app.clock, vault, ats, access, take, targetUrl } };
}

async function list(session: Session, flags: Flags): Promise<void> {
  const { app, terminal, print } = session;
  const { context, opened } = await open(session, flags);
  const [{ checkSubscription }, { subscriptionTrouble }] = await Promise.all([
    import("../flows/ats/check-subscriptions.ts"),
    import("../core/advice/subscription.ts"),
  ]);
  const { connection, destination } = opened;
  const found = await context.ats.subscriptions(context.access);
  const subscription = await checkSubscription(context, connection);
  const trouble = subscriptionTrouble({ ...connection, subscription }, destination.label);
  const { paint } = terminal;
  print({
    json: {
      subscriptions: found.map((each) => ({ ...each, isOurs: each.id === subscription.id })),
      state: subscription.state,
      targetUrl: context.targetUrl,
    },
    text: () =>
      [
        `${paint.bold(app.org)}  ${possessive(destination.label)} webhook subscriptions; ours is the one to ${context.targetUrl}`,
        "",
        found.length === 0
          ? "No subscription."
          : terminal.table(
              ["id", { name: "event", drop: 1 }, "sends to", "state"],
              found.map((each) => [
                each.id,
                each.event,
                plain(each.targetUrl),
                each.isActive ? paint.green("active") : paint.yellow("inactive"),
              ]),
            ),
        "",
        trouble ? paint.yellow(`! ${trouble}`) : paint.dim("Ours is active and its secret is in the vault."),
      ].join("\n"),
  });
}

async function runSubscribe(session: Session, flags: Flags & { dryRun?: boolean }): Promise<void> {
  const { print, terminal } = session;
  const { context, opened } = await open(session, flags);
  const [{ planSubscribe }, { subscribe }] = await Promise.all([
    import("../flows/ats/subscription-plan.ts"),
    import("../flows/ats/subscribe.ts"),
  ]);
  const plan = await planSubscribe(context, opened.connection);
  warnOfLoopback(session, context.targetUrl, opened.destination.label);
  const removes = plan.remove.length > 0 ? `, remove ${plan.remove.map(({ id }) => id).join(", ")}` : "";
  if (flags.dryRun) {
    print({
      json: {
        create: plan.keep === null,
        keep: plan.keep?.id ?? null,
        remove: plan.remove.map(({ id }) => id),
      },
      text: () => (plan.keep ? `keep ${plan.keep.id}${removes}` : `subscribe ${context.targetUrl}${removes}`),
    });
    return;
  }
  const { subscription, isNew, removed, caughtUp } = await subscribe(context, opened.connection, plan);
  print({
    json: { id: subscription.id, targetUrl: subscription.targetUrl, created: isNew, removed, caughtUp },
    text: () =>
      [
        `${isNew ? terminal.paint.green("Subscribed") : "Subscribed already"}: ${subscription.event} → ${subscription.targetUrl} (${subscription.id})`,
        ...(removed > 0 ? [`${count(removed, "useless subscription")} of ours removed.`] : []),
        ...(caughtUp > 0
          ? [`${count(caughtUp, "event")} that had been missed ${caughtUp === 1 ? "was" : "were"} taken.`]
          : []),
        ...(isNew ? [`Its secret rests in ${context.vault.describe()}.`] : []),
        ...(isNew ? [`Whether it leads here, once serve runs: ${doctorCommand(opened.connection)}`] : []),
        ...(isNew && flags.sandbox
          ? [`Try it: ${trialCommand({ vendor: flags.vendor, org: session.app.org, jobId: "<id>" })}`]
          : []),
      ].join("\n"),
  });
}

/** An emulator on this machine reaches it; nobody else does. */
function warnOfLoopback({ say }: Session, targetUrl: string, label: string): void {
  const { hostname } = new URL(targetUrl);
  if (!isThisMachine(hostname)) return;
  say(
    `! serve.public_url leads to ${hostname}, which is this machine alone: ${label} itself cannot reach it. Set it to the address that leads here from outside, and subscribe again.`,
  );
}

async function runUnsubscribe(session: Session, flags: Flags): Promise<void> {
  const { context, opened } = await open(session, flags);
  const [{ oursIn, planSubscribe }, { unsubscribe }] = await Promise.all([
    import("../flows/ats/subscription-plan.ts"),
    import("../flows/ats/subscribe.ts"),
  ]);
  const plan = await planSubscribe(context, opened.connection);
  const ids = oursIn(plan);
  if (ids.length > 0) {
    const loss = `This removes ${listed(ids)} at ${opened.destination.label}: its webhooks reach ${context.targetUrl} no more`;
    await agreed(session, loss);
  }
  const removed = await unsubscribe(context, opened.connection, plan);
  session.print({
    json: { removed },
    text: () =>
      removed === 0
        ? "There was no subscription of ours."
        : `${count(removed, "subscription")} removed. Results still go to ${opened.destination.label}; nothing confirms them any more.`,
  });
}

async function runRotate(session: Session, flags: Flags): Promise<void> {
  const { context, opened } = await open(session, flags);
  const { rotateSecret } = await import("../flows/ats/subscribe.ts");
  const { subscription, replaced, isSame } = await rotateSecret(context, opened.connection);
  const { org, environment } = opened.connection;
  session.print({
    json: { id: subscription.id, replaced },
    text: () =>
      [
        isSame
          ? `${subscription.id} has a new secret, which rests in ${context.vault.describe()}.`
          : `Subscribed anew as ${subscription.id}; its new secret rests in ${context.vault.describe()}.`,
        "The old secret stays accepted for what is still on its way. Later, its number:",
        `  ${SECRETS_COMMAND}`,
        `and with that: ${removeSecretCommand(context.ats.webhookSecretName, { org, environment })}`,
      ].join("\n"),
  });
}
