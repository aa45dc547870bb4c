import type { Db } from "../file/db.ts";
import { createNoteRemoved } from "./note-removed.ts";
import { createRemoveInvite, type RemovedInvite } from "./remove-invite.ts";
import type { PurgeTable } from "./rule.ts";
import { STAYS } from "./stays.ts";

/** Looked at, and removed, in one step of some 5 ms. */
const LOOKED_AT = 100;
const REMOVED = 50;

/** Org by org, the longest unheard of first. */
export function purgeInvites(db: Db): PurgeTable {
  const nextOrg = db
    .prepare<[string], string | null>("SELECT min(org) FROM invite_counts WHERE org > ? AND n > 0")
    .pluck();
  const pageOf = (range: string) =>
    db.prepare<object, InviteRow>(`
      SELECT i.id, i.at, i.contact, i.state, ${STAYS} AS stays,
        (SELECT count(*) FROM events WHERE invite_id = i.id) AS events
      FROM invites i INDEXED BY invites_by_time
      WHERE i.org = @org AND i.at < @cutoff AND ${range} ORDER BY i.at, i.id LIMIT @limit`);
  // First the rest of the same moment: as one range, SQLite would walk over all of that moment for each page.
  const sameMoment = pageOf("i.at = @afterAt AND i.id > @afterId");
  const later = pageOf("i.at > @afterAt");
  const remove = createRemoveInvite(db);
  const noteRemoved = createNoteRemoved(db);

  const page = ({ org, at, id }: Place, cutoff: number): InviteRow[] => {
    const values = { org, cutoff, afterAt: at, afterId: id };
    const rest = sameMoment.all({ ...values, limit: LOOKED_AT });
    return [...rest, ...later.all({ ...values, limit: LOOKED_AT - rest.length })];
  };
  const placeAfter = (org: string): string | null => {
    const next = nextOrg.get(org) ?? null;
    return next === null ? null : JSON.stringify({ org: next, ...BEGINNING });
  };

  return ({ after, isDry, cutoffOf, now }) => {
    const place = placeOf(after ?? placeAfter(""));
    if (place === null) return { removed: {}, next: null };
    const { org } = place;
    const rows = page(place, cutoffOf(org));
    const removed = { invites: 0, events: 0 };
    let last = { at: place.at, id: place.id };
    for (const row of rows) {
      if (removed.invites === REMOVED) break;
      const { events, isGone } = row.stays === 1 ? STAYING : isDry ? dryly(row) : remove(row);
      removed.events += events;
      // The rest of its events goes with the next step.
      if (!isGone && events > 0) break;
      removed.invites += Number(isGone);
      last = row;
    }
    if (!isDry) noteRemoved(org, "invites", removed.invites, now);
    const isThrough = rows.length < LOOKED_AT && last.id === (rows.at(-1)?.id ?? last.id);
    const next = isThrough ? placeAfter(org) : JSON.stringify({ org, at: last.at, id: last.id });
    return { removed, next };
  };
}

const STAYING = { events: 0, isGone: false };
const BEGINNING = { at: Number.MIN_SAFE_INTEGER, id: 0 };

const dryly = ({ events }: InviteRow) => ({ events, isGone: true });

interface Place {
  org: string;
  at: number;
  id: number;
}

function placeOf(text: string | null): Place | null {
  return text === null ? null : JSON.parse(text);
}

interface InviteRow extends RemovedInvite {
  at: number;
  stays: 0 | 1;
  events: number;
}
