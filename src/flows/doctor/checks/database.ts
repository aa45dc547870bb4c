/** How the database's server is set up. Pure. */
import type { DatabaseLook } from "../../../store/contract/database-look.ts";
import { type Finding, fault, note, warning } from "../finding.ts";

const OLDEST = 14;
const ITS_KEEPER = "Whoever runs the database";

export function databaseFindings(database: DatabaseLook | null): Finding[] {
  if (!database) return [];
  return [tooOld(database), unsafe(database), unwaited(database), alone(database)].filter(
    (each) => each !== null,
  );
}

/** Nothing is wrong with it, or what is stands beside. */
export function databaseWords({ version, followers, isSynchronous }: DatabaseLook): string {
  const end =
    followers > 0 && isSynchronous
      ? "commits wait for a standby: what is acknowledged is there too"
      : "no standby that commits wait for";
  return `PostgreSQL ${version}, ${end}; its disk is the database's affair`;
}

function tooOld({ version, major }: DatabaseLook): Finding | null {
  if (major >= OLDEST) return null;
  return fault("store.version", "CONFIG_INVALID", {
    what: `the database is PostgreSQL ${version}, and ${OLDEST} is the oldest that is supported`,
    why: "Nothing was tried with it.",
    who: `${ITS_KEEPER}: upgrade it.`,
  });
}

function unsafe({ unsafe: settings }: DatabaseLook): Finding | null {
  if (settings.length === 0) return null;
  return warning("store.durability", {
    what: `the database runs with ${settings.join(" and ")} off`,
    why: "Where its machine stops, what was acknowledged can be lost.",
    who: `${ITS_KEEPER}: turn ${settings.length > 1 ? "them" : "it"} on in postgresql.conf.`,
  });
}

function unwaited({ followers, isSynchronous }: DatabaseLook): Finding | null {
  if (followers === 0 || isSynchronous) return null;
  return note("store.standby", {
    what: "a standby follows the database, and commits do not wait for it (synchronous_standby_names is empty)",
    why: "Where it is promoted, the last of what was acknowledged can be missing.",
    who: `${ITS_KEEPER}, where that must not be: name it in synchronous_standby_names.`,
  });
}

/** Reads go on, and each write waits for somebody who is not there. */
function alone({ followers, isSynchronous }: DatabaseLook): Finding | null {
  if (followers > 0 || !isSynchronous) return null;
  return warning("store.standby", {
    what: "commits wait for a standby (synchronous_standby_names), and none follows the database",
    why: "Until one does senders hear 503 and send again.",
    who: `${ITS_KEEPER}: start it again, or take it out of synchronous_standby_names.`,
  });
}
