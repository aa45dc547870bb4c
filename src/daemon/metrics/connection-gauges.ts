import { windowFor } from "../../core/delivery/rate-window.ts";
import type { RateWindow } from "../../core/delivery/rate-window.ts";
import type { Connection } from "../../core/connection.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Figures, Store } from "../../store/contract/store.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Instruments } from "./instruments.ts";
import { joined, type Joining, type Labels, type Sample, whoseLabels } from "./whose.ts";

interface LookContext {
  store: Pick<Store, "connections" | "figures">;
  clock: Pick<Clock, "now" | "monotonic">;
  destination(of: Connection): Promise<Destination>;
}

/** What the log says of each connection, at one time. */
export interface Looked {
  now: number;
  /** Those that were ever connected, and are not disconnected. */
  connections: readonly Connection[];
  windows: ReadonlyMap<number, RateWindow & { used: number }>;
  figures: Figures;
}

/** Throws `STORE_UNAVAILABLE`. */
export function createLook({ store, clock, destination }: LookContext): () => Promise<Looked> {
  const limits = new Map<number, Destination["rateLimit"]>();
  const limitOf = async (connection: Connection) => {
    const known = limits.get(connection.id);
    if (known !== undefined) return known;
    // Whose settings are wrong has no window that anybody could name.
    const limit = await destination(connection).then(
      ({ rateLimit }) => rateLimit,
      (error: unknown) => {
        if (!isAppError(error)) throw error;
        return null;
      },
    );
    limits.set(connection.id, limit);
    return limit;
  };
  return async () => {
    const connections = (await store.connections()).filter(({ state }) => state !== "not_connected");
    const found = await Promise.all(
      connections.map(async (connection) => {
        const { vendor } = connection;
        return windowFor({ vendor, rateLimit: await limitOf(connection) }, connection);
      }),
    );
    const now = clock.now();
    const wanted = found.filter((each) => each !== null);
    const figures = await store.figures({ now: clock.monotonic(), windows: wanted });
    const used = new Map(wanted.map(({ key }, index) => [key, figures.calls[index] ?? 0]));
    const windows = new Map(
      connections.flatMap(({ id }, index) => {
        const window = found[index];
        return window ? [[id, { ...window, used: used.get(window.key) ?? 0 }] as const] : [];
      }),
    );
    return { now, connections, windows, figures };
  };
}

const SECOND_MS = 1_000;

export function setConnectionGauges(
  instruments: Instruments,
  { now, connections, windows, figures }: Looked,
  isByOrg: boolean,
): void {
  const whose = whoseLabels(connections, { isByOrg });
  const byId = new Map(connections.map((connection) => [connection.id, whose(connection)]));
  const set = (gauge: Instruments["pushes"], how: Joining, samples: readonly (Sample | null)[]) => {
    gauge.reset();
    for (const { labels, value } of joined(
      samples.filter((each) => each !== null),
      how,
    ))
      gauge.set(labels, value);
  };
  /** Of each connection; null where it has none. */
  const each = (read: (connection: Connection) => number | null | undefined) =>
    connections.map((connection): Sample | null => {
      const value = read(connection);
      return value === null || value === undefined ? null : { labels: whose(connection), value };
    });
  const seconds = (ms: number | null | undefined) => (typeof ms === "number" ? ms / SECOND_MS : null);
  const oldest = new Map(figures.oldestPending.map(({ connectionId, since }) => [connectionId, since]));

  set(instruments.pushes, "sum", pushSamples(figures, byId));
  set(
    instruments.oldestPending,
    "most",
    each(({ id }) => Math.max(0, now - (oldest.get(id) ?? now)) / SECOND_MS),
  );
  set(
    instruments.connectionUp,
    "least",
    each(({ state }) => (state === "connected" ? 1 : 0)),
  );
  set(
    instruments.lastSyncAt,
    "least",
    each(({ lastSyncAt }) => seconds(lastSyncAt)),
  );
  set(
    instruments.tokenExpiresAt,
    "least",
    each(({ tokenExpiresAt }) => seconds(tokenExpiresAt)),
  );
  set(
    instruments.loginAge,
    "most",
    each(({ login, connectedAt }) => {
      const since = login?.since ?? connectedAt;
      return since === null ? null : Math.max(0, now - since) / SECOND_MS;
    }),
  );
  set(
    instruments.loginEndsAt,
    "least",
    each(({ login }) => seconds(login?.endsAt)),
  );
  set(
    instruments.windowCalls,
    "sum",
    each(({ id }) => windows.get(id)?.used),
  );
  set(
    instruments.windowLimit,
    "sum",
    each(({ id }) => windows.get(id)?.calls),
  );
}

const STATES = ["pending", "delivered", "rejected", "held"] as const;

/** Also those of which there are none: what goes away and comes again is hard to alert on. */
function pushSamples({ pushes }: Figures, byId: ReadonlyMap<number, Labels>): Sample[] {
  const none = [...byId.values()].flatMap((labels) =>
    STATES.map((state) => ({ labels: { ...labels, state }, value: 0 })),
  );
  const counted = pushes.flatMap(({ connectionId, state, n }) => {
    const labels = byId.get(connectionId);
    return labels ? [{ labels: { ...labels, state }, value: n }] : [];
  });
  return [...none, ...counted];
}
