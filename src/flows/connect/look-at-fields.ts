import type { Connection, LeftOutField } from "../../core/connection.ts";
import { leftOutWords } from "../../core/advice/left-out.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { FieldPlan } from "../../vendors/contract/destination.ts";
import type { AccountContext } from "../account/context.ts";
import { raiseHoldersOf, type ResyncContext } from "./resync.ts";

export interface FieldsLooked {
  /** Accounts. */
  checked: number;
  /** Contacts that are told again, since fields take our values that did not. */
  due: number;
  /** What is left out since this look, in words. */
  news: string[];
  failed: string[];
}

/** So long nobody looks again: the calls would be missing in the rate window just when a new account is filled. */
const FRESH_MS = 3_600_000;

/**
 * Looks whether accounts still can take our values, and lets follow what was left out. Creates nothing. Unless somebody
 * insists, an account that was connected just now, and took everything, is not asked again.
 */
export async function lookAtAllFields(
  account: AccountContext,
  store: Store,
  { insists, signal }: { insists: boolean; signal: AbortSignal },
): Promise<FieldsLooked> {
  const looked: FieldsLooked = { checked: 0, due: 0, news: [], failed: [] };
  for (const connection of await store.connections()) {
    const { state, isConfirmed, vaultTrouble, knownFields, refusal } = connection;
    const isReady = state === "connected" && isConfirmed && vaultTrouble === null && !refusal;
    if (!isReady || knownFields === null || (!insists && isFresh(connection, account.clock.now()))) continue;
    try {
      const destination = await account.destination(connection);
      if (!destination.ownFields && !destination.peopleMakeFields) continue;
      const access = await account.access(connection, { store, signal });
      const context = { store, clock: account.clock, destination, access };
      const { due, news } = await lookAtFields(context, { ...connection, knownFields });
      looked.checked += 1;
      looked.due += due;
      if (news !== null) looked.news.push(`${connection.org}: ${destination.label}: ${news}`);
    } catch (error) {
      // A login that is lost and a vault that is locked are told by who looks after tokens.
      if (!isAppError(error)) throw error;
      looked.failed.push(error.message);
    }
  }
  return looked;
}

function isFresh({ connectedAt, leftOut = [] }: Connection, now: number): boolean {
  return connectedAt !== null && Math.abs(now - connectedAt) < FRESH_MS && leftOut.length === 0;
}

/** The connection's fields as they are known so far. */
type Prepared = Connection & { knownFields: string[] };

async function lookAtFields(
  context: Omit<ResyncContext, "store"> & { store: Store },
  connection: Prepared,
): Promise<{ due: number; news: string | null }> {
  const { store, clock, destination, access } = context;
  const { leftOut: before = [], knownFields: known } = connection;
  const plan = await destination.planFields(access, before);
  const found = destination.peopleMakeFields ? asTheyAre(connection, plan) : judge(connection, plan);
  const isChanged = JSON.stringify([found.known, found.leftOut]) !== JSON.stringify([known, before]);
  const changed = isChanged
    ? await store.saveConnection(connection, { knownFields: found.known, leftOut: found.leftOut })
    : connection;
  const mended = await raiseHoldersOf(context, changed, { fields: found.mended });
  let due = mended;
  for (const name of found.onTrial)
    due += await raiseHoldersOf(context, changed, { fields: [name], most: 1 });
  // Somebody may have created by hand what results wait for.
  if (plan.create.length + plan.overQuota.length === 0)
    due += await store.release(connection.id, { held: ["property"] }, clock.now());
  const isNews = found.leftOut.some(
    ({ name, reason }) => !before.some((field) => field.name === name && field.reason === reason),
  );
  return { due, news: isNews ? leftOutWords(changed) : null };
}

interface Judged {
  known: string[];
  leftOut: LeftOutField[];
  /** They take our values, and did not: whoever has a value for one is told again. */
  mended: string[];
  /** Writing them was refused though nothing in their definition says why: one contact is to show whether that is over. */
  onTrial: string[];
}

/** Nothing waits for a field that only people there can make, so what is gone is gone. */
function asTheyAre({ knownFields: known }: Prepared, { existing, leftOut }: FieldPlan): Judged {
  return { known: existing, leftOut, mended: existing.filter((name) => !known.includes(name)), onTrial: [] };
}

/** What is missing stays as it was: results are held for it, or it never fitted in. */
function judge({ knownFields: known, leftOut: before = [] }: Prepared, plan: FieldPlan): Judged {
  const unfit = plan.leftOut.map(({ name }) => name);
  const missing = [...plan.create, ...plan.overQuota];
  const fits = plan.existing.filter((name) => !unfit.includes(name));
  const onTrial = before.flatMap(({ name, isRefused }) =>
    isRefused && fits.includes(name) && !known.includes(name) ? [name] : [],
  );
  const staysOut = ({ name }: LeftOutField) =>
    onTrial.includes(name) || (missing.includes(name) && !known.includes(name));
  const tried = before.flatMap(({ name, isRefused }) => (isRefused && known.includes(name) ? [name] : []));
  return {
    known: [
      ...known.filter((name) => !unfit.includes(name)),
      ...fits.filter((name) => !known.includes(name)),
    ],
    leftOut: [...before.filter(staysOut), ...plan.leftOut],
    mended: fits.filter((name) => tried.includes(name) || (!known.includes(name) && !onTrial.includes(name))),
    onTrial,
  };
}
