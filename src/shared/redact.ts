/**
 * The one place that takes secrets out of text meant for people: logs, errors, `--verbose` traces.
 * Knows the shapes secrets have on the wire, and every live value it was told of.
 */
export interface Redactor {
  (text: string): string;
  /** From now on this very text is taken out wherever it appears. Short texts are ignored: they hide nothing. */
  learn(value: string): void;
}

/**
 * `name=value`, `"name": "value"`, `name:value`. Words behind a colon and a blank are somebody's sentence, as in
 * "BAD_CLIENT_SECRET: missing or invalid". Quotes come escaped where JSON stands within a text within JSON.
 */
const NAMED_VALUES =
  /((?:access_token|refresh_token|id_token|client_secret|code_verifier|token|secret|password|hapikey|signed_access_token)(?:\\*["']?\s*=\s*\\*["']?|\\*["']?\s*:\s*\\*["']|\\*["']\s*:\s*|:))([^&"'\s,}\\]+)/gi;
/** Elsewhere these two are everyday words, which our own output and errors use as names. */
const QUERY_VALUES = /((?:^|[?&])(?:code|state)=)([^&"'\s,}]+)/gi;
const HEADERS =
  /((?:authorization|proxy-authorization|x-smarttoken|webhook-signature|cookie|set-cookie)\\*["']?\s*[=:]\s*\\*["']?)((?:bearer|basic)\s+)?([^"'\r\n\\]+)/gi;
const WEBHOOK_SECRETS = /whsec_[A-Za-z0-9+/=_-]+/g;
const BOT_PATHS = /\/bot\d*:?[A-Za-z0-9_-]{6,}\//g;
const URL_PASSWORDS = /(\/\/[^/\s:@]+:)[^/\s@]+@/g;

export function createRedactor(): Redactor {
  const values = new Set<string>();
  const redact = (text: string) => {
    let clean = text;
    for (const value of values) clean = clean.replaceAll(value, "[redacted]");
    return clean
      .replace(HEADERS, "$1$2[redacted]")
      .replace(NAMED_VALUES, "$1[redacted]")
      .replace(QUERY_VALUES, "$1[redacted]")
      .replace(WEBHOOK_SECRETS, "[redacted]")
      .replace(BOT_PATHS, "/bot[redacted]/")
      .replace(URL_PASSWORDS, "$1[redacted]@");
  };
  return Object.assign(redact, {
    learn: (value: string) => {
      if (value.length < 6) return;
      values.add(value);
      values.add(encodeURIComponent(value));
    },
  });
}
