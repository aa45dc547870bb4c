import type { Config } from "../shared/config.ts";
import type { Connection, Environment, VaultTrouble } from "../core/connection.ts";
import { isDegraded } from "../core/outage.ts";
import { dailyDue } from "../core/due-times.ts";
import { type Clock, isoTime } from "../shared/clock.ts";
import type { Overview, Store } from "../store/contract.ts";
import { count, shortTime } from "../shared/text.ts";
import { stuckWords } from "./stuck.ts";

/** One glance at an org: what `status` prints and the admin page will show. */
export async function statusOf(
  { store, clock, config }: { store: () => Promise<Store>; clock: Pick<Clock, "now">; config: Config },
  { org, environment }: { org: string; environment: Environment },
) {
  const now = clock.now();
  const opened = await store();
  const [overview, services] = await Promise.all([opened.overview(org, now), opened.runningServices()]);
  const known = overview.connections.filter(({ connection }) => connection.environment === environment);
  const vendors = [
    "hubspot",
    ...known.map(({ connection }) => connection.vendor).filter((vendor) => vendor !== "hubspot"),
  ];
  const connections = vendors.map((vendor) => {
    const found = known.find(({ connection }) => connection.vendor === vendor);
    const connection = found?.connection;
    return {
      vendor,
      label: LABELS[vendor] ?? vendor,
      environment,
      state: connection?.state ?? "not_connected",
      tokens: tokensOf(connection),
      account: connection?.account ? `${connection.account.name} (${connection.account.id})` : null,
      scopes: connection?.scopes ?? [],
      missingScopes: connection?.missingScopes ?? [],
      tokenExpiresAt: timeOrNull(connection?.tokenExpiresAt),
      lastSyncAt: timeOrNull(connection?.lastSyncAt),
      banner: bannerOf(vendor, found),
      pushes: found?.pushes ?? { pending: 0, delivered: 0, rejected: 0, held: 0, stuck: 0 },
    };
  });
  const sum = (key: keyof (typeof connections)[number]["pushes"]) =>
    connections.reduce((total, { pushes }) => total + pushes[key], 0);
  return {
    org,
    connections,
    pushes: {
      pending: sum("pending"),
      delivered: sum("delivered"),
      rejected: sum("rejected"),
      held: sum("held"),
      stuck: sum("stuck"),
    },
    events: overview.events,
    invites: overview.invites,
    nextSweepAt: isoTime(dailyDue(config["schedule.sweep_at"]).next(now)),
    service: services > 0 ? "running" : "not running",
  };
}

/** What stands in the way, first what a person must mend. */
function bannerOf(vendor: string, found: Overview["connections"][number] | undefined): string | null {
  if (!found) return null;
  if (isUnreadable(found.connection)) return unreadableWords(found.connection.vaultTrouble);
  if (found.connection.banner !== null) return found.connection.banner;
  const { stuck, held, rejected } = found.pushes;
  if (stuck > 0) return stuckWords(stuck, vendor);
  if (isDegraded(found.connection.outage))
    return `${vendor} fails at the moment; it is asked again every few minutes, nothing is lost`;
  if (held > 0 && found.connection.state === "connected")
    return `${count(held, "result")} held; jc-integrations logs --outcome held says why`;
  if (rejected > 0)
    return `${count(rejected, "result")} rejected; see jc-integrations logs --outcome rejected, mend, then replay --status rejected`;
  return null;
}

type Unreadable = Connection & { vaultTrouble: VaultTrouble };

function isUnreadable(connection: Connection | undefined): connection is Unreadable {
  return connection?.state === "connected" && connection.vaultTrouble !== null;
}

/** Null where there are none that serve. */
function tokensOf(connection: Connection | undefined): "readable" | "unreadable" | null {
  if (connection?.state !== "connected") return null;
  return isUnreadable(connection) ? "unreadable" : "readable";
}

function unreadableWords({ since, reason, fix }: VaultTrouble): string {
  return `tokens cannot be read since ${shortTime(since)}: ${reason}.${fix === null ? "" : ` ${fix}`} Results wait; serve looks every minute and goes on by itself`;
}

const LABELS: Readonly<Record<string, string>> = { hubspot: "HubSpot", smartrecruiters: "SmartRecruiters" };

function timeOrNull(at: number | null | undefined): string | null {
  return typeof at === "number" ? isoTime(at) : null;
}
