/** One vendor's account: may we go there, does it take us, and with which rights. */
import { versionTrouble } from "../../../core/advice/api-version.ts";
import { clientSecretCommand } from "../../../core/advice/app-credentials.ts";
import { connectCommand, crossRegionCommand } from "../../../core/advice/command-lines.ts";
import { loginTrouble } from "../../../core/advice/login-age.ts";
import { residencyTrouble } from "../../../core/advice/residency.ts";
import { scopeFixes } from "../../../core/advice/missing-scopes.ts";
import type { AppError } from "../../../shared/errors.ts";
import { listed, possessive, shortTime } from "../../../shared/text.ts";
import { type Finding, fault, faultOf, warning } from "../finding.ts";
import type { AccountFacts } from "../look/account.ts";
import { foundIn } from "../look/looker.ts";
import { isBusy } from "./rate.ts";
import { unlooked } from "./unlooked.ts";

const WAITS = "Results wait meanwhile, and go out by themselves afterwards.";

/** Nobody wants anything of this vendor: it has no app here, or no more than that, and the operator did not ask about it. */
export function isOfNoUse(facts: AccountFacts): boolean {
  if (isWanted(facts)) return false;
  return !facts.isExpected || foundIn(facts.destination)?.authorization.clientId === "";
}

/** Somebody is connected, or is about to be, or asked about it. */
function isWanted({ isNamed, connection: known, linkExpiresAt }: AccountFacts): boolean {
  return isNamed || (known !== null && known.state !== "not_connected") || linkExpiresAt !== null;
}

/** Is there an account at all, and is it the right one? */
export function connection(facts: AccountFacts): Finding | null {
  const { vendor, label, connection: known, isNamed, linkExpiresAt, destination } = facts;
  const id = `${vendor}.connection`;
  if (destination.is === "failed")
    return faultOf(id, destination.problem, `${label} cannot be called at all.`);
  const [command, opened] = [connectCommand(facts), foundIn(destination)];
  const state = known?.state ?? "not_connected";
  if (state === "must_reconnect")
    return fault(id, "RECONNECT_NEEDED", {
      what: `${label} must reconnect: it has taken back our access`,
      why: WAITS,
      command,
    });
  if (state === "connected")
    return known?.isConfirmed === false
      ? fault(id, "PARTIAL", {
          what: `${known.account?.name ?? "the account"} (${known.account?.id ?? "?"}) came by a link and is not confirmed`,
          why: "Nothing goes there before somebody who knows it says that it is the right one.",
          command: connectCommand(facts, "--confirm"),
        })
      : null;
  if (linkExpiresAt !== null)
    return warning(id, {
      what: `${label} waits for consent`,
      why: "Until then nothing goes there.",
      who: `The admin of the account: open the link before ${shortTime(linkExpiresAt)}.`,
    });
  // Of who may never be connected a secret is not missing.
  const words = {
    what: `${label} is not connected`,
    why: "No results go there.",
    ...(isWanted(facts) || facts.hasClientSecret !== false || !opened
      ? { command }
      : {
          command: clientSecretCommand({ ...facts, ...opened, place: facts }),
          who: `It takes the client secret from the app's page in ${label}. Then: ${command}`,
        }),
  };
  return isNamed ? fault(id, "RECONNECT_NEEDED", words) : warning(id, words);
}

/** The app that we are to the vendor: its id is in the configuration, its secret in the vault. */
export function app(facts: AccountFacts): Finding | null {
  const { vendor, label, environment, destination, hasClientSecret, connection: known } = facts;
  const opened = foundIn(destination);
  if (opened === null || known?.method === "api-key") return null;
  const { clientId, clientSecretName, orgClientIdKey } = opened.authorization;
  const why = "Without it nobody can connect, and no token is refreshed.";
  const section = environment === "sandbox" ? `[sandbox.${vendor}]` : `[${vendor}]`;
  if (!clientId)
    return fault(`${vendor}.app`, "CONFIG_INVALID", {
      what: `no app of ${label} is named: its client id is missing`,
      why,
      who: `Whoever may write the configuration: ${section} client_id = "…"${orgClientIdKey ? `, or ${orgClientIdKey} of one org` : ""}, from the app's page in ${label}.`,
    });
  if (hasClientSecret !== false || !isWanted(facts)) return null;
  return fault(`${vendor}.app`, "CONFIG_INVALID", {
    what: `the secret ${clientSecretName} is not set`,
    why,
    command: clientSecretCommand({ ...facts, ...opened, place: facts }),
    who: `It takes the client secret from the app's page in ${label}.`,
  });
}

/** A token is fetched, and opens the account. */
export function credentials(facts: AccountFacts): Finding | null {
  const { vendor, label, token, account, hasClientSecret } = facts;
  const id = `${vendor}.credentials`;
  if (token.is === "failed") return hasClientSecret === false ? null : noToken(facts, token.problem);
  if (account.is === "late" && isBusy(facts)) return null;
  if (account.is === "failed") return faultOf(id, account.problem, WAITS);
  return (
    unlooked(id, token, { what: `fetching a token from ${label}`, code: "VENDOR_UNAVAILABLE" }) ??
    unlooked(id, account, { what: `asking ${label} about its account`, code: "VENDOR_UNAVAILABLE" })
  );
}

function noToken(facts: AccountFacts, problem: AppError): Finding | null {
  const { vendor, label, destination } = facts;
  const finding = faultOf(`${vendor}.credentials`, problem, WAITS);
  switch (problem.code) {
    case "RECONNECT_NEEDED":
      return { ...finding, command: connectCommand(facts), who: null };
    case "VAULT_UNAVAILABLE":
      // The vault's own finding says it.
      return null;
    case "CONFIG_INVALID": {
      const opened = foundIn(destination);
      if (opened === null || !/client id and secret/.test(problem.message)) return finding;
      return {
        ...finding,
        command: clientSecretCommand({ ...facts, ...opened, place: facts }),
        who: `It takes the client secret from the app's page in ${label}; the client id is in the configuration.`,
      };
    }
    default:
      return finding;
  }
}

export function scopes(facts: AccountFacts): Finding | null {
  const { vendor, connection: known, destination } = facts;
  const missing = known?.state === "connected" ? known.missingScopes : [];
  if (missing.length === 0) return null;
  const guide = foundIn(destination)?.commonErrors?.scope;
  const fixes = scopeFixes(guide ? { commonErrors: { scope: guide } } : {});
  return fault(`${vendor}.scopes`, "PARTIAL", {
    what: `${missing.length === 1 ? "a scope was" : "scopes were"} not granted: ${listed(missing)}`,
    why: `${guide ? `${guide.title}. ` : ""}What needs them is refused. ${WAITS}${fixes === null ? "" : ` ${fixes}`}`,
    command: connectCommand(facts),
  });
}

/** Only a vendor that looks at the address before anybody signs in tells it. */
export function redirectUri({
  vendor,
  label,
  redirect,
  destination,
  connection: known,
}: AccountFacts): Finding | null {
  const id = `${vendor}.redirect-uri`;
  if (redirect.is !== "known") {
    const unasked = unlooked(id, redirect, {
      what: `asking for ${possessive(label)} consent page`,
      code: "VENDOR_UNAVAILABLE",
    });
    // Nobody needs that page before the next consent.
    return redirect.is === "late" && unasked ? { ...unasked, level: "warning", code: null } : unasked;
  }
  const { refused } = redirect.value;
  const [first] = refused;
  if (first === undefined) return null;
  const guide = foundIn(destination)?.commonErrors?.redirectUri(first);
  const steps = guide ? guide.fixes : [`Register exactly this one with the app: ${first}`];
  const words = {
    what: `${label} does not know our redirect URI ${listed(refused)}`,
    why: guide ? `${guide.title}: ${guide.cause}.` : "No consent can come back by it.",
    who: `Whoever looks after the app in ${label}: ${steps.join(". ")}.`,
  };
  const isUrgent = known?.state !== "connected" && refused.length === 2;
  return isUrgent ? fault(id, "CONFIG_INVALID", words) : warning(id, words);
}

export function region(facts: AccountFacts): Finding | null {
  const { vendor, label, residency } = facts;
  const trouble = residency && residencyTrouble({ name: facts, label, residency });
  if (!trouble) return null;
  return fault(`${vendor}.residency`, "CONFIG_INVALID", {
    what: trouble.message,
    why: "Results rest elsewhere than they shall.",
    command: crossRegionCommand(facts),
    who: `You, before: is it meant? Else: ${trouble.hint.replace(/ If it is meant: .*$/s, "")}`,
  });
}

/** Told long before. */
export function loginAge({ vendor, label, connection: known }: AccountFacts, now: number): Finding | null {
  const trouble = known ? loginTrouble(known, label, now) : null;
  if (trouble === null || !known) return null;
  return warning(`${vendor}.login`, {
    what: trouble.replace(/ Renew it: .*$/s, "").replace(/\.$/, ""),
    why: "Its refresh token is no good afterwards: results would wait.",
    command: connectCommand(known),
  });
}

export function apiVersion(
  { vendor, label, apiVersion: version, connection: known }: AccountFacts,
  now: number,
): Finding | null {
  if (!version || !known || known.state === "not_connected") return null;
  const trouble = versionTrouble(version.used, { vendor, label, known: version.known, now });
  if (trouble === null) return null;
  const [what = trouble, fix = ""] = trouble.split(/(?<=\d|day|days)\. (?=Set|A newer)/);
  return warning(`${vendor}.api-version`, {
    what,
    why: "What breaks there afterwards nobody mends.",
    who: `Whoever may write the configuration: ${fix}.`,
  });
}
