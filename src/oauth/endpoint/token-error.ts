import * as v from "valibot";
import { type AppOf, clientIdKey, clientSecretCommand } from "../../core/advice/app-credentials.ts";
import { AppError } from "../../shared/errors.ts";
import { type HttpAnswer, jsonOf } from "../../shared/http-answer.ts";
import { plain, possessive } from "../../shared/text.ts";
import {
  connectAgain,
  pkceHint,
  redirectHint,
  speaksOfPkce,
  speaksOfRedirectUri,
  type TokenIssuer,
} from "./issuer.ts";

export interface TokenCall {
  issuer: TokenIssuer;
  step: "exchange" | "refresh" | "credentials";
  /** Of the exchange: the exact one we sent. */
  redirectUri?: string;
  /** The client secret is one that the org has for itself. */
  isOrgsSecret?: boolean;
}

/**
 * What a token endpoint's refusal means. The body decides first: vendors use 400 and 401 alike for a dead token and
 * for a wrong client secret, and only the first may disconnect anybody. What no vendor would say (HTML, an empty
 * body) came from something in between and passes.
 */
export function explainTokenError(answer: HttpAnswer, call: TokenCall): AppError {
  const said = readBody(answer);
  if (!said) return unavailable(answer.status, call, isMarkup(answer.text));
  if (call.step === "refresh" || said.quote === "") return explain(answer, call, said);
  // Whoever connects for the first time knows best what the server's own words are about.
  const { code, message, hint } = explain(answer, call, { ...said, words: "" });
  return new AppError(code, message, {
    hint: `${call.issuer.label} says: ${said.quote}. ${hint ?? ""}`.trim(),
  });
}

function explain(answer: HttpAnswer, call: TokenCall, said: Said): AppError {
  const is = (...codes: string[]) => codes.some((code) => said.codes.includes(code));
  if (is("INVALID_CLIENT", "UNAUTHORIZED_CLIENT", "BAD_CLIENT_ID", "BAD_CLIENT_SECRET"))
    return clientRefused(call, said, is("BAD_CLIENT_ID"), is("BAD_CLIENT_SECRET"));
  const isRedirect = is("BAD_REDIRECT_URI", "MISMATCH_REDIRECT_URI_AUTH_CODE", "REDIRECT_URI_MISMATCH");
  if (isRedirect || (call.step === "exchange" && speaksOfRedirectUri(said.quote)))
    return redirectRefused(call, said);
  if (is("BAD_CODE_VERIFIER") || (call.step === "exchange" && speaksOfPkce(said.quote)))
    return verifierRefused(call, said);
  if (
    is("INVALID_GRANT", "BAD_REFRESH_TOKEN", "BAD_AUTH_CODE", "EXPIRED_AUTH_CODE", "BAD_HUB", "ACCESS_DENIED")
  )
    return call.step === "refresh" ? tokenDead(call, said) : codeRefused(call, said);
  if (answer.status >= 500 || answer.status === 429) return unavailable(answer.status, call, false);
  if (answer.status === 401 && call.step === "refresh") return tokenDead(call, said);
  return new AppError(
    "VENDOR_REJECTED",
    `${possessive(call.issuer.label)} token endpoint refused with ${answer.status}${said.words}`,
    { hint: `Check ${clientIdKey(appOf(call))} and the app's settings in ${call.issuer.label}.` },
  );
}

interface Said {
  /** RFC 6749's `error` and the older `status`, in capitals. */
  codes: string[];
  /** Its own words, harmless and short; may be blank. */
  quote: string;
  /** The same as an addition to ours. */
  words: string;
}

const text = v.fallback(v.string(), "");
const Body = v.object({ error: text, error_description: text, status: text, message: text });

/** Null unless the body is a JSON object that says something in the words vendors use. */
function readBody(answer: HttpAnswer): Said | null {
  const parsed = v.safeParse(Body, withDefaults(jsonOf(answer)));
  if (!parsed.success) return null;
  const { error, error_description, status, message } = parsed.output;
  if (error === "" && message === "") return null;
  const quote = quoteOf(status && status !== "error" ? status : error, error_description || message);
  return {
    codes: [error, status].map((code) => code.toUpperCase()),
    quote,
    words: quote === "" ? "" : ` (${quote})`,
  };
}

/** An absent key is as good as an empty one; what is no object stays as it is and fails the schema. */
function withDefaults(body: unknown): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  return { error: "", error_description: "", status: "", message: "", ...body };
}

function isMarkup(body: string): boolean {
  return body.trimStart().startsWith("<");
}

function unavailable(status: number, { issuer }: TokenCall, isHtml: boolean): AppError {
  const what = isHtml ? "a web page" : `${status}`;
  return new AppError("VENDOR_UNAVAILABLE", `${possessive(issuer.label)} token endpoint answered ${what}`, {
    hint: isHtml
      ? "Is a proxy or a login page in the way? Check HTTPS_PROXY and the network, then try again."
      : "Nobody is disconnected. Try again in a few minutes.",
  });
}

function appOf({ issuer, isOrgsSecret = false }: TokenCall): AppOf {
  return { ...issuer, isOrgsSecret };
}

function clientRefused(call: TokenCall, said: Said, isId: boolean, isSecret: boolean): AppError {
  const { issuer } = call;
  const setId = `set ${clientIdKey(appOf(call))} in the configuration`;
  const setSecret = `set the secret: ${clientSecretCommand(appOf(call))}`;
  const fix = isId ? setId : isSecret ? setSecret : `${setId}, or ${setSecret}`;
  return new AppError(
    "CONFIG_INVALID",
    `${issuer.label} does not know this client id and secret${said.words}`,
    { hint: `Connections stay as they are. Look them up in the app's settings, then ${fix}` },
  );
}

function redirectRefused({ issuer, redirectUri }: TokenCall, said: Said): AppError {
  return new AppError("CONFIG_INVALID", `${issuer.label} refused the redirect URI${said.words}`, {
    hint: redirectHint(issuer, redirectUri ?? issuer.authorization.redirectPath),
  });
}

function verifierRefused({ issuer }: TokenCall, said: Said): AppError {
  return new AppError("VENDOR_REJECTED", `${issuer.label} refused the code verifier (PKCE)${said.words}`, {
    hint: `If it stays so, ${pkceHint(issuer)}. Run again: ${connectAgain(issuer)}`,
  });
}

function codeRefused({ issuer }: TokenCall, said: Said): AppError {
  return new AppError("VENDOR_REJECTED", `${issuer.label} refused the code it gave us${said.words}`, {
    hint: `Codes live for a short time and work once. Run again: ${connectAgain(issuer)}`,
  });
}

function tokenDead({ issuer }: TokenCall, said: Said): AppError {
  return new AppError("RECONNECT_NEEDED", `${issuer.label} no longer accepts our tokens${said.words}`, {
    hint: connectAgain(issuer),
  });
}

/** The vendor's own words as an addition to ours. */
export function quoted(error: string, description: string): string {
  const quote = quoteOf(error, description);
  return quote === "" ? "" : ` (${quote})`;
}

/** Harmless and short. */
function quoteOf(error: string, description: string): string {
  const words = plain([error, description].filter(Boolean).join(": ")).replace(/\s+/g, " ").trim();
  return words.length > 200 ? `${words.slice(0, 200)}…` : words;
}
