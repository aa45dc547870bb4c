import type { IncomingMessage, ServerResponse } from "node:http";
import {
  checkSeal,
  hashOfLink,
  looksLikeSecret,
  newCookie,
  secretIn,
  vendorUrl,
} from "../../oauth/consent/consent-link.ts";
import type { Consent, TakenConsent } from "../../core/consent.ts";
import type { Store } from "../../store/contract/store.ts";
import type { AccountContext } from "../../flows/account/context.ts";
import type { ConsentCookie } from "./cookie.ts";
import { linkAskPage, type LinkPage, linkUnknownPage, pageOfLink } from "./link-pages.ts";
import { leadTo, refuse, show } from "./show.ts";
import type { ToldEnds } from "./told-ends.ts";

/** Where a link leads: what it is about, and a button. Whoever only looks, as a mail scanner does, changes nothing. */
export interface EntryContext extends Pick<AccountContext, "clock" | "config" | "destination"> {
  store: Pick<Store, "takeConsent">;
  cookie: ConsentCookie;
  ends: ToldEnds<LinkPage>;
}

export async function answerAtLink(
  context: EntryContext,
  vendor: string,
  {
    request,
    response,
    query,
  }: { request: IncomingMessage; response: ServerResponse; query: URLSearchParams },
): Promise<void> {
  const secret = query.get("link");
  const isPress = request.method === "POST";
  if (isPress && !isOwnPage(context, request)) return refuse(response, 403);
  if (secret === null && !isPress) return show(response, await howItEnded(context, vendor, request));
  const found = await look(context, vendor, secret ?? "");
  if (found.kind !== "taken") return show(response, pageOfLink(found.kind));
  const { consent } = found;
  const destination = await context.destination(consent);
  if (!isPress && !isFromAdminPage(request, consent))
    return show(response, linkAskPage(destination, consent));
  checkSeal(secret ?? "", consent);
  const kept = newCookie(secret ?? "");
  const url = vendorUrl(destination, kept, consent.redirectUri);
  leadTo(response, url, { "set-cookie": context.cookie.set(kept) });
}

async function look({ store, clock }: EntryContext, vendor: string, secret: string): Promise<TakenConsent> {
  if (!looksLikeSecret(secret)) return { kind: "unknown" };
  return await store.takeConsent({ hash: hashOfLink(secret), vendor, now: clock.now(), how: "look" });
}

/** A browser that comes back from the vendor is led here. */
async function howItEnded(
  context: EntryContext,
  vendor: string,
  request: IncomingMessage,
): Promise<LinkPage> {
  const cookie = context.cookie.read(request);
  const secret = cookie === null ? null : secretIn(cookie);
  if (cookie === null || secret === null) return linkUnknownPage;
  const told = context.ends.of(cookie);
  if (told) return told;
  // Another process was told, or this one began anew since.
  const { kind } = await look(context, vendor, secret);
  return kind === "taken" ? linkUnknownPage : pageOfLink(kind);
}

/**
 * Whoever pressed the button on the admin page was asked there. No other page can name itself so: what a browser says of
 * where it comes from is its own word.
 */
function isFromAdminPage({ headers }: IncomingMessage, { begun }: Pick<Consent, "begun">): boolean {
  const { referer = "" } = headers;
  return begun !== undefined && URL.canParse(referer) && new URL(referer).origin === begun.returnTo;
}

/** Another site's page that presses the button would bring an admin to a consent of which they saw nothing. */
function isOwnPage({ config }: EntryContext, { headers }: IncomingMessage): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  const publicUrl = config["serve.public_url"];
  return URL.canParse(publicUrl) && headers.origin === new URL(publicUrl).origin;
}
