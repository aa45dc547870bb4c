/** What an account does with results: its fields, its subscription, its rate, and whether all of it was ever tried. */
import {
  subscribeCommand,
  resyncCommand,
  emulatedTrialCommand,
  trialCommand,
} from "../../../core/advice/command-lines.ts";
import type { Account } from "../../../core/connection.ts";
import { namesOf } from "../../../core/advice/left-out.ts";
import { subscriptionFault } from "../../../core/advice/subscription.ts";
import { count, listed, possessive, shortTime } from "../../../shared/text.ts";
import { type Finding, fault, note, warning } from "../finding.ts";
import type { AccountFacts } from "../look/account.ts";
import { foundIn } from "../look/looker.ts";
import { isBusy } from "./rate.ts";
import { unlooked } from "./unlooked.ts";

export function fieldTroubles(facts: AccountFacts): Finding[] {
  const { vendor, label, fields, fieldWords } = facts;
  const id = `${vendor}.${fieldWords[1].replaceAll(" ", "-")}`;
  if (fields.is === "failed") {
    const { code, message } = fields.problem;
    return [
      fault(id, code, {
        what: message,
        why: `${possessive(label)} ${fieldWords[1]} cannot be looked at.`,
        who: fields.problem.hint ?? "Nobody: look again later.",
      }),
    ];
  }
  if (fields.is === "late" && isBusy(facts)) return [];
  const late = unlooked(id, fields, {
    what: `listing ${possessive(label)} ${fieldWords[1]}`,
    code: "VENDOR_UNAVAILABLE",
  });
  if (late) return [late];
  return [missing(facts, id), noRoom(facts, id), unfit(facts, id), drifted(facts)].filter(
    (each) => each !== null,
  );
}

function missing(facts: AccountFacts, id: string): Finding | null {
  const plan = foundIn(facts.fields);
  const absent = [
    ...(plan?.create ?? []),
    ...(plan?.group?.exists === false ? [`the group ${plan.group.name}`] : []),
  ];
  if (absent.length === 0) return null;
  return fault(id, "PARTIAL", {
    what: `${facts.label} lacks ${someOf(absent)}`,
    why: "Results that fill them are held until they are there.",
    command: resyncCommand(facts),
    remedy: { does: "create fields", vendor: facts.vendor },
  });
}

function noRoom(facts: AccountFacts, id: string): Finding | null {
  const over = foundIn(facts.fields)?.overQuota ?? [];
  if (over.length === 0) return null;
  return fault(`${id}.quota`, "PARTIAL", {
    what: `${facts.label} has no room for ${someOf(over)}`,
    why: "Results go without them.",
    command: resyncCommand(facts),
    who: `An admin there, before: remove custom ${facts.fieldWords[1]}, or take a larger plan.`,
  });
}

function unfit(facts: AccountFacts, id: string): Finding | null {
  const leftOut = foundIn(facts.fields)?.leftOut ?? [];
  if (leftOut.length === 0) return null;
  return fault(`${id}.unfit`, "PARTIAL", {
    what: `left out of every result: ${namesOf(leftOut)}`,
    why: "The rest of each result goes.",
    command: resyncCommand(facts),
    who: `An admin of ${facts.label}, before: give ${leftOut.length === 1 ? "it" : "them"} back the definition of the setup guide.`,
  });
}

function drifted(facts: AccountFacts): Finding | null {
  const plan = foundIn(facts.fields);
  const harmless = (plan?.drifted ?? []).filter(
    ({ name }) => !plan?.leftOut.some((field) => field.name === name),
  );
  if (harmless.length === 0) return null;
  return warning(`${facts.vendor}.drift`, {
    what: `changed in ${facts.label}: ${harmless.map(({ name, difference }) => `${name} (${difference})`).join(", ")}`,
    why: "Values still go there; lists and reports of the customer may not find them. We overwrite nothing.",
    who: `An admin of ${facts.label}: Settings, ${facts.fieldWords[1]}: as the setup guide has them.`,
  });
}

export function subscription(facts: AccountFacts): Finding | null {
  const { vendor, label, subscription: looked } = facts;
  const id = `${vendor}.subscription`;
  if (looked.is === "failed")
    return fault(id, looked.problem.code, {
      what: looked.problem.message,
      why: `${possessive(label)} webhook subscription cannot be looked at.`,
      who: looked.problem.hint ?? "Nobody: look again later.",
    });
  const health = foundIn(looked);
  if (looked.is === "late" && isBusy(facts)) return null;
  if (health === null)
    return unlooked(id, looked, {
      what: `listing ${possessive(label)} subscriptions`,
      code: "VENDOR_UNAVAILABLE",
    });
  const why = `Results still go there; that they arrived is not confirmed.`;
  const found = subscriptionFault({ ...facts, subscription: health }, label);
  if (found === null) return null;
  const command = subscribeCommand(facts);
  if (facts.connection?.subscription === null && health.state === "missing")
    return warning(id, { what: `${possessive(label)} webhooks are not subscribed`, why, command });
  return fault(id, "PARTIAL", {
    what: found.words,
    why,
    command,
    // Another installation's, perhaps, whose state was copied.
    ...(health.state === "elsewhere" ? {} : { remedy: { does: "subscribe", vendor } }),
  });
}

export function sandboxTest(
  { vendor, label, org, isAts, environment, connection }: AccountFacts,
  passedAt: number | null,
): Finding | null {
  if (passedAt !== null || environment === "sandbox" || connection?.state !== "connected") return null;
  return note(`${vendor}.sandbox-test`, {
    what: `the sandbox test of ${label} was not passed here yet`,
    why: `It walks the whole road with a made-up person. Without a sandbox: ${emulatedTrialCommand(vendor)}`,
    command: trialCommand(isAts ? { vendor, org, jobId: "<id>" } : { vendor, org }),
  });
}

/** Why the vendor did not answer all that it is asked, where no finding says it; null where it did. */
export function unasked(facts: AccountFacts): string | null {
  const { connection, token, account, fields, subscription: looked } = facts;
  if (connection?.state !== "connected") return "not connected";
  const hasAll = [token, account, fields].every(({ is }) => is === "known");
  if (hasAll && (looked.is === "known" || looked.is === "skipped")) return null;
  return isBusy(facts) ? "its calls are taken by results" : "no token of it could be had";
}

export function calmWords(
  facts: AccountFacts,
  { passedAt, fieldCount }: { passedAt: number | null; fieldCount: number },
): string {
  const { connection, window, subscription: looked, fieldWords } = facts;
  if (connection?.state !== "connected") return "not connected";
  return [
    connection.account ? accountWords(connection.account) : "connected",
    `${count(connection.scopes.length, "scope")}`,
    ...(fieldCount > 0 ? [`${fieldCount} ${fieldCount === 1 ? fieldWords[0] : fieldWords[1]}`] : []),
    ...(looked.is === "known" ? ["its webhook subscription is active"] : []),
    ...(facts.apiVersion ? [`API ${facts.apiVersion.used.name}`] : []),
    ...(connection.login ? [`login good until ${shortTime(connection.login.endsAt)}`] : []),
    ...(window ? [`${window.used} of ${window.calls} calls taken`] : []),
    ...(passedAt === null ? [] : [`sandbox test passed ${shortTime(passedAt)}`]),
  ].join(", ");
}

function accountWords({ name, id }: Account): string {
  return name === id ? name : `${name} (${id})`;
}

/** A few by name. */
function someOf(names: readonly string[]): string {
  const MOST = 4;
  if (names.length <= MOST) return listed(names);
  return `${names.slice(0, MOST - 1).join(", ")} and ${names.length - MOST + 1} more`;
}
