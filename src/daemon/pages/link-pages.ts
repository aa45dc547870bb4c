import { isAppError } from "../../shared/errors.ts";
import type { Connection } from "../../core/connection.ts";
import type { Consent, TakenConsent } from "../../core/consent.ts";
import type { Page } from "../../shared/page.ts";
import type { Destination } from "../../vendors/contract/destination.ts";

/**
 * What an account's admin sees after answering a link, on a machine of their own. They have no terminal and no
 * configuration: what only the operator can mend is said without its details, which are in the service's log.
 */
export interface LinkPage extends Page {
  status: number;
}

const CLOSE = "You may close this tab.";
const UNCHANGED = "Nothing was changed.";
const AGAIN = "Open the link you were given again";
const ASK = "ask whoever sent it to you";

/** What an admin is asked, before they see anything of the vendor's. */
export function linkAskPage(
  { label, subject, authorization }: Pick<Destination, "label" | "subject" | "authorization">,
  { org, environment, accountId }: Consent,
): LinkPage {
  const where = environment === "sandbox" ? `the sandbox of ${label}` : label;
  const found = subject === "contact" ? " Contacts are found, and created, by e-mail address." : "";
  const choose =
    accountId === null ? [] : [`Choose account ${accountId}: consent from another one is not taken.`];
  const isPlain = authorization.authorizeUrl.startsWith("http:");
  return {
    status: 200,
    tone: "ask",
    title: `Connect ${label} to JobCannon for ${org}?`,
    text: [
      `JobCannon asks for access to an account in ${where} on behalf of the organisation ${org}.`,
      `What is shared: the assessment results of ${org}'s candidates (scores, status, and a link to the full result) are written to the account you choose.${found}`,
      `JobCannon asks for: ${authorization.scopes.map((scope) => `\`${scope}\``).join(" ")}`,
      ...choose,
      `If you do not know ${org}, or did not expect this, close this tab: nothing happens.`,
    ],
    action: {
      label: `Continue to ${label}`,
      leadsTo: isPlain ? [new URL(authorization.authorizeUrl).origin] : [],
    },
  };
}

export function linkConnectedPage(
  label: string,
  { org, account, environment, missingScopes, isConfirmed }: Connection,
): LinkPage {
  const where = account ? `${account.name} (${account.id})` : "this account";
  const flow = isConfirmed
    ? `JobCannon's assessment results for ${org} go to ${where} from now on.`
    : `JobCannon's assessment results for ${org} go to ${where} once JobCannon has confirmed that this is the right account.`;
  const what =
    environment === "sandbox"
      ? `${where} is connected as the sandbox of ${org}; results go to production only.`
      : flow;
  const missing = `Not granted: ${missingScopes.join(", ")}. Results that need this wait.`;
  return {
    status: 200,
    tone: "good",
    title: `${label} is connected`,
    text: [what, ...(missingScopes.length > 0 ? [missing] : []), CLOSE],
  };
}

/** Of a link that cannot be answered now. */
export function pageOfLink(kind: Exclude<TakenConsent["kind"], "taken">): LinkPage {
  switch (kind) {
    case "unknown":
      return linkUnknownPage;
    case "expired":
      return linkExpiredPage;
    case "voided":
      return linkVoidedPage;
    case "used":
      return linkUsedPage;
    case "busy":
      return linkBusyPage;
  }
}

const linkExpiredPage: LinkPage = {
  status: 410,
  tone: "bad",
  title: "This link has expired",
  text: [`${UNCHANGED} Links are good for 7 days: ${ASK} for a new one.`],
};

const linkVoidedPage: LinkPage = {
  status: 410,
  tone: "bad",
  title: "This link no longer counts",
  text: [`${UNCHANGED} A newer link, or a step on JobCannon's side, took its place: ${ASK} for a new one.`],
};

const linkUsedPage: LinkPage = {
  status: 409,
  tone: "waiting",
  title: "This link was used already",
  text: ["The connection was made with it; there is nothing left to do.", CLOSE],
};

const linkBusyPage: LinkPage = {
  status: 409,
  tone: "waiting",
  title: "Your consent has arrived",
  text: ["It is being confirmed at this moment. Reload this page in a minute to see how it ended."],
};

export const linkSlowPage: LinkPage = {
  status: 202,
  tone: "waiting",
  title: "Almost there",
  text: [
    "Your consent has arrived; the vendor is slow to confirm it.",
    "Whoever sent you the link sees how it ends; reload this page in a minute to see it yourself.",
  ],
};

export const linkUnknownPage: LinkPage = {
  status: 400,
  tone: "bad",
  title: "This is not a consent we asked for",
  text: [
    `${UNCHANGED} ${AGAIN}, all of it; if it ends here once more, ${ASK} for a new one.`,
    "If nobody gave you a link, someone else sent you here: close this tab.",
  ],
};

export const linkOverloadedPage: LinkPage = {
  status: 503,
  tone: "waiting",
  title: "Too many at once",
  text: [`${UNCHANGED} ${AGAIN} in a minute; it is still good.`],
};

export function linkOtherAccountPage(label: string, wanted: string, after: string): LinkPage {
  return {
    status: 409,
    tone: "bad",
    title: `${label} was not connected`,
    text: [
      `You gave consent for account ${after}, but results are to go to account ${wanted}. ${UNCHANGED}`,
      `${AGAIN} and choose account ${wanted}. If the change is meant, ${ASK} for a link that allows it.`,
    ],
  };
}

/** Where either of them rests is the operator's business, and in the service's log. */
export function linkOtherRegionPage(label: string): LinkPage {
  return {
    status: 409,
    tone: "bad",
    title: `${label} was not connected`,
    text: [
      `This account keeps its data in another region than JobCannon may send this organisation's results to. ${UNCHANGED}`,
      `${AGAIN} and choose an account in the right region. If this one is meant, ${ASK} for a link that allows it.`,
    ],
  };
}

/** `label`: null where it is not known whose link it was. */
export function linkFailedPage(label: string | null, error: unknown): LinkPage {
  const title = `${label ?? "The account"} was not connected`;
  const { status, text } = wordsFor(error);
  return { status, tone: "bad", title, text };
}

function wordsFor(error: unknown): { status: number; text: string[] } {
  const again = `${AGAIN} in a few minutes; it is still good. If that does not help, ${ASK}.`;
  if (!isAppError(error))
    return { status: 500, text: [`Something unexpected went wrong on our side. ${UNCHANGED}`, again] };
  const said = `${error.message}.`;
  switch (error.code) {
    // Whose it is, is nobody else's business.
    case "USAGE":
      return {
        status: 409,
        text: [
          `This account is connected to JobCannon for another organisation already. ${UNCHANGED}`,
          `${AGAIN} and choose an account of your own, or ${ASK}.`,
        ],
      };
    case "CANCELLED":
      return {
        status: 403,
        text: [
          `${said.replace(/ ?Nothing was changed\.$/, "")} ${UNCHANGED}`,
          `${AGAIN} if you change your mind; it is still good.`,
        ],
      };
    case "VENDOR_UNAVAILABLE":
    case "VENDOR_RATE_LIMITED":
      return { status: 503, text: [`${said} ${UNCHANGED}`, again] };
    case "VENDOR_REJECTED":
    case "VENDOR_UNEXPECTED":
      return { status: 502, text: [`${said} ${UNCHANGED}`, again] };
    case "STORE_UNAVAILABLE":
    case "VAULT_UNAVAILABLE":
      return { status: 503, text: [`We cannot keep the connection at the moment. ${UNCHANGED}`, again] };
    default:
      return {
        status: 500,
        text: [
          `Something on JobCannon's side has to be mended first. ${UNCHANGED}`,
          `Tell whoever sent you the link, then open it again; it is still good.`,
        ],
      };
  }
}
