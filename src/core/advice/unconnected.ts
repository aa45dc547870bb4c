/** Results of orgs that have no connection wait unseen, as a mistyped org's do. */
import { count, listed, plain } from "../../shared/text.ts";
import { DEFAULT_VENDOR } from "../default-vendor.ts";
import { ALL_STATUS_COMMAND, connectCommand, invitesCommand } from "./command-lines.ts";

export interface Unconnected {
  org: string;
  invites: number;
  /** A connected org whose name is the same but for the case of letters; null where there is none. */
  like: string | null;
}

/** As many as fit into a line or two. */
const MOST_NAMED = 5;

/** Null where none wait. */
export function unconnectedWords(waiting: readonly Unconnected[]): string | null {
  const [first, ...others] = waiting;
  if (!first) return null;
  const named = waiting.slice(0, MOST_NAMED).map(({ org, invites, like }) => {
    const told = [
      ...(others.length > 0 ? [String(invites)] : []),
      ...(like === null ? [] : [`differs from ${plain(like)}, which is connected, in letters' case only`]),
    ];
    return `${plain(org)}${told.length > 0 ? ` (${told.join("; ")})` : ""}`;
  });
  const left = waiting.length - named.length;
  const sum = waiting.reduce((total, { invites }) => total + invites, 0);
  const orgs = others.length > 0 ? "organisations" : "an organisation";
  return `${count(sum, "invite")} of ${orgs} without a connection: ${listed([...named, ...(left > 0 ? [`${left} more`] : [])])}. ${nextWords(first, others)}`;
}

/** The next command, as the words' end. */
function nextWords({ org, like }: Unconnected, others: readonly Unconnected[]): string {
  if (others.length > 0) return `See: ${ALL_STATUS_COMMAND}`;
  if (like === null) return `Connect: ${connectCommand({ vendor: DEFAULT_VENDOR, org })}`;
  return `Is the org of these events mistyped? See: ${invitesCommand({ org })}`;
}
