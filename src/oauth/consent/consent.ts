import type { Clock } from "../../shared/clock.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import { type Attempt, authorizeUrl, newAttempt } from "./authorize.ts";
import { connectedPage, failedPage } from "./consent-pages.ts";
import { codeFrom } from "./consent-refusal.ts";
import { connectAgain, redirectHint, type TokenIssuer } from "../endpoint/issuer.ts";
import { type LoopbackListener, listenForRedirect } from "./loopback.ts";
import { readPasted } from "./pasted.ts";
import { possessive } from "../../shared/text.ts";

export interface ConsentRequest<T> {
  issuer: TokenIssuer;
  /** The operator's Ctrl-C. */
  signal: AbortSignal;
  /** The link, before anything is opened: the one thing that always works. */
  onUrl: (url: string) => void;
  onTick?: (secondsLeft: number) => void;
  /** Words about a pasted line that was no answer. */
  onNotice?: (text: string) => void;
  /** May fail or do nothing: the link is on the screen. */
  openBrowser?: (url: string) => unknown;
  /** Hears that it failed, while consent is waited for. */
  onNoBrowser?: () => void;
  /** What the operator types or pastes; whoever gives the lines ends them. */
  pastedLines?: AsyncIterable<string>;
  /** 5 minutes unless given. */
  timeoutMs?: number;
  /** Makes the code good; the browser is told of success only after it returns. */
  redeem: (code: { code: string; verifier: string | null; redirectUri: string }) => Promise<T>;
}

const DEFAULT_TIMEOUT_MS = 5 * 60_000;

/**
 * Gets an admin's consent: shows the link, listens on loopback before the browser opens, and takes the first answer,
 * be it a redirect or a pasted URL. Throws `CANCELLED` (denied, or Ctrl-C), `TIMED_OUT`, `USAGE` (port taken),
 * `VENDOR_*`, and what `redeem` throws.
 */
export async function askForConsent<T>({ clock }: { clock: Clock }, request: ConsentRequest<T>): Promise<T> {
  const { issuer } = request;
  const attempt = newAttempt(issuer.authorization);
  const listener = await listenForRedirect({
    clock,
    port: issuer.authorization.redirectPort,
    path: issuer.authorization.redirectPath,
    state: attempt.state,
    portKey: `${issuer.vendor}.redirect_port`,
  });
  try {
    const url = authorizeUrl(issuer.authorization, attempt, listener.redirectUri);
    request.onUrl(url);
    const waiting = new AbortController();
    void openQuietly(request, url, waiting.signal);
    const answer = await firstAnswer(clock, request, attempt, listener).finally(() => waiting.abort());
    return await conclude(request, attempt, listener, answer);
  } finally {
    await listener.close();
  }
}

async function conclude<T>(
  { issuer, redeem }: ConsentRequest<T>,
  { verifier }: Attempt,
  { redirectUri, finish }: LoopbackListener,
  answer: URLSearchParams,
): Promise<T> {
  try {
    const result = await redeem({ code: codeFrom(answer, issuer, redirectUri), verifier, redirectUri });
    await finish(connectedPage(issuer));
    return result;
  } catch (error) {
    await finish(failedPage(issuer, error));
    throw error;
  }
}

async function firstAnswer<T>(
  clock: Clock,
  request: ConsentRequest<T>,
  attempt: Attempt,
  listener: LoopbackListener,
): Promise<URLSearchParams> {
  const decided = new AbortController();
  const signal = AbortSignal.any([request.signal, decided.signal]);
  const { pastedLines, onNotice } = request;
  try {
    return await Promise.race([
      listener.answer,
      countDown(clock, request, listener.redirectUri, signal),
      ...(pastedLines ? [readPasted({ lines: pastedLines, onNotice, attempt, listener })] : []),
    ]);
  } catch (error) {
    if (!request.signal.aborted || isAppError(error)) throw error;
    throw new AppError("CANCELLED", "Cancelled before consent was given. Nothing was changed", {
      cause: error,
    });
  } finally {
    decided.abort();
  }
}

async function countDown<T>(
  clock: Clock,
  request: ConsentRequest<T>,
  redirectUri: string,
  signal: AbortSignal,
): Promise<never> {
  const { issuer, onTick, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
  const endsAt = clock.now() + timeoutMs;
  for (let left = timeoutMs; left > 0; left = endsAt - clock.now()) {
    onTick?.(Math.ceil(left / 1_000));
    await clock.sleep(Math.min(left, 1_000), signal);
  }
  throw new AppError("TIMED_OUT", `Nobody gave consent in ${issuer.label} in time`, {
    hint: `On another machine, paste the address the browser ends at. Run again: ${connectAgain(issuer)}\nIf ${possessive(issuer.label)} page refused the redirect URI: ${redirectHint(issuer, redirectUri)}`,
  });
}

async function openQuietly<T>(
  { openBrowser, onNoBrowser }: ConsentRequest<T>,
  url: string,
  over: AbortSignal,
): Promise<void> {
  try {
    await openBrowser?.(url);
  } catch {
    // The link is on the screen.
    if (!over.aborted) onNoBrowser?.();
  }
}
