/**
 * What an operator can act on. `code` decides exit code and retry; `message` says what happened and where,
 * `hint` what to type. Neither ever holds a secret or candidate data; the original stays in `cause`.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.hint = options.hint;
  }
}

/** `exit`: the process's exit code. `retry`: does the same try make sense later, and does it count as a try? */
export const ERROR_CODES = {
  USAGE: { exit: 2, retry: "never" },
  CONFIG_INVALID: { exit: 2, retry: "never" },
  STORE_TOO_NEW: { exit: 2, retry: "never" },
  STORE_UNAVAILABLE: { exit: 2, retry: "uncounted" },
  CANCELLED: { exit: 3, retry: "never" },
  TIMED_OUT: { exit: 3, retry: "never" },
  RECONNECT_NEEDED: { exit: 4, retry: "uncounted" },
  VAULT_UNAVAILABLE: { exit: 5, retry: "uncounted" },
  VENDOR_UNAVAILABLE: { exit: 6, retry: "counted" },
  VENDOR_RATE_LIMITED: { exit: 6, retry: "counted" },
  VENDOR_REJECTED: { exit: 6, retry: "never" },
  VENDOR_UNEXPECTED: { exit: 6, retry: "never" },
  SIGNATURE_INVALID: { exit: 1, retry: "never" },
  PARTIAL: { exit: 7, retry: "never" },
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Exit code of an operator's Ctrl-C, by the shell's convention (128 + SIGINT). */
export const EXIT_INTERRUPTED = 130;

/** True for an `AppError`, of that code if one is named. */
export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}
