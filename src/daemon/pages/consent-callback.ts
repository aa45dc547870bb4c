import type { IncomingMessage, ServerResponse } from "node:http";
import { connectionName } from "../../core/connection.ts";
import { type ConsentEnd, type FinishContext, finishConsent } from "../../flows/connect/finish-consent.ts";
import {
  type LinkPage,
  linkBusyPage,
  linkConnectedPage,
  linkExpiredPage,
  linkFailedPage,
  linkOtherAccountPage,
  linkOverloadedPage,
  linkSlowPage,
  linkUnknownPage,
  linkUsedPage,
  linkVoidedPage,
} from "./link-pages.ts";
import { PAGE_HEADERS, renderPage } from "../../shared/page.ts";
import { isNavigation } from "../../oauth/consent/redirect-desk.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";

/** `GET /{vendor}/oauth-callback` on the public listener: where an admin's browser ends after answering a link. */
export interface ConsentCallback {
  /** Answers the request where its path is such a callback; else does nothing and returns false. */
  respond(path: string, request: IncomingMessage, response: ServerResponse): boolean;
  /** Returns when nothing of it is under way any more. */
  finish(): Promise<void>;
}

export interface CallbackContext extends FinishContext {
  /** For what anybody can cause, as often as he likes. */
  quiet: Pick<Log, "warn" | "error">;
  /** Cuts off the calls under way. */
  signal: AbortSignal;
}

/** Consents are rare. Whoever sends more than these at once waits, so that webhooks do not. */
const MOST_AT_ONCE = 8;
/** A browser that waited this long is told that it may go. */
const PATIENCE_MS = 20_000;
const CALLBACK_PATH = /^\/([a-z0-9-]{1,40})\/oauth-callback$/;

export function createConsentCallback(context: CallbackContext): ConsentCallback {
  const underWay = new Set<Promise<void>>();

  const take = async (vendor: string, request: IncomingMessage, response: ServerResponse) => {
    const { searchParams: query } = new URL(request.url ?? "/", "http://localhost");
    const told = new AbortController();
    const patience = showLater(context, response, told.signal);
    try {
      const end = await finishConsent(context, { vendor, query, signal: context.signal });
      note(context, vendor, end);
      show(response, pageOf(end));
      if (end.kind === "connected") await prepare(context, end);
    } catch (error) {
      const reason = context.signal.aborted ? "the service stops" : reasonOf(error);
      context.quiet.error("consent not taken", { vendor, reason });
      show(response, linkFailedPage(null, error));
    } finally {
      told.abort();
      await patience;
    }
  };

  return {
    respond: (path, request, response) => {
      const vendor = CALLBACK_PATH.exec(path)?.[1];
      if (vendor === undefined) return false;
      request.resume();
      if (request.method !== "GET") refuse(response, 405, { allow: "GET" });
      else if (!isNavigation(request.headers)) refuse(response, 403);
      else if (!URL.canParse(request.url ?? "", "http://localhost")) refuse(response, 400);
      else if (underWay.size >= MOST_AT_ONCE) show(response, linkOverloadedPage);
      else {
        const work = take(vendor, request, response).finally(() => underWay.delete(work));
        underWay.add(work);
      }
      return true;
    },
    finish: async () => {
      await Promise.all(underWay);
    },
  };
}

async function showLater(
  { clock }: CallbackContext,
  response: ServerResponse,
  told: AbortSignal,
): Promise<void> {
  try {
    await clock.sleep(PATIENCE_MS, told);
    show(response, linkSlowPage);
  } catch {
    // It was answered in time.
  }
}

/** What goes wrong here stands on the connection, which stays. */
async function prepare(
  { log }: CallbackContext,
  end: Extract<ConsentEnd, { kind: "connected" }>,
): Promise<void> {
  const connection = connectionName(end.connection);
  try {
    const { fields, fieldsProblem } = await end.prepare();
    if (fields) log.info("properties ready", { connection, created: fields.created.length });
    else log.warn("properties not ready", { connection, reason: fieldsProblem?.message ?? "" });
  } catch (error) {
    log.error("properties not ready", { connection, reason: reasonOf(error) });
  }
}

function pageOf(end: ConsentEnd): LinkPage {
  switch (end.kind) {
    case "connected": {
      const { org, account, missingScopes, environment } = end.connection;
      const isSandbox = environment === "sandbox";
      return linkConnectedPage({ label: end.label, org, account, isSandbox, missingScopes });
    }
    case "other_account":
      return linkOtherAccountPage(end.label, end.before.id, end.after.id);
    case "failed":
      return linkFailedPage(end.label, end.error);
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

/** Neither code nor state: what tells one try from another is whose connection it is, where we know. */
function note({ log, quiet }: CallbackContext, vendor: string, end: ConsentEnd): void {
  if (end.kind === "connected") {
    const { connection } = end;
    log.info("connected", {
      connection: connectionName(connection),
      account: connection.account?.id ?? null,
    });
  } else if (end.kind === "other_account") {
    const { name, before, after } = end;
    const reason = `it came from account ${after.id}, not ${before.id} as before; a link made with --yes allows it`;
    log.warn("consent refused", { connection: connectionName(name), reason });
  } else if (end.kind === "failed") {
    const { code, message, hint } = end.error;
    // The others' hints say how to begin anew, but the link is still good.
    const canMend = /^(CONFIG_INVALID|VAULT_UNAVAILABLE|STORE_UNAVAILABLE)$/.test(code);
    const connection = connectionName(end.name);
    log.warn("consent refused", { connection, reason: message, ...(canMend && hint ? { hint } : {}) });
  } else {
    quiet.warn("consent refused", { vendor, reason: REASONS[end.kind] });
  }
}

const REASONS = {
  unknown: "it belongs to no link of ours",
  expired: "its link has expired",
  voided: "its link is void",
  used: "its link was used already",
  busy: "its link is being redeemed",
};

function show(response: ServerResponse, page: LinkPage): void {
  if (response.headersSent) return;
  const { status } = page;
  const later = status === 503 ? { "retry-after": "60" } : {};
  response.writeHead(status, { ...PAGE_HEADERS, ...later, connection: "close" }).end(renderPage(page));
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { ...headers, connection: "close", "cache-control": "no-store" }).end();
}

/** A bug shows its stack, trouble that an operator can mend its message. */
function reasonOf(error: unknown): string {
  if (isAppError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : "unknown";
}
