/** Those who send us webhooks, and those who hear of trouble. */
import { BOT_TOKEN } from "../../../alerts/bot-token.ts";
import {
  rotateCommand,
  setSecretCommand,
  subscribeCommand,
  testAlertCommand,
  webhooksLogCommand,
} from "../../../core/advice/command-lines.ts";
import type { RefusalKind } from "../../../core/advice/refused-sources.ts";
import { unconnectedWords } from "../../../core/advice/unconnected.ts";
import { possessive, relativeTime, shortTime } from "../../../shared/text.ts";
import { type Area, area, type Finding, fault, faultOf, fixIn, note, warning } from "../finding.ts";
import type { Facts, Status } from "../look/facts.ts";
import { foundIn } from "../look/looker.ts";
import { unlooked, unreadWords } from "./unlooked.ts";

export function webhooksArea(
  facts: Pick<Facts, "status" | "isLogRead" | "senders" | "sources" | "now" | "accounts" | "unit">,
  { org }: { org: string },
): Area {
  const { status, senders, now } = facts;
  const known = foundIn(status);
  const isServed = known?.service !== "not running" || foundIn(facts.unit) !== null;
  const seen = senders.map(({ source, label }) => {
    const takenAt = facts.sources.find((each) => each.source === source)?.takenAt ?? null;
    return `${label}: ${takenAt === null ? "none came yet" : `verified ${relativeTime(takenAt, now)}`}`;
  });
  return area("webhooks", "webhooks", {
    found: [
      ...senders.map((sender) =>
        withoutSecret(sender, {
          org,
          isAwaited: isServed || facts.sources.some(({ source }) => source === sender.source),
        }),
      ),
      ...(known?.refused ?? []).flatMap((refused) => refusedSender(refused, facts, { org })),
      ...(known?.secretWarnings ?? []).map(weakSecret),
      known && unconnected(known),
    ],
    calm: seen.join(", "),
    notLookedAt: !facts.isLogRead
      ? unreadWords(known)
      : seen.length === 0
        ? "nobody sends any yet"
        : senders.some(({ hasSecret }) => hasSecret === null)
          ? "their secrets could not be looked for"
          : known
            ? null
            : "the log could not be read",
  });
}

/** `isAwaited`: a service hears webhooks, or is to, or some came once. Who only imports files needs no secret. */
export function withoutSecret(
  { source, label, secretName, isAts, hasSecret }: Facts["senders"][number],
  { org, isAwaited }: { org: string; isAwaited: boolean },
): Finding | null {
  if (hasSecret !== false) return null;
  const words = {
    what: `no webhook secret of ${label} is set`,
    why: `${possessive(label)} webhooks cannot be verified: all hear 503, and are sent again.`,
    command: isAts ? subscribeCommand({ vendor: source, org }) : setSecretCommand(secretName),
  };
  return isAts || isAwaited
    ? fault("webhooks.secret", "CONFIG_INVALID", words)
    : warning("webhooks.secret", words);
}

/**
 * A fault only where somebody signed: who merely calls may be a passer-by. Over with the next webhook of that sender that is
 * taken, or after a day without another.
 */
export function refusedSender(
  refused: Status["refused"][number],
  { senders, accounts }: Pick<Facts, "senders" | "accounts">,
  { org }: { org: string },
): Finding[] {
  const sender = senders.find((each) => each.source === refused.source);
  if (!sender) return [];
  const account = accounts.find(({ vendor }) => vendor === refused.source);
  const guide = account ? foundIn(account.destination)?.commonErrors?.signature : undefined;
  return refused.told.map((kind) => {
    const what = refusedOf(refused, kind, sender.label);
    if (kind === "content")
      return fault("webhooks.content", "CONFIG_INVALID", {
        what,
        why: "It was signed with our secret, and is no event that can be taken: what it tells us is missing.",
        who: `${possessive(sender.label)} people: send what docs/events.md says. ${OVER}`,
      });
    if (kind === "call")
      return note("webhooks.calls", {
        what,
        why: `Nobody signed them: any stranger may call. Where they are ${possessive(sender.label)} own, the address or the signing is wrong there.`,
        command: webhooksLogCommand({ vendor: refused.source, org }),
      });
    return fault("webhooks.refused", "CONFIG_INVALID", {
      what,
      why: guide
        ? `${guide.title}: ${guide.cause}. ${guide.fixes.join(". ")}.`
        : "What they tell us is missing until they send it again.",
      ...(account?.isAts
        ? { command: rotateCommand({ vendor: refused.source, org }) }
        : {
            command: setSecretCommand(sender.secretName),
            who: `It takes the secret that ${sender.label} signs with. ${OVER}`,
          }),
    });
  });
}

const OVER = "It is over with the next webhook that is taken.";

/** Of that kind alone. */
function refusedOf({ reasons }: Status["refused"][number], kind: RefusalKind, label: string): string {
  const [most, ...others] = reasons.filter((each) => each.kind === kind);
  if (!most) throw new Error(`nothing of ${label} was refused as ${kind}`);
  const all = [most, ...others];
  const n = all.reduce((sum, each) => sum + each.n, 0);
  const lastAt = Math.max(...all.map((each) => Date.parse(each.lastAt)));
  const noun = kind === "call" ? "call" : "webhook";
  const words = kind === "call" ? `at ${possessive(label)} address` : `of ${label}`;
  return `${n === 1 ? `a ${noun}` : `${n} ${noun}s`} ${words} refused, the last at ${shortTime(lastAt)}: ${most.reason}${others.length > 0 ? "; …" : ""}`;
}

function unconnected({ unconnected: waiting }: Pick<Status, "unconnected">): Finding | null {
  const words = unconnectedWords(waiting);
  if (words === null) return null;
  return warning("webhooks.unconnected", {
    what: words,
    why: "They wait in the log and go nowhere until their organisation is connected.",
  });
}

function weakSecret(words: string): Finding {
  return warning("webhooks.weak-secret", {
    what: words,
    why: "Who guesses it, or has another's, makes events that we believe.",
    who: "Whoever set it: have a new one made where the webhook is set up, and set that.",
  });
}

export function alertsArea({ status, chat }: Pick<Facts, "status" | "chat">, { org }: { org: string }): Area {
  const nobody = foundIn(status)?.nobodyAlerted ?? null;
  return area("alerts", "alerts", {
    found: [nobody && unheard(nobody), undeliverable(chat)],
    calm: chat.is === "known" ? "the Telegram chat takes them" : "",
    notLookedAt: chat.is === "known" ? null : `not asked; try them: ${testAlertCommand({ org })}`,
  });
}

export function unheard({ reason, hint }: NonNullable<Status["nobodyAlerted"]>): Finding {
  return warning("alerts", {
    what: `nobody is alerted of trouble: ${reason}`,
    why: "A login that ends at night is found in the morning.",
    ...fixIn(hint),
  });
}

export function undeliverable(chat: Facts["chat"]): Finding | null {
  const problem = chat.is === "failed" ? chat.problem : foundIn(chat);
  const why = "Trouble is told to nobody.";
  if (!problem) return unlooked("alerts.chat", chat, { what: "asking Telegram", code: "VENDOR_UNAVAILABLE" });
  const finding = faultOf("alerts.chat", problem, why);
  const isToken = /bot token/.test(problem.message);
  return isToken ? { ...finding, command: setSecretCommand(BOT_TOKEN.name), who: null } : finding;
}
