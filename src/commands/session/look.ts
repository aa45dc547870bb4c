import { InvalidArgumentError } from "commander";
import { connectCommand } from "../../core/advice/command-lines.ts";
import { DEFAULT_VENDOR } from "../../core/default-vendor.ts";
import { AppError } from "../../shared/errors.ts";
import { maskEmail, maskEmailsIn } from "../../shared/text.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Session } from "./with-app.ts";

/** The log, for a command that only looks; null where there is none yet. Throws `USAGE` as `refuseMistyped` does. */
export async function logToRead(session: Session, vendor?: string): Promise<Store | null> {
  await refuseMistyped(session, vendor);
  return await session.app.storeToRead();
}

/** An org that was typed and that nothing knows, or a vendor that is none: what is found for it would be nothing, and a lie. */
export async function refuseMistyped({ app, globals }: Session, vendor?: string): Promise<void> {
  if (vendor !== undefined) app.checkVendor(vendor);
  if (globals.org === undefined || Object.hasOwn(app.config.orgs, app.org)) return;
  const orgs = (await (await app.storeToRead())?.orgs()) ?? [];
  if (!orgs.includes(app.org)) throw unknownOrg(app);
}

export function unknownOrg({ org, stateDir }: Session["app"]): AppError {
  return new AppError("USAGE", `nothing is known of the org ${org}`, {
    hint: `Check --org and --state-dir (${stateDir}), or begin: ${connectCommand({ org, vendor: DEFAULT_VENDOR, environment: "production" })}`,
  });
}

/**
 * A vendor's words without addresses. What was given as a candidate's address may be none, so that the words hide it
 * only where it is known: `subjects` are what the words are about.
 */
export function maskedWords(words: string, subjects: readonly string[]): string {
  // The longest first: one may be a part of another.
  const known = subjects.filter(Boolean).toSorted((a, b) => b.length - a.length);
  const hidden = known.reduce((text, subject) => {
    const literally = subject.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return text.replace(new RegExp(literally, "giu"), () => maskEmail(subject));
  }, words);
  return maskEmailsIn(hidden);
}

/** Two times that leave nothing between them: an empty answer would be no news. */
export function refuseEmptyTimes({ since, until }: { since?: number; until?: number }): void {
  if (since === undefined || until === undefined || since < until) return;
  throw new AppError("USAGE", "--since is not before --until", {
    hint: "--until is exclusive: for one day, as --since 2026-11-01 --until 2026-11-02.",
  });
}

/** `--limit`: how much of the newest to show. */
export function readLimit(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number from 1 to 99999.");
}
