import { AppError } from "./errors.ts";

/** The one rule for every URL that calls go to, that is printed as a link, or that a browser is sent to. */
const LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"];

export function isLoopback(url: URL): boolean {
  return LOOPBACK_HOSTS.includes(url.hostname);
}

/** The URL where it is https, or http to this very machine; else null. */
export function safeUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url)) ? url : null;
}

/** Throws `CONFIG_INVALID` where that rule is broken. */
export function checkBaseUrl(text: string, where: string): URL {
  const url = safeUrl(text);
  if (url) return url;
  throw notSafe(where);
}

/** `from`: in brackets, where the value stands. */
export function notSafe(where: string, from = ""): AppError {
  return new AppError("CONFIG_INVALID", `${where} is no https URL${from && ` ${from}`}`, {
    hint: "Use https://…; plain http is accepted only for localhost.",
  });
}
