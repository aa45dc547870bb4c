import { randomUUID } from "node:crypto";
import type { AuditEntry } from "../../core/admin.ts";
import { usualMethod } from "../../core/authorization.ts";
import { type Account, type Connection, type ConnectionName, connectionName } from "../../core/connection.ts";
import { requireTokens } from "../../flows/account/vault-trouble.ts";
import { connectByCredentials, type DirectRequest } from "../../flows/connect/connect-by-credentials.ts";
import { makeLink } from "../../flows/connect/make-link.ts";
import { planResync, resync } from "../../flows/connect/resync.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import { count } from "../../shared/text.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import { type DirectEnd, directNotice, type Notice, noticeUrl } from "../pages/notice.ts";
import type { PagesContext, Visit } from "./context.ts";
import { leadTo } from "./respond.ts";

/** The buttons of the integrations page. What an operator can mend is told there; the address holds a key to it alone. */
type Told = Pick<Notice, "tone" | "title" | "text">;

/** Connects at once where the app's credentials or a key open the account; else leads on to the vendor's consent. */
export async function beginConnect(context: PagesContext, visit: Visit, of: ConnectionName): Promise<void> {
  const destination = await context.destination(of);
  const method = usualMethod(destination.authorization, await context.store.connection(of));
  if (method === "code") return await leadToConsent(context, visit, { of, destination });
  const { admin, response, origin } = visit;
  await audit(context, admin, { what: "connect", org: of.org, about: connectionName(of) });
  const end = await connectHere(context, { of, destination, method, accountId: visit.form.get("account") });
  const key = randomUUID();
  context.notices.tell(key, directNotice(of, end));
  leadTo(response, noticeUrl(origin, key));
}

async function connectHere(
  context: PagesContext,
  {
    of,
    destination,
    method,
    accountId,
  }: {
    of: ConnectionName;
    destination: Destination;
    method: DirectRequest["method"];
    /** The account that the admin chose, where another one was connected. */
    accountId: string | null;
  },
): Promise<DirectEnd> {
  const { store, clock, config, abort: signal } = context;
  const { label } = destination;
  const before = await store.connection(of);
  let other: Account | null = null;
  try {
    const [http, vault, tokens] = await Promise.all([context.http(), context.vault(), context.tokens()]);
    const accessTo = (connection: Connection) => context.access(connection, { store, signal });
    const connected = await connectByCredentials(
      { clock, config, http, store, vault, tokens, destination, accessTo },
      {
        ...{ org: of.org, environment: of.environment, method, accountId: null, signal },
        allowsCrossRegion: false,
        confirmOtherAccount: async (_from, to) => {
          other = to;
          return to.id === accountId;
        },
      },
    );
    return { kind: "connected", label, connection: connected.connection };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return other !== null && error.code === "CANCELLED"
      ? { kind: "other_account", label, wanted: before?.account?.id ?? "", after: other }
      : { kind: "failed", label, error };
  }
}

/** By the public listener, whose cookie ties the answer to this browser. */
async function leadToConsent(
  context: PagesContext,
  { form, admin, origin, response }: Visit,
  { of, destination }: { of: ConnectionName; destination: Destination },
): Promise<void> {
  const { store, clock, config } = context;
  try {
    const link = await makeLink(
      { store, clock, config, destination },
      {
        ...of,
        accountId: form.get("account"),
        allowsOtherAccount: false,
        allowsCrossRegion: false,
        begun: { by: admin.who, returnTo: origin },
      },
    );
    await audit(context, admin, { what: "connect", org: of.org, about: connectionName(of) });
    leadTo(response, link.url);
  } catch (error) {
    const title = `${destination.label} cannot be connected`;
    tell(context, { response, origin, of }, told(title, error));
  }
}

export async function runResync(
  context: PagesContext,
  { admin, origin, response }: Visit,
  of: ConnectionName,
): Promise<void> {
  const destination = await context.destination(of);
  const [, words] = destination.fieldWords;
  try {
    await audit(context, admin, { what: "resync", org: of.org, about: connectionName(of) });
    const report = await resyncNow(context, of);
    const wanted = report.wanted ?? [];
    const made =
      wanted.length > 0
        ? `${report.existing.length} ${words} are there. An administrator of ${destination.label} has to create the others: ${wanted.map(({ name, type }) => `${name} (${type})`).join(", ")}.`
        : report.created.length === 0
          ? `All ${report.existing.length} ${words} are there.`
          : `Created, as they were missing: ${report.created.join(", ")}.`;
    const due = report.due > 0 ? [`${count(report.due, "result")} go out again.`] : [];
    const drifted = report.drifted.map(({ name, difference }) => `${name} differs: ${difference}.`);
    const short =
      report.overQuota.length > 0 ? [`The account has no room for ${report.overQuota.join(", ")}.`] : [];
    const tone = short.length > 0 ? "bad" : wanted.length > 0 ? "waiting" : "good";
    const title = `The ${words} of ${destination.label} are ${wanted.length > 0 ? "read" : "in step"}`;
    tell(context, { response, origin, of }, { tone, title, text: [made, ...due, ...drifted, ...short] });
  } catch (error) {
    tell(context, { response, origin, of }, told(`The ${words} are not in step`, error));
  }
}

async function resyncNow(context: PagesContext, of: ConnectionName) {
  const { store, clock, abort: signal } = context;
  const connection = await store.connection(of);
  if (connection?.state !== "connected")
    throw new AppError("RECONNECT_NEEDED", `${of.org} is not connected`, { hint: "Connect it first." });
  const destination = await context.destination(of);
  const access = await context.access(connection, { store, signal });
  await requireTokens({ store, clock }, connection, access);
  const plan = await planResync({ destination, access }, connection);
  return await resync({ store, clock, destination, access }, connection, plan);
}

export async function audit(
  { store, clock }: Pick<PagesContext, "store" | "clock">,
  { who }: Pick<Visit["admin"], "who">,
  entry: Pick<AuditEntry, "what" | "about" | "org">,
): Promise<void> {
  await store.audit({ ...entry, who, at: clock.now() });
}

/** A bug is none of the page's business. */
function told(title: string, error: unknown): Told {
  if (!isAppError(error)) throw error;
  return { tone: "bad", title, text: [`${error.message}.`, ...(error.hint ? [error.hint] : [])] };
}

function tell(
  { notices }: PagesContext,
  { response, origin, of }: Pick<Visit, "response" | "origin"> & { of: ConnectionName },
  what: Told,
): void {
  const { org, vendor, environment } = of;
  const key = randomUUID();
  notices.tell(key, { org, vendor, environment, ...what });
  leadTo(response, noticeUrl(origin, key));
}
