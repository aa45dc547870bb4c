import { askForConsent, type ConsentRequest } from "../../oauth/consent/consent.ts";
import { clientSecretOf, type GrantContext, type KeepRequest, keep, redeem } from "./grant.ts";
import { type PrepareContext, type Prepared, prepareFields } from "./fields.ts";
import { noteUnsent } from "../account/unsent.ts";

/** From an admin's consent to an account that is ready for results, while the operator waits. */
export type ConnectContext = GrantContext & Pick<PrepareContext, "accessTo">;

export interface ConnectRequest extends KeepRequest {
  signal: AbortSignal;
  consent: Pick<
    ConsentRequest<unknown>,
    "onUrl" | "onTick" | "onNotice" | "openBrowser" | "pastedLines" | "timeoutMs"
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
  const { clock, store, destination } = context;
  const { environment, signal } = request;
  const clientSecret = await clientSecretOf(context, request);
  const { connection, released } = await askForConsent(
    { clock },
    {
      ...request.consent,
      issuer: destination,
      signal,
      // All of it before the browser is told that the connection stands.
      redeem: async (code) =>
        await keep(context, request, await redeem(context, clientSecret, { ...code, signal })),
    },
  );
  await store.endConsents({ outcome: "voided", connection }, clock.now());
  return {
    ...(await prepareFields(context, connection)),
    released,
    isServed: (await store.runningServices()).length > 0,
    waiting: environment === "production" ? await noteUnsent(store, connection) : 0,
  };
}
