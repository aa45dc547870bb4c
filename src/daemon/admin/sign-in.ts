import type { IncomingMessage, ServerResponse } from "node:http";
import { BlockList } from "node:net";
import { ADMIN_HOME, ADMIN_SESSION_MS, type OpenedAdminLink, SIGN_IN_PATH } from "../../core/admin.ts";
import { adminLinkCommand } from "../../core/advice/command-lines.ts";
import { hashOfLink, looksLikeSecret, newLinkSecret } from "../../oauth/consent/consent-link.ts";
import { clientOf } from "../http/connections.ts";
import type { PagesContext } from "./context.ts";
import { isFromOwnPage, readForm } from "./form.ts";
import { html } from "./html.ts";
import { hidden, type Shown } from "./layout.ts";
import { leadTo, plainPage, showPage } from "./respond.ts";
import type { AdminCookie } from "./session.ts";
import type { Tries } from "./tries.ts";

/**
 * `/admin/sign-in`: what a one-time link leads to. Whoever only looks, as a scanner of messages does, uses nothing up: the
 * page's button does.
 */
export interface SignInContext extends Pick<PagesContext, "store" | "clock" | "quiet"> {
  tries: Tries;
}

const NO_PROXIES = new BlockList();

export async function answerSignIn(
  context: SignInContext,
  cookie: AdminCookie,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const client = clientOf(request, NO_PROXIES);
  const wait = context.tries.waitFor(client);
  if (wait !== null) return showPage(request, response, tooManyPage(wait), { "retry-after": String(wait) });
  if (request.method === "POST") return await signIn(context, cookie, { request, response, client });
  const { searchParams: query } = new URL(request.url ?? "/", "http://localhost");
  const secret = query.get("link");
  if (secret === null) return showPage(request, response, signInPage(200));
  const found = await look(context, secret);
  if (found.kind !== "good") {
    context.tries.failed(client);
    return showPage(request, response, refusedPage(found.kind));
  }
  showPage(request, response, askPage(secret, found.link.org));
}

async function signIn(
  { store, clock, tries, quiet }: SignInContext,
  cookie: AdminCookie,
  { request, response, client }: { request: IncomingMessage; response: ServerResponse; client: string },
): Promise<void> {
  const form = isFromOwnPage(request) ? await readForm(request) : null;
  if (form === null) return showPage(request, response, notOurFormPage());
  const secret = form.get("link") ?? "";
  const [kept, now] = [newLinkSecret(), clock.now()];
  const session = { hash: hashOfLink(kept), expiresAt: now + ADMIN_SESSION_MS };
  const found = looksLikeSecret(secret)
    ? await store.redeemAdminLink({ hash: hashOfLink(secret), now, session })
    : ({ kind: "unknown" } as const);
  if (found.kind === "good") return leadTo(response, ADMIN_HOME, { "set-cookie": cookie.set(kept) });
  tries.failed(client);
  quiet.warn("a sign-in to the admin page was refused", { reason: REASONS[found.kind] });
  showPage(request, response, refusedPage(found.kind));
}

async function look({ store, clock }: SignInContext, secret: string): Promise<OpenedAdminLink> {
  if (!looksLikeSecret(secret)) return { kind: "unknown" };
  return await store.lookAtAdminLink(hashOfLink(secret), clock.now());
}

const REASONS = {
  unknown: "nobody made such a link",
  used: "the link was used already",
  expired: "the link has expired",
};

const TITLES = {
  unknown: "This is no link of ours",
  used: "This link was used already",
  expired: "This link has expired",
};

/** Where nobody is signed in. */
export function signInPage(status: number): Shown {
  return withCommand(status, "Sign in", "A link signs you in: once, within 15 minutes, for 12 hours.");
}

function refusedPage(kind: keyof typeof TITLES): Shown {
  return withCommand(403, TITLES[kind], "A link is good once, for 15 minutes. Make a new one.");
}

function withCommand(status: number, title: string, words: string): Shown {
  const body = html`<h1>${title}</h1><p>${words}</p>
  <p>On the machine that runs the service, as its user, run: <code>${adminLinkCommand()}</code></p>
  <p class="soft">For one organisation alone: <code>${adminLinkCommand("<slug>")}</code></p>`;
  return { status, title, body, signedIn: null };
}

function askPage(secret: string, org: string | null): Shown {
  const title = "Sign in to JobCannon integrations";
  const whose = org === null ? "every organisation" : org;
  const body = html`<h1>${title}</h1><p>You will see and change the integrations of ${whose}, for 12 hours in this browser.</p>
  <form method="post" action="${SIGN_IN_PATH}">${hidden({ link: secret })}<button>Sign in</button></form>`;
  return { title, body, signedIn: null };
}

function tooManyPage(seconds: number): Shown {
  const minutes = Math.ceil(seconds / 60);
  const words = `Try again in ${minutes} min; a good link is still good then, if it is no older than 15 minutes.`;
  return plainPage(429, "Too many links that are not good", [words]);
}

export function notOurFormPage(): Shown {
  return plainPage(403, "This was not sent by a page of ours", [
    "Nothing was changed. Go back, reload the page, and try again.",
  ]);
}
