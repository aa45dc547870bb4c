/** What an account is asked: whether its token, its fields and its subscription are as they should be. */
import { connectionName } from "../../../core/connection.ts";
import { windowFor } from "../../../core/delivery/rate-window.ts";
import type { Account, Connection, ConnectionName, SubscriptionHealth } from "../../../core/connection.ts";
import type { ApiVersion } from "../../../core/advice/api-version.ts";
import type { Residency } from "../../../core/residency.ts";
import type { Tokens } from "../../../oauth/tokens.ts";
import type { Http } from "../../../shared/http.ts";
import type { Store } from "../../../store/contract/store.ts";
import type { Vault } from "../../../vault/contract.ts";
import type { Access } from "../../../vendors/contract/access.ts";
import type { VendorDeclaration } from "../../../vendors/contract/declaration.ts";
import type { Destination, FieldPlan } from "../../../vendors/contract/destination.ts";
import type { AccountContext } from "../../account/context.ts";
import { redirectUrisOf, refusesRedirectUri } from "../../account/redirect-uri.ts";
import { checkSubscription } from "../../ats/check-subscriptions.ts";
import { webhookUrl } from "../../ats/subscription-plan.ts";
import { apiVersionOf, versionsOf } from "../../watch/api-version.ts";
import { residencyNow } from "../../watch/regions.ts";
import { type Looked, type Looker, ifFound, SKIPPED, foundIn } from "./looker.ts";

export interface AccountLookContext extends AccountContext {
  store(): Promise<Store>;
  vault(): Promise<Vault>;
  tokens(): Promise<Tokens>;
  http(): Promise<Http>;
}

export interface AccountFacts extends ConnectionName {
  label: string;
  isAts: boolean;
  fieldWords: readonly [one: string, many: string];
  /** The operator asked about this vendor alone. */
  isNamed: boolean;
  /** Somebody misses it while it is not connected: results wait for it, or it was connected once. */
  isExpected: boolean;
  connection: Connection | null;
  /** Until when a link for consent is open; null where none is. */
  linkExpiresAt: number | null;
  /** What the vendor is reached by; failed where its configuration is wrong. */
  destination: Looked<Destination>;
  /** Was its client secret set? Null where nobody can tell. */
  hasClientSecret: boolean | null;
  /** Is it one that the org has for itself? */
  isOrgsSecret: boolean;
  /** Fetched now. */
  token: Looked<{ expiresAt: number | null }>;
  account: Looked<Account>;
  fields: Looked<FieldPlan>;
  subscription: Looked<SubscriptionHealth>;
  redirect: Looked<{ refused: string[]; uris: { loopback: string; published: string } }>;
  /** Calls that counted in the rate window before we asked; null where there is no limit, or nobody is connected. */
  window: { used: number; calls: number; windowMs: number } | null;
  /** Where its data rest beside where they shall; null while nobody is connected. */
  residency: Residency | null;
  apiVersion: { used: ApiVersion; known: ApiVersion[] } | null;
}

export interface Asked extends ConnectionName {
  declared: VendorDeclaration;
  isNamed: boolean;
  isExpected: boolean;
  connection: Connection | null;
  linkExpiresAt: number | null;
  secretNames: readonly string[] | null;
}

export async function lookAtAccount(
  context: AccountLookContext,
  looker: Looker,
  { declared, secretNames, ...asked }: Asked,
): Promise<AccountFacts> {
  const { connection } = asked;
  const destination = await looker.look(() => context.destination(asked));
  const opened = destination.is === "known" ? destination.value : null;
  const isAskable = connection?.state === "connected" && connection.isConfirmed;
  // One that cannot be written is told as such.
  const store = isAskable ? foundIn(await looker.look(() => context.store())) : null;
  const ready = opened && isAskable && store ? { destination: opened, connection, store } : null;
  // Before our own calls are among them.
  const window = ready ? await windowOf(context, looker, ready) : null;
  const [redirect, answers] = await Promise.all([
    opened?.authorization.clientId && !connection?.method
      ? lookAtRedirects(context, looker, opened)
      : SKIPPED,
    ready ? askAccount(context, looker, ready) : NOT_ASKED,
  ]);
  return {
    ...asked,
    label: declared.label,
    isAts: declared.destination?.isAts ?? false,
    fieldWords: declared.destination?.fieldWords ?? ["field", "fields"],
    destination,
    hasClientSecret:
      opened && secretNames && ["-", asked.org].some((owner) => hasSecret(secretNames, owner, asked, opened)),
    isOrgsSecret: opened !== null && secretNames !== null && hasSecret(secretNames, asked.org, asked, opened),
    ...answers,
    redirect,
    window,
    residency:
      connection && connection.state !== "not_connected"
        ? residencyNow(context.config, declared, connection)
        : null,
    apiVersion: versionOf(context, declared, asked),
  };
}

const NOT_ASKED = { token: SKIPPED, account: SKIPPED, fields: SKIPPED, subscription: SKIPPED };

interface Ready {
  store: Store;
  destination: Destination;
  connection: Connection;
}

/** First a token, fetched anew: it shows that client id, client secret and login are good; then what it opens. */
async function askAccount(
  context: AccountLookContext,
  looker: Looker,
  { destination, connection, store }: Ready,
): Promise<Pick<AccountFacts, keyof typeof NOT_ASKED>> {
  const accessUntil = (signal: AbortSignal) => context.access(connection, { store, signal });
  const token = await looker.look(async (signal) => {
    await (await accessUntil(signal)).token({ renewed: true });
    const set = await (await context.tokens()).peek(connectionName(connection));
    return { expiresAt: set?.expiresAt ?? null };
  });
  const ask = <T>(work: (access: Access) => Promise<T>) =>
    ifFound(token, () => looker.look(async (signal) => work(await accessUntil(signal))));
  const { ats } = destination;
  const [account, fields, subscription] = await Promise.all([
    ask((access) => destination.account(access)),
    ask((access) => destination.planFields(access, connection.leftOut ?? [])),
    ats
      ? ask(async (access) => {
          const targetUrl = webhookUrl(context.config["serve.public_url"], ats);
          const parts = { store, clock: context.clock, vault: await context.vault(), ats, access, targetUrl };
          return await checkSubscription(parts, connection);
        })
      : SKIPPED,
  ]);
  return { token, account, fields, subscription };
}

async function lookAtRedirects(
  context: AccountLookContext,
  looker: Looker,
  { authorization, commonErrors }: Destination,
): Promise<AccountFacts["redirect"]> {
  const uris = redirectUrisOf(authorization, context.config["serve.public_url"]);
  return await looker.look(async (signal) => {
    const title = commonErrors?.redirectUri(uris.loopback).title;
    const ask = { http: await context.http(), authorization, title, signal };
    const all = [uris.loopback, uris.published];
    const isRefused = await Promise.all(all.map((uri) => refusesRedirectUri(ask, uri)));
    return { uris, refused: all.filter((_, at) => isRefused[at]) };
  });
}

async function windowOf(
  { clock }: AccountLookContext,
  looker: Looker,
  { destination, connection, store }: Ready,
): Promise<AccountFacts["window"]> {
  const window = windowFor(destination, connection);
  if (window === null) return null;
  const figures = await looker.look(() => store.figures({ now: clock.monotonic(), windows: [window] }));
  const used = foundIn(figures)?.calls[0];
  return used === undefined ? null : { used, calls: window.calls, windowMs: window.windowMs };
}

function versionOf(
  { config }: AccountLookContext,
  declared: VendorDeclaration,
  of: Asked | Omit<Asked, "declared" | "secretNames">,
): AccountFacts["apiVersion"] {
  const used = apiVersionOf(declared, config, of);
  return used && { used, known: versionsOf(declared) };
}

function hasSecret(
  names: readonly string[],
  owner: string,
  { environment }: Pick<ConnectionName, "environment">,
  { authorization: { clientSecretName } }: Destination,
): boolean {
  const label = `${clientSecretName}${environment === "sandbox" ? "@sandbox" : ""}`;
  return names.some((name) => name.startsWith(`secret/${owner}/${label}/`));
}
