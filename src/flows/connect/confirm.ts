import { connectCommand, statusCommand } from "../../core/advice/command-lines.ts";
import { accountTaken } from "../../core/advice/account-taken.ts";
import { type Connection, type ConnectionName, otherOwner } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import { crossingOf, type CrossingContext } from "./regions.ts";
import { noteUnsent } from "../account/unsent.ts";
import type { Connected } from "./connect.ts";
import { releaseByConsent } from "./consent-release.ts";
import { type PrepareContext, prepareFields } from "./fields.ts";

/** An operator says that the account that came by a link is the right one. */
export type ConfirmContext = Omit<PrepareContext, "store"> &
  Pick<CrossingContext, "config"> & { store: Store; clock: Clock };

/** Null where nothing waited for it. Throws `USAGE` where there is no such account, `CONFIG_INVALID` for one in another region. */
export async function confirmAccount(
  context: ConfirmContext,
  name: ConnectionName,
  { accountId, allowsCrossRegion }: { accountId: string | null; allowsCrossRegion: boolean },
): Promise<Connected | null> {
  const { store, clock, destination } = context;
  const found = await store.connection(name);
  refuseUnmeant(found, name, { accountId, label: destination.label });
  if (found.isConfirmed) return null;
  const owner = otherOwner(await store.connections(), name, found.account.id);
  if (owner) throw accountTaken(owner);
  const asked = { ...name, allowsCrossRegion };
  const { crossRegion, refusal } = await crossingOf(context, asked, found.account, "--confirm");
  if (refusal) throw refusal;
  const confirmed = await store.saveConnection(found, { isConfirmed: true, crossRegion });
  // The fields first: what is held would come back for want of them.
  const prepared = await prepareFields(context, confirmed);
  const released = await releaseByConsent({ store, clock }, confirmed);
  return {
    ...prepared,
    released,
    isServed: (await store.runningServices()).length > 0,
    waiting: name.environment === "production" ? await noteUnsent(store, prepared.connection) : 0,
  };
}

function refuseUnmeant(
  found: Connection | null,
  name: ConnectionName,
  { accountId, label }: { accountId: string | null; label: string },
): asserts found is Connection & { account: NonNullable<Connection["account"]> } {
  if (!found?.account || found.state !== "connected")
    throw new AppError("USAGE", `no account of ${label} waits to be confirmed for ${name.org}`, {
      hint: `See whether a link is open that nobody has answered yet: ${statusCommand(name)} and, if none is, make one: ${connectCommand(name, "--via-service")}`,
    });
  if (accountId !== null && accountId !== found.account.id)
    throw new AppError("USAGE", `account ${found.account.id} came by the link, not ${accountId}`, {
      hint: `Nothing was changed. Make a link that takes that account alone: ${connectCommand(name, "--via-service")} --account ${accountId}`,
    });
}
