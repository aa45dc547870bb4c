/** What `doctor --fix` does: nothing that could not be done again, and nothing that somebody else decided. */
import type { Environment } from "../../core/connection.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import { count, listed } from "../../shared/text.ts";
import type { NowContext } from "../backup/now.ts";
import { backUpNow } from "../backup/now.ts";
import { createTakeMissed } from "../intake/take-missed.ts";
import { subscribe } from "../ats/subscribe.ts";
import { planSubscribe, webhookUrl } from "../ats/subscription-plan.ts";
import { planResync, resync } from "../connect/resync.ts";
import type { Source } from "../../vendors/contract/source.ts";
import type { Finding, Remedy } from "./finding.ts";
import type { DoctorContext } from "./look/facts.ts";

export type MendContext = DoctorContext &
  Omit<NowContext, "store" | "signal"> & { sources(): Promise<readonly Source[]> };

export interface Mended {
  id: string;
  /** Null where it could not be done. */
  did: string | null;
  problem: AppError | null;
}

interface Where {
  org: string;
  environment: Environment;
  signal: AbortSignal;
}

export async function mendAll(
  context: MendContext,
  findings: readonly Finding[],
  where: Where,
): Promise<Mended[]> {
  const remedies = new Map(
    findings.flatMap(({ id, remedy }) => (remedy ? [[JSON.stringify(remedy), { id, remedy }] as const] : [])),
  );
  const mended: Mended[] = [];
  for (const { id, remedy } of remedies.values()) {
    try {
      mended.push({ id, did: await apply(context, remedy, where), problem: null });
    } catch (error) {
      if (!isAppError(error)) throw error;
      mended.push({ id, did: null, problem: error });
    }
  }
  return mended;
}

/** Says what it did. */
async function apply(context: MendContext, remedy: Remedy, where: Where): Promise<string> {
  switch (remedy.does) {
    case "back up": {
      const store = await context.store();
      const { taken } = await backUpNow({ ...context, store, signal: where.signal });
      return `backed up the log: ${taken.file}`;
    }
    case "create fields":
      return await createFields(context, remedy.vendor, where);
    case "subscribe":
      return await subscribeAnew(context, remedy.vendor, where);
  }
}

async function createFields(context: MendContext, vendor: string, where: Where): Promise<string> {
  const { store, destination, connection, access } = await openAccount(context, vendor, where);
  const parts = { store, clock: context.clock, destination, access };
  const { created, due } = await resync(parts, connection, await planResync(parts, connection));
  const again = due > 0 ? `; ${count(due, destination.subject)} will be sent again` : "";
  return `created in ${destination.label}: ${created.length === 0 ? "nothing was missing any more" : listed(created)}${again}`;
}

async function subscribeAnew(context: MendContext, vendor: string, where: Where): Promise<string> {
  const { store, destination, connection, access } = await openAccount(context, vendor, where);
  const { ats, label } = destination;
  if (!ats) throw new AppError("USAGE", `${label} is no applicant tracking system`);
  const targetUrl = webhookUrl(context.config["serve.public_url"], ats);
  const { clock, sources } = context;
  const take = createTakeMissed({ store, clock, sources });
  const parts = { store, clock, vault: await context.vault(), ats, access, take, targetUrl };
  const { subscription } = await subscribe(parts, connection, await planSubscribe(parts, connection));
  return `subscribed at ${label}: ${subscription.event} to ${subscription.targetUrl}`;
}

async function openAccount(context: MendContext, vendor: string, { org, environment, signal }: Where) {
  const name = { org, environment, vendor };
  const [store, destination] = await Promise.all([context.store(), context.destination(name)]);
  const connection = await store.connection(name);
  if (!connection) throw new AppError("RECONNECT_NEEDED", `${org} is not connected to ${destination.label}`);
  return { store, destination, connection, access: await context.access(connection, { store, signal }) };
}
