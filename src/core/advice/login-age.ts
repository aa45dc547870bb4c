import type { Connection } from "../connection.ts";
import { count, shortTime } from "../../shared/text.ts";
import { connectCommand } from "./command-lines.ts";

/** A login ends of itself where its refresh token does: long before, somebody must be told. */
const DAY_MS = 24 * 3_600_000;
const WARN_AHEAD_MS = 30 * DAY_MS;
/** Of a login that each refresh prolongs, so much of its life is left only where nobody refreshed it. */
const WARN_SHARE = 1 / 4;

/** "12 days old, good until 2028-11-21 09:00 UTC" */
export function loginWords({ since, endsAt }: NonNullable<Connection["login"]>, now: number): string {
  return `${count(Math.max(0, Math.floor((now - since) / DAY_MS)), "day")} old, good until ${shortTime(endsAt)}`;
}

/** What the owner must do before it ends; null while there is time. */
export function loginTrouble(connection: Connection, label: string, now: number): string | null {
  const { login, state } = connection;
  if (!login || state !== "connected" || login.endsAt - now > warnAheadMs(login)) return null;
  const days = Math.max(0, Math.ceil((login.endsAt - now) / DAY_MS));
  return `the login to ${label} ends in ${count(days, "day")} (${shortTime(login.endsAt)}). Renew it: ${connectCommand(connection)}`;
}

function warnAheadMs({ since, endsAt }: NonNullable<Connection["login"]>): number {
  return Math.min(WARN_AHEAD_MS, (endsAt - since) * WARN_SHARE);
}
