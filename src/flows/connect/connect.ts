import { askForConsent, type ConsentRequest } from "../../oauth/consent/consent.ts";
import {
  clientSecretOf,
  type GrantContext,
  type Granted,
  type Kept,
  type KeepRequest,
  keep,
  redeem,
} from "./grant.ts";
import type { Account } from "../../core/connection.ts";
import { AppError } from "../../shared/errors.ts";
import { crossingOf, type CrossingContext, refuseCrossing } from "./regions.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import { type PrepareContext, type Prepared, prepareFields } from "./fields.ts";
import { noteUnsent } from "../account/unsent.ts";

/** From an admin's consent to an account that is ready for results, while the operator waits. */
export type ConnectContext = GrantContext &
  Pick<PrepareContext, "accessTo"> &
  Pick<CrossingContext, "config">;

export interface ConnectRequest extends Omit<KeepRequest, "isConfirmed" | "crossRegion"> {
  /** Its data may rest in another region than the org's shall, or the log does. */
  allowsCrossRegion: boolean;
  /** Consent from this account alone counts; null for any. */
  accountId: string | null;
  signal: AbortSignal;
  consent: Pick<
    ConsentRequest<unknown>,
    "onUrl" | "onTick" | "onNotice" | "openBrowser" | "onNoBrowser" | "pastedLines" | "timeoutMs"
  >;
}

export interface Connected extends Prepared {
  /** Contacts with results that this connection was never told of; a sandbox is told of none. */
  waiting: number;
  /** Pushes that were held for want of a connection and now go out. */
  released: number;
  /** Does a service run, which delivers from now on? */
  isServed: boolean;
}

export async function connect(context: ConnectContext, request: ConnectRequest): Promise<Connected> {
  const { clock, destination } = context;
  const { signal } = request;
  const clientSecret = await clientSecretOf(context, request);
  await refuseCrossing(context, request);
  const { connection, released } = await askForConsent(
    { clock },
    {
      ...request.consent,
      issuer: destination,
      signal,
      // All of it before the browser is told that the connection stands.
      redeem: async (code) => {
        return await keepMeant(context, request, await redeem(context, clientSecret, { ...code, signal }));
      },
    },
  );
  return await settle(context, request, { connection, released });
}

/** The account is the one that was meant, and rests where it may. Who types this gives the consent, or sits beside who does. */
export async function keepMeant(
  context: ConnectContext,
  request: Omit<ConnectRequest, "consent">,
  granted: Granted,
): Promise<Kept> {
  refuseUnmeant(request, granted.account, context.destination);
  const { crossRegion, refusal } = await crossingOf(context, request, granted.account);
  if (refusal) throw refusal;
  return await keep(context, { ...request, crossRegion, isConfirmed: () => true }, granted);
}

/** What is left once the connection stands. */
export async function settle(
  context: ConnectContext,
  { environment }: Pick<ConnectRequest, "environment">,
  { connection, released }: Kept,
): Promise<Connected> {
  const { clock, store } = context;
  await store.endConsents({ outcome: "voided", connection }, clock.now());
  return {
    ...(await prepareFields(context, connection)),
    released,
    isServed: (await store.runningServices()).length > 0,
    waiting: environment === "production" ? await noteUnsent(store, connection) : 0,
  };
}

function refuseUnmeant(
  { accountId }: Pick<ConnectRequest, "accountId">,
  account: Account,
  { label }: Destination,
): void {
  if (accountId === null || accountId === account.id) return;
  throw new AppError("USAGE", `consent came from account ${account.id}, not ${accountId}`, {
    hint: `Choose account ${accountId} in ${label}, or leave out --account. Nothing was changed.`,
  });
}
