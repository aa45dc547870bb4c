/** Those who send us webhooks, and those who hear of trouble. */
import { BOT_TOKEN } from "../../../alerts/bot-token.ts";
import {
  rotateCommand,
  setSecretCommand,
  subscribeCommand,
  testAlertCommand,
} from "../../../core/advice/command-lines.ts";
import { possessive, relativeTime, shortTime } from "../../../shared/text.ts";
import { type Area, area, type Finding, fault, faultOf, fixIn, warning } from "../finding.ts";
import type { Facts, Status } from "../look/facts.ts";
import { foundIn } from "../look/looker.ts";
import { unlooked } from "./unlooked.ts";

export function webhooksArea(
  facts: Pick<Facts, "status" | "senders" | "sources" | "now" | "accounts">,
  { org }: { org: string },
): Area {
  const { status, senders, now } = facts;
  const known = foundIn(status);
  const seen = senders.map(({ source, label }) => {
    const takenAt = facts.sources.find((each) => each.source === source)?.takenAt ?? null;
    return `${label}: ${takenAt === null ? "none came yet" : `verified ${relativeTime(takenAt, now)}`}`;
  });
  return area("webhooks", "webhooks", {
    found: [
      ...senders.map((sender) => withoutSecret(sender, { org })),
      ...(known?.refused ?? []).map((refused) => refusedSender(refused, facts, { org })),
      ...(known?.secretWarnings ?? []).map(weakSecret),
    ],
    calm: seen.join(", "),
    notLookedAt:
      seen.length === 0
        ? "nobody sends any yet"
        : senders.some(({ hasSecret }) => hasSecret === null)
          ? "their secrets could not be looked for"
          : known
            ? null
            : "the log could not be read",
  });
}

export function withoutSecret(
  { source, label, secretName, isAts, hasSecret }: Facts["senders"][number],
  { org }: { org: string },
): Finding | null {
  if (hasSecret !== false) return null;
  return fault("webhooks.secret", "CONFIG_INVALID", {
    what: `no webhook secret of ${label} is set`,
    why: `${possessive(label)} webhooks cannot be verified: all hear 503, and are sent again.`,
    command: isAts ? subscribeCommand({ vendor: source, org }) : setSecretCommand(secretName),
  });
}

/** Only where the sender once was good, or insists: passers-by are refused every day. */
export function refusedSender(
  { source, n, reason, lastAt, banner }: Status["refused"][number],
  { senders, accounts }: Pick<Facts, "senders" | "accounts">,
  { org }: { org: string },
): Finding | null {
  const sender = senders.find((each) => each.source === source);
  if (!sender || banner === null) return null;
  const account = accounts.find(({ vendor }) => vendor === source);
  const guide = account ? foundIn(account.destination)?.commonErrors?.signature : undefined;
  const what = `${n === 1 ? "a webhook" : `${n} webhooks`} of ${sender.label} refused, the last at ${shortTime(Date.parse(lastAt))}: ${reason}`;
  const why = guide
    ? `${guide.title}: ${guide.cause}. ${guide.fixes.join(". ")}.`
    : "What they tell us is missing until they send it again.";
  return fault("webhooks.refused", "CONFIG_INVALID", {
    what,
    why,
    ...(account?.isAts
      ? { command: rotateCommand({ vendor: source, org }) }
      : {
          command: setSecretCommand(sender.secretName),
          who: `It takes the secret that ${sender.label} signs with.`,
        }),
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
