/**
 * The one place that takes secrets out of text meant for people: logs, errors, `--verbose` traces.
 * Knows the shapes secrets have on the wire, and every live value it was told of. Its work grows with the text's length
 * alone: the text may be a stranger's.
 */
export interface Redactor {
  (text: string): string;
  /** From now on this very text is taken out wherever it appears, unless it is an everyday word, which would hide nothing. */
  learn(value: string): void;
}

const NAMES =
  "access_token|refresh_token|id_token|client_secret|code_verifier|token|secret|password|hapikey|signed_access_token";
/**
 * `name=value`, `"name": "value"`, `name:value`. Words behind a colon and a blank are somebody's sentence, as in
 * "BAD_CLIENT_SECRET: missing or invalid". Quotes come escaped where JSON stands within a text within JSON.
 */
const NAMED_VALUES = new RegExp(
  `((?:${NAMES})(?:\\\\*["']?\\s*=\\s*\\\\*["']?|\\\\*["']?\\s*:\\s*\\\\*["']|\\\\*["']\\s*:\\s*|:))([^&"'\\s,}\\\\]+)`,
  "gi",
);
/** The same within a URL within a URL: `access_token%3Dabc%26`, `%22access_token%22%3A%22abc%22`. */
const ENCODED_VALUES = new RegExp(
  `((?:${NAMES})(?:%(?:25)?22)?(?:%(?:25)?3[ad])(?:%(?:25)?20|\\+)?(?:%(?:25)?22)?)((?:(?!%(?:25)?(?:26|22|2c|7d))[^&"'\\s,}\\\\])+)`,
  "gi",
);
/** Elsewhere these two are everyday words, which our own output and errors use as names. */
const QUERY_VALUES = /((?:^|[?&])(?:code|state)=)(?!…)([^&"'\s,}]+)/gi;
const ENCODED_QUERY_VALUES = /(%(?:3f|26)(?:code|state)%3d)((?:(?!%26)[^&"'\s,}])+)/gi;
const HEADERS =
  /((?:authorization|proxy-authorization|x-smarttoken|webhook-signature|cookie|set-cookie)\\*["']?\s*[=:]\s*\\*["']?)((?:bearer|basic)\s+)?([^"'\r\n\\]+)/gi;
/** Without its header's name. A word behind it is a sentence's, as in "Bearer authentication". */
const BEARERS = /\b(bearer\s+)(?=[a-z._~+/=-]*\d|[a-z._~+/=-]{20})[\w.~+/=-]{6,}/gi;
const WEBHOOK_SECRETS = /whsec_[A-Za-z0-9+/=_-]+/g;
const BOT_PATHS = /\/bot(?:\d+:)?[A-Za-z0-9_-]{6,}\//g;
const BOT_TOKENS = /\b\d{5,20}(?::|%3a)[A-Za-z0-9_-]{20,}/gi;
/** HubSpot's private apps. */
const APP_TOKENS = /\bpat-[a-z0-9]{2,8}-[A-Za-z0-9-]{8,}/g;
/** The password may hold an @, so that the last one counts. */
const URL_PASSWORDS = /(\/\/[^/\s:@]+:)[^/\s]+@/g;

/** Tokens are refreshed as long as the service runs; what nobody uses any more may be forgotten. */
const MOST_VALUES = 2_000;

export function createRedactor(): Redactor {
  const forms = new Set<string>();
  const redact = (text: string) =>
    withoutForms(text, forms)
      .replace(HEADERS, "$1$2[redacted]")
      .replace(NAMED_VALUES, "$1[redacted]")
      .replace(ENCODED_VALUES, "$1[redacted]")
      .replace(QUERY_VALUES, "$1[redacted]")
      .replace(ENCODED_QUERY_VALUES, "$1[redacted]")
      .replace(BEARERS, "$1[redacted]")
      .replace(WEBHOOK_SECRETS, "[redacted]")
      .replace(APP_TOKENS, "[redacted]")
      .replace(BOT_PATHS, "/bot[redacted]/")
      .replace(BOT_TOKENS, "[redacted]")
      .replace(URL_PASSWORDS, "$1[redacted]@");
  return Object.assign(redact, {
    learn: (value: string) => {
      for (const form of formsOf(value)) {
        forms.delete(form);
        forms.add(form);
      }
      for (const oldest of forms) {
        if (forms.size <= MOST_VALUES) break;
        forms.delete(oldest);
      }
    },
  });
}

/** The text without these very values, in whichever form. */
export function withoutValues(text: string, values: readonly string[]): string {
  return withoutForms(text, values.flatMap(formsOf));
}

/** A short text or an everyday word hides nothing, and without it many a sentence would say nothing. */
const SHORTEST = 6;
const EVERYDAY_WORD = /^[A-Za-z]?[a-z]{5,9}$|^[A-Z]{6,10}$/;
/** `client-secret`: it stands within our own names, where it is no secret. */
const WORDS = /^[A-Za-z]+(?:[._-][A-Za-z]+)*$/;

/** As it stands in text, in JSON, in a URL, in a form, and in a URL within a URL. */
function formsOf(value: string): string[] {
  if (value.length < SHORTEST || EVERYDAY_WORD.test(value)) return [];
  const encoded = encodeURIComponent(value.replace(/\p{Cs}/gu, "\ufffd"));
  const lowerCase = encoded.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  const inForm = encoded.replaceAll("%20", "+");
  return [value, JSON.stringify(value).slice(1, -1), encoded, lowerCase, inForm, encodeURIComponent(encoded)];
}

function withoutForms(text: string, forms: Iterable<string>): string {
  let clean = text;
  for (const form of forms)
    clean = WORDS.test(form) ? withoutWord(clean, form) : clean.replaceAll(form, "[redacted]");
  return clean;
}

/** Leaves it where it is only a part of a longer name. */
function withoutWord(text: string, word: string): string {
  let clean = "";
  let from = 0;
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, from)) {
    const end = at + word.length;
    const isPart = /[\w.-]/.test(text.charAt(at - 1)) || /[\w-]/.test(text.charAt(end));
    clean += `${text.slice(from, at)}${isPart ? word : "[redacted]"}`;
    from = end;
  }
  return clean + text.slice(from);
}
