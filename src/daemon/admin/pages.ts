import type { IncomingMessage, ServerResponse } from "node:http";
import { ADMIN_HOME, maySee, SIGN_IN_PATH } from "../../core/admin.ts";
import { hashOfLink } from "../../oauth/consent/consent-link.ts";
import { isAppError } from "../../shared/errors.ts";
import { answerText } from "../http/answer.ts";
import { isNavigation } from "../../oauth/consent/redirect-desk.ts";
import { beginConnect, runResync } from "./actions.ts";
import { auditPage } from "./audit-page.ts";
import { candidatePage, findCandidate } from "./candidate.ts";
import type { PagesContext, Visit } from "./context.ts";
import { isFromOwnPage, readForm } from "./form.ts";
import { integrationsPage } from "./integrations.ts";
import { ICON_PATH, SCRIPT_PATH, type Shown, STYLE_PATH } from "./layout.ts";
import { createLive } from "./live.ts";
import { logsPage } from "./logs.ts";
import { leadTo, plainPage, showPage } from "./respond.ts";
import { SCRIPT } from "./script.ts";
import { type AdminCookie, adminCookie, isOwnForm, type SignedIn, sessionOf } from "./session.ts";
import { answerSignIn, notOurFormPage, signInPage } from "./sign-in.ts";
import { ICON, STYLE } from "./style.ts";
import { createTries } from "./tries.ts";
import { placeIn } from "./vendor-pages.ts";

/** The pages for people on the admin listener: who may see them, and which one an address means. */
export interface AdminPages {
  /** Answers where the path is one of these; else does nothing and returns false. */
  respond(path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean>;
  /** What is shown may look otherwise now. */
  changed(): void;
}

/** `isSecure`: does the browser that sent this speak TLS, with us or with a proxy of ours? */
export interface AdminPagesOptions {
  isSecure(request: IncomingMessage): boolean;
}

type Page = (context: PagesContext, visit: Visit) => Promise<Shown | null>;

const GET: Readonly<Record<string, Page>> = {
  [ADMIN_HOME]: integrationsPage,
  [`${ADMIN_HOME}/candidate`]: candidatePage,
  "/admin/audit": auditPage,
};

/** Those that lead on, or tell on the page they lead back to, return null once they have answered. */
const POST: Readonly<Record<string, Page>> = {
  [`${ADMIN_HOME}/connect`]: (context, visit) => act(context, visit, beginConnect),
  [`${ADMIN_HOME}/resync`]: (context, visit) => act(context, visit, runResync),
  [`${ADMIN_HOME}/candidate`]: candidatePage,
  [`${ADMIN_HOME}/find`]: findCandidate,
};

const LOGS = /^\/admin\/integrations\/([a-z0-9-]{1,40})\/logs$/;
const ASSETS = new Map([
  [STYLE_PATH, { type: "text/css; charset=utf-8", text: STYLE }],
  [ICON_PATH, { type: "image/svg+xml", text: ICON }],
  [SCRIPT_PATH, { type: "text/javascript; charset=utf-8", text: SCRIPT }],
]);

export function createAdminPages(context: PagesContext, { isSecure }: AdminPagesOptions): AdminPages {
  const { store, clock, stop } = context;
  const tries = createTries(clock);
  const live = createLive();
  const cookies = { secure: adminCookie(true), plain: adminCookie(false) };
  const unwatch = store.watch(live.changed);
  const end = () => {
    unwatch();
    live.end();
  };
  if (stop.aborted) end();
  else stop.addEventListener("abort", end, { once: true });

  const listen = (response: ServerResponse, secret: string | null) =>
    live.add(response, async () => (await sessionOf(store, secret, clock.now())) !== null);

  const answerSignedIn = async (at: At, admin: SignedIn, cookie: AdminCookie) => {
    const { path, request, response } = at;
    if (path === "/admin/live") return listen(response, cookie.read(request));
    const isPost = request.method === "POST";
    const form = isPost && isFromOwnPage(request) ? await readForm(request) : null;
    if (isPost && (form === null || !isOwnForm(admin, form)))
      return showPage(request, response, notOurFormPage());
    if (path === "/admin/sign-out" && isPost) {
      await store.endAdminSession(hashOfLink(cookie.read(request) ?? ""));
      return leadTo(response, SIGN_IN_PATH, { "set-cookie": cookie.clear() });
    }
    const visit = { ...at, admin, form: form ?? new URLSearchParams() };
    const page = await pageFor(context, path, visit);
    if (!response.headersSent) showPage(request, response, page ?? nothingHere(admin));
  };

  const answer = async (at: At) => {
    const { path, request, response } = at;
    const cookie = isSecure(request) ? cookies.secure : cookies.plain;
    if (path === SIGN_IN_PATH) return await answerSignIn({ ...context, tries }, cookie, request, response);
    const admin = await sessionOf(store, cookie.read(request), clock.now());
    if (admin === null) return showPage(request, response, signInPage(401));
    await answerSignedIn(at, admin, cookie);
  };

  return {
    changed: live.changed,
    respond: async (path, request, response) => {
      if (path !== "/admin" && !path.startsWith("/admin/")) return false;
      const asset = ASSETS.get(path);
      if (asset) showAsset(request, response, asset);
      else if (path === "/admin" || path === "/admin/") leadTo(response, ADMIN_HOME);
      else if (!METHODS.includes(request.method ?? ""))
        showPage(request, response, plainPage(405, "Only GET and POST are taken here", []), {
          allow: METHODS.join(", "),
        });
      else if (path !== "/admin/live" && isEmbedded(request))
        showPage(request, response, plainPage(403, "This page is not loaded by others", []));
      else {
        const url = new URL(
          URL.canParse(request.url ?? "", "http://x") ? (request.url ?? "") : "/",
          "http://x",
        );
        const origin = `${isSecure(request) ? "https" : "http"}://${request.headers.host ?? "localhost"}`;
        const at = { path, request, response, query: url.searchParams, origin };
        await answer(at).catch((error: unknown) => showTrouble(context, at, error));
      }
      return true;
    },
  };
}

const METHODS: readonly string[] = ["GET", "HEAD", "POST"];

type At = Pick<Visit, "request" | "response" | "query" | "origin"> & { path: string };

/** A page's own script fetches it; what another site loads as an image, a frame or a script is none of ours. */
function isEmbedded({ headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  return site !== undefined && site !== "same-origin" && site !== "none" && !isNavigation(headers);
}

async function pageFor(context: PagesContext, path: string, visit: Visit): Promise<Shown | null> {
  const [, vendor] = LOGS.exec(path) ?? [];
  const declared = context.vendors.find((each) => each.vendor === vendor && each.destination !== undefined);
  if (declared) return await logsPage(context, visit, declared);
  const pages = visit.request.method === "POST" ? POST : GET;
  const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
  return page ? await page(context, visit) : null;
}

async function act(
  context: PagesContext,
  visit: Visit,
  action: (context: PagesContext, visit: Visit, of: NonNullable<ReturnType<typeof placeIn>>) => Promise<void>,
): Promise<null> {
  const of = placeIn(visit.form, context.vendors);
  if (of !== null && maySee(visit.admin, of.org)) await action(context, visit, of);
  return null;
}

function nothingHere(admin: SignedIn): Shown {
  return plainPage(404, "Nothing is here", ["There is no such page, or it is not yours to see."], admin);
}

/** What an operator can mend is said; a bug is told to the journal. */
function showTrouble({ quiet }: PagesContext, { path, request, response }: At, error: unknown): void {
  if (isAppError(error)) {
    const { message, hint = "" } = error;
    const page = plainPage(503, "This cannot be shown now", [`${message}.`, hint]);
    showPage(request, response, page, { "retry-after": "5" });
    return;
  }
  const reason = error instanceof Error ? (error.stack ?? error.message) : "unknown";
  quiet.error("an admin page could not be shown", { path, reason });
  showPage(request, response, plainPage(500, "This cannot be shown", ["It is a bug: the journal has it."]));
}

function showAsset(
  request: IncomingMessage,
  response: ServerResponse,
  { type, text }: { type: string; text: string },
): void {
  const headers = {
    // Its name changes with it.
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
  };
  answerText(request, response, { status: 200, type, text, headers });
}
