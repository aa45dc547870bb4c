import { ADMIN_HOME } from "../../core/admin.ts";
import { connectCommand } from "../../core/advice/command-lines.ts";
import type { ConnectionName } from "../../core/connection.ts";
import type { ConsentEnd } from "../../flows/connect/finish-consent.ts";
import type { AppError } from "../../shared/errors.ts";
import { plain } from "../../shared/text.ts";

/** What the admin page says at its top about what was just done there. */
export interface Notice extends ConnectionName {
  tone: "good" | "bad" | "waiting";
  title: string;
  text: readonly string[];
  /** A way on that the admin may choose: consent from that account, which is another than before. */
  instead?: { accountId: string };
}

/** The address of the page that shows what is kept under this key. */
export function noticeUrl(origin: string, key: string): string {
  return `${origin}${ADMIN_HOME}?notice=${encodeURIComponent(key)}`;
}

export function slowNotice(of: ConnectionName): Notice {
  const { org, vendor, environment } = of;
  const text = ["Your consent has arrived; the vendor is slow to confirm it. This page tells how it ends."];
  return { org, vendor, environment, tone: "waiting", title: "Almost there", text };
}

/** How it ended where no consent was needed: the app's credentials, or a key, opened the account. */
export type DirectEnd =
  | Pick<Extract<ConsentEnd, { kind: "connected" }>, "kind" | "label" | "connection">
  | Omit<Extract<ConsentEnd, { kind: "other_account" }>, "name">
  | Omit<Extract<ConsentEnd, { kind: "failed" }>, "name">;

export function directNotice(place: ConnectionName, end: DirectEnd): Notice {
  const { org, vendor, environment } = place;
  const of = { org, vendor, environment };
  switch (end.kind) {
    case "connected":
      return connectedNotice(of, end);
    case "other_account": {
      const text = `What is configured here opens account ${plain(end.after.name)} (${end.after.id}), but results go to account ${end.wanted}. Nothing was changed.`;
      const instead = { accountId: end.after.id };
      return { ...of, tone: "bad", title: `${end.label} was not connected`, text: [text], instead };
    }
    case "failed": {
      const { error, label } = end;
      // What an operator is told of another org's account is nobody else's business.
      const fix = error.hint && error.code !== "USAGE" ? [error.hint] : fixOf(end);
      return failed(of, label, [`${reasonOf(error)}. Nothing was changed.`, ...fix]);
    }
  }
}

function connectedNotice(
  of: ConnectionName,
  { label, connection }: Pick<Extract<ConsentEnd, { kind: "connected" }>, "label" | "connection">,
): Notice {
  const { account, missingScopes: missing } = connection;
  const which = account ? `${plain(account.name)} (${account.id})` : "this account";
  const lacks =
    missing.length > 0 ? [`Not granted: ${missing.join(", ")}. Results that need this wait.`] : [];
  const text = connection.isConfirmed
    ? `Results of ${of.org} go to ${which} from now on.`
    : `Results of ${of.org} wait until an operator has confirmed ${which}.`;
  return { ...of, tone: "good", title: `${label} is connected`, text: [text, ...lacks] };
}

/** How a consent ended that was begun on the page. What another org has is named to nobody. */
export function consentNotice({ org, vendor, environment }: ConnectionName, end: ConsentEnd): Notice {
  const of = { org, vendor, environment };
  switch (end.kind) {
    case "connected":
      return connectedNotice(of, end);
    case "other_account": {
      const text = `Consent came from account ${plain(end.after.name)} (${end.after.id}), but results go to account ${end.wanted}. Nothing was changed.`;
      const instead = { accountId: end.after.id };
      return { ...of, tone: "bad", title: `${end.label} was not connected`, text: [text], instead };
    }
    case "other_region":
      return failed(of, end.label, [
        `This account keeps its data in another region than results of ${org} may go to. Nothing was changed.`,
        `If it is meant, an operator runs: ${connectCommand(of, "--via-service")} --allow-cross-region`,
      ]);
    case "failed":
      return failed(of, end.label, [`${reasonOf(end.error)}. Nothing was changed.`, ...fixOf(end)]);
    default:
      return failed(of, vendor, ["This consent was begun too long ago, or another one took its place."]);
  }
}

function failed(of: ConnectionName, label: string, text: readonly string[]): Notice {
  return { ...of, tone: "bad", title: `${label} was not connected`, text };
}

/** Whose an account is already, is nobody else's business. */
function reasonOf({ code, message }: AppError): string {
  if (code === "USAGE")
    return "This account is connected for another organisation already, and one account belongs to one organisation";
  return message.replace(/[. ]*(Nothing was changed\.)?$/, "");
}

/** The others' hints say how to begin anew at a terminal. */
function fixOf({
  error: { code, hint },
  label,
}: Pick<Extract<ConsentEnd, { kind: "failed" }>, "error" | "label">): string[] {
  const isOperators = /^(CONFIG_INVALID|VAULT_UNAVAILABLE|STORE_UNAVAILABLE)$/.test(code);
  return isOperators && hint !== undefined ? [hint] : [`Click Connect ${label} to try again.`];
}
