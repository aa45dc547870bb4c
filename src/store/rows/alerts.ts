/** Trouble that is over is still told when it could not be while it lasted, but not to those who listen days later. */
export const STILL_NEWS_MS = 24 * 60 * 60_000;
