import type { NewAttempt } from "../../store/contract/store.ts";
import { emailFrom } from "./email.ts";
import { logToRead } from "./log-to-read.ts";
import { defined, type TimeFlags, timesOf } from "./option-values.ts";
import type { Session } from "./with-app.ts";

/** The options that say which tries are meant. */
export interface AskedAttempts extends TimeFlags {
  vendor?: string;
  outcome?: NewAttempt["outcome"];
  email?: string;
  /** By JobCannon's id. */
  invite?: string;
}

/** The log, null where there is none, and what was asked of it. */
export async function attemptsAsked(session: Session, flags: AskedAttempts) {
  const { vendor, outcome, invite: invitationId } = flags;
  const times = timesOf(flags);
  const email = await emailFrom(session, flags.email);
  const store = await logToRead(session, vendor);
  return { store, filter: { ...defined({ vendor, outcome, email, invitationId }), ...times } };
}
