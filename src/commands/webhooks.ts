import { removeSecretCommand, SECRETS_COMMAND, trialCommand } from "../core/advice/command-lines.ts";
import type { Command } from "commander";
import { type OpenAts, openAts } from "../flows/ats/ats.ts";
import type { SubscriptionContext } from "../flows/ats/subscriptions.ts";
import { count, listed, plain, possessive, shortTime } from "../shared/text.ts";
import { NO_SOURCE } from "../core/no-source.ts";
import type { ReceivedWebhook, Refusal, Store, TakenEvent } from "../store/contract/store.ts";
import { AppError } from "../shared/errors.ts";
import { nearest } from "../shared/nearest.ts";
import type { VendorDeclaration } from "../vendors/contract/declaration.ts";
import type { CommonError } from "../core/advice/common-errors.ts";
import { DEFAULT_ATS } from "../core/default-vendor.ts";
import { destinationLabels } from "../vendors/index.ts";
import { logToRead } from "./session/log-to-read.ts";
import { withoutEffectWords } from "./session/told-status.ts";
import { readLimit } from "./session/option-values.ts";
import { agreed } from "./session/agreement.ts";
import { vendorNames } from "./session/known-values.ts";
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
    .option("--unmatched", "only what waits for its invite")
    .option("--limit <n>", "the last so many", readLimit, 50)
    .addHelpText("after", "\nExample:\n  jc-integrations webhooks log --unmatched")
    .action((flags: LogFlags, command: Command) =>
      withApp(world, command, (session) => showLog(session, flags)),
    );
}

async function open(
  { app, world }: Session,
  { vendor, sandbox }: Flags,
): Promise<{ context: SubscriptionContext; opened: OpenAts }> {
  const { webhookUrl } = await import("../flows/ats/subscriptions.ts");
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
    import("../flows/ats/subscriptions.ts"),
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
  const { planSubscribe, subscribe } = await import("../flows/ats/subscriptions.ts");
  const plan = await planSubscribe(context, opened.connection);
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
        ...(isNew && flags.sandbox
          ? [`Try it: ${trialCommand({ vendor: flags.vendor, org: session.app.org, jobId: "<id>" })}`]
          : []),
      ].join("\n"),
  });
}

async function runUnsubscribe(session: Session, flags: Flags): Promise<void> {
  const { context, opened } = await open(session, flags);
  const { oursIn, planSubscribe, unsubscribe } = await import("../flows/ats/subscriptions.ts");
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
  const { rotateSecret } = await import("../flows/ats/subscriptions.ts");
  const { subscription, replaced, isSame } = await rotateSecret(context, opened.connection);
  const { org, environment } = opened.connection;
  session.print({
    json: { id: subscription.id, replaced },
    text: () =>
      [
        isSame
          ? `${subscription.id} has a new secret, which rests in ${context.vault.describe()}.`
          : `Subscribed anew as ${subscription.id}; its new secret rests in ${context.vault.describe()}.`,
        `The old secret stays accepted for what is still on its way. Later: ${SECRETS_COMMAND}, then ${removeSecretCommand(context.ats.webhookSecretName, { org, environment })}`,
      ].join("\n"),
  });
}

interface LogFlags extends Omit<Flags, "vendor"> {
  vendor?: string;
  unmatched?: boolean;
  limit: number;
}

async function showLog(session: Session, flags: LogFlags): Promise<void> {
  const { app, terminal, print } = session;
  const { unmatched = false, limit } = flags;
  const environment = flags.sandbox ? "sandbox" : "production";
  const senders = sendersOf(app.vendors, flags.vendor);
  const store = await logToRead(session);
  const received: Row[] = [];
  for (const sender of senders) {
    const of = { org: app.org, environment, unmatched, limit } as const;
    received.push(...(store ? await receivedFrom(store, sender, of) : []));
  }
  const refused = unmatched ? [] : ((await store?.refusals(flags.vendor ?? null, 0, limit)) ?? []);
  const shown = received.toSorted((a, b) => a.receivedAt - b.receivedAt).slice(-limit);
  // Who reads why something was refused also reads what its guide says to do about it.
  const guided = senders.find(
    ({ destination, vendor }) => destination?.isAts && refused.some(({ source }) => source === vendor),
  );
  const guide = guided
    ? ((await app.destination({ org: app.org, vendor: guided.vendor, environment })).commonErrors
        ?.signature ?? null)
    : null;
  print({
    json: {
      received: shown.map(({ json }) => json),
      refused: refused.map(({ source, at, reason, n }) => ({
        source,
        at: new Date(at).toISOString(),
        reason,
        times: n,
      })),
      guide,
    },
    text: () =>
      [
        renderLog(shown, refused, { terminal, isUnmatched: unmatched }),
        ...(guide ? ["", terminal.paint.yellow(guideWords(guide))] : []),
      ].join("\n"),
  });
}

type Sender = Pick<VendorDeclaration, "vendor" | "label" | "source" | "destination">;

/** Whoever sends webhooks; of them the one that was named. Throws `USAGE` where there is none of that name. */
function sendersOf(vendors: readonly VendorDeclaration[], named: string | undefined): readonly Sender[] {
  const all = vendors.filter(({ source }) => source !== undefined);
  if (named === undefined) return all;
  if (named === NO_SOURCE) return [];
  const found = all.filter(({ vendor }) => vendor === named);
  if (found.length > 0) return found;
  const known = vendors.find(({ vendor }) => vendor === named);
  const words = known ? `${known.label} sends no webhooks` : `there is no vendor ${named}`;
  const guess = known
    ? null
    : nearest(
        named,
        vendors.map(({ vendor }) => vendor),
      );
  const hint = guess ? `Did you mean ${guess}?` : `Senders: ${all.map(({ vendor }) => vendor).join(", ")}`;
  throw new AppError("USAGE", words, { hint });
}

async function receivedFrom(
  store: Store,
  { vendor, destination }: Sender,
  of: { org: string; environment: "production" | "sandbox"; unmatched: boolean; limit: number },
): Promise<Row[]> {
  const { org, limit, environment, unmatched } = of;
  if (destination) return (await store.received({ ...of, vendor })).map((each) => asTaken(vendor, each));
  // Its events name their invites, and know of no sandbox.
  if (unmatched || environment === "sandbox") return [];
  return (await store.taken({ source: vendor, org, limit })).map((each) => asEvent(vendor, each));
}

/** One that came, as scripts and as people read it. */
interface Row {
  receivedAt: number;
  json: object;
  cells(paint: Session["terminal"]["paint"]): string[];
}

function asTaken(vendor: string, each: ReceivedWebhook): Row {
  const { at, receivedAt, ...rest } = each;
  const times = { at: new Date(at).toISOString(), receivedAt: new Date(receivedAt).toISOString() };
  return {
    receivedAt,
    json: { source: vendor, ...rest, ...times, signature: "good" },
    cells: (paint) => [
      plain(each.eventId),
      plain(each.candidateId),
      plain(each.assessmentId),
      each.isMatched ? plain(each.invitationId ?? "–") : paint.yellow("no invite yet"),
      vendor,
      paint.yellow(withoutEffectWords(each.status)),
    ],
  };
}

function asEvent(vendor: string, each: TakenEvent): Row {
  const { at, receivedAt, ...rest } = each;
  const times = { at: new Date(at).toISOString(), receivedAt: new Date(receivedAt).toISOString() };
  return {
    receivedAt,
    json: { source: vendor, ...rest, ...times, signature: "good" },
    cells: () => [`${plain(each.eventId)} ${plain(each.type)}`, "", "", plain(each.invitationId), vendor, ""],
  };
}

function guideWords({ title, cause, fixes }: CommonError): string {
  return [
    `Where a signature was refused (${title}): ${cause}.`,
    ...fixes.map((fix, index) => `  ${index + 1}. ${fix}`),
  ].join("\n");
}

function renderLog(
  received: readonly Row[],
  refused: readonly Refusal[],
  { terminal, isUnmatched }: { terminal: Session["terminal"]; isUnmatched: boolean },
): string {
  const { paint, table } = terminal;
  const rows = received.map(({ receivedAt, cells }) => ({
    at: receivedAt,
    cells: [paint.green("taken"), ...cells(paint)],
  }));
  const refusals = refused.map(({ source, at, reason, n }) => ({
    at,
    cells: [
      paint.red("refused"),
      `${plain(reason)}${n > 1 ? ` (${n} times)` : ""}`,
      ...["", "", ""],
      plain(source),
      "",
    ],
  }));
  const all = [...rows, ...refusals].sort((a, b) => a.at - b.at);
  if (all.length === 0) return isUnmatched ? "None waits for its invite." : "No webhook yet.";
  return table(
    [
      { name: "received", whole: true },
      "",
      { name: "event", below: true },
      { name: "candidate", drop: 3 },
      { name: "assessment", drop: 2 },
      "invite",
      { name: "from", drop: 1 },
      "",
    ],
    all.map(({ at, cells }) => [shortTime(at), ...cells]),
  );
}
