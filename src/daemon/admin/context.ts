import type { IncomingMessage, ServerResponse } from "node:http";
import type { FinishContext } from "../../flows/connect/finish-consent.ts";
import type { Log } from "../../shared/log.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import type { Notice } from "../pages/notice.ts";
import type { ToldEnds } from "../pages/told-ends.ts";
import type { SignedIn } from "./session.ts";

/** What the pages of the admin listener work with. */
export interface PagesContext extends FinishContext {
  vendors: readonly VendorDeclaration[];
  /** Commands in a text, as they are to be typed where other places than the usual ones were given. */
  asTypedHere(text: string): string;
  /** What is to be told at the top of the page, by keys that an address may hold. */
  notices: ToldEnds<Notice>;
  /** All that keeps the service from its work, or soon may. */
  reasons(): readonly Reason[];
  /** Nothing new begins. */
  stop: AbortSignal;
  /** Cuts off the calls under way. */
  abort: AbortSignal;
  /** For what anybody can cause, as often as he likes. */
  quiet: Pick<Log, "error" | "warn">;
}

export interface Reason {
  message: string;
  /** What to do about it. */
  hint: string;
}

/** A request of somebody who is signed in. */
export interface Visit {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  /** Of a POST, whose token was looked at; empty else. */
  form: URLSearchParams;
  admin: SignedIn;
  /** As this browser names the listener. */
  origin: string;
}
