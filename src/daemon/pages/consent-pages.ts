import type { IncomingMessage, ServerResponse } from "node:http";
import { secretIn } from "../../oauth/consent/consent-link.ts";
import { isNavigation } from "../../oauth/consent/redirect-desk.ts";
import { type AnswerContext, reasonOf, RESULT, takeAnswer } from "./consent-answer.ts";
import { consentCookie } from "./cookie.ts";
import { answerAtLink } from "./link-entry.ts";
import { linkFailedPage, type LinkPage, linkOverloadedPage } from "./link-pages.ts";
import { leadTo, refuse, show } from "./show.ts";
import { createToldEnds } from "./told-ends.ts";

/** What an account's admin meets on the public listener: `/{vendor}/connect`, a link's page, and `/{vendor}/oauth-callback`. */
export interface ConsentPages {
  /** Answers the request where its path is one of these; else does nothing and returns false. */
  respond(path: string, request: IncomingMessage, response: ServerResponse): boolean;
  /** Returns when nothing of it is under way any more. */
  finish(): Promise<void>;
}

/** Consents are rare. Whoever sends more than these at once waits, so that webhooks do not. */
const MOST_AT_ONCE = 8;
const PATH = /^\/([a-z0-9-]{1,40})\/(connect|oauth-callback)$/;
const METHODS = { connect: ["GET", "HEAD", "POST"], "oauth-callback": ["GET"] } as const;

export function createConsentPages(given: Omit<AnswerContext, "ends">): ConsentPages {
  const cookie = consentCookie(given.config["serve.public_url"]);
  const context = { ...given, ends: createToldEnds<LinkPage>(given.clock), cookie };
  const underWay = new Set<Promise<void>>();
  const atLink = async (vendor: string, at: Visit) => {
    try {
      await answerAtLink(context, vendor, at);
    } catch (error) {
      given.quiet.error("link not shown", { vendor, reason: reasonOf(error) });
      show(at.response, linkFailedPage(null, error));
    }
  };
  /** Without the cookie nothing is looked up: that answer cannot be good. */
  const atCallback = (vendor: string, { request, response, query }: Visit): Promise<void> | null => {
    const kept = cookie.read(request);
    if (kept !== null && secretIn(kept) !== null) {
      if (underWay.size < MOST_AT_ONCE) return takeAnswer(context, vendor, { cookie: kept, query, response });
      context.ends.tell(kept, linkOverloadedPage, "told");
    } else {
      const reason = "no link was opened in the browser that brought it";
      given.quiet.warn("consent refused", { vendor, reason });
    }
    leadTo(response, RESULT);
    return null;
  };
  const start = (work: Promise<void> | null) => {
    if (work === null) return;
    const counted = work.finally(() => underWay.delete(counted));
    underWay.add(counted);
  };

  return {
    respond: (path, request, response) => {
      const [, vendor = "", page] = PATH.exec(path) ?? [];
      if (page !== "connect" && page !== "oauth-callback") return false;
      request.resume();
      const methods: readonly string[] = METHODS[page];
      if (!methods.includes(request.method ?? "")) refuse(response, 405, { allow: methods.join(", ") });
      else if (page === "oauth-callback" && !isNavigation(request.headers)) refuse(response, 403);
      else if (!URL.canParse(request.url ?? "", "http://localhost")) refuse(response, 400);
      else {
        const { searchParams: query } = new URL(request.url ?? "", "http://localhost");
        const visit = { request, response, query };
        if (page === "oauth-callback") start(atCallback(vendor, visit));
        else if (underWay.size >= MOST_AT_ONCE) show(response, linkOverloadedPage);
        else start(atLink(vendor, visit));
      }
      return true;
    },
    finish: async () => {
      await Promise.all(underWay);
    },
  };
}

interface Visit {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
}
