/** What the log tells of one org, as `status` shows it. */
import type { Unconnected } from "../../core/advice/unconnected.ts";
import type { Connection, Environment } from "../../core/connection.ts";
import { WANTED } from "../../core/invite-request.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Overview, Store } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";

const REFUSALS_SHOWN_MS = 24 * 3_600_000;
const MOST_REFUSALS = 1_000;
const MOST_WANTED = 1_000;
/** Each is looked at by itself. */
const MOST_UNCONNECTED = 50;

interface Place {
  org: string;
  environment: Environment;
  now: number;
  vendors: readonly VendorDeclaration[];
}

export type FoundInLog = Awaited<ReturnType<typeof foundInLog>>;

/** A log that cannot be read keeps nobody from seeing the rest. `storeToRead`: null where there is no store yet. */
export async function foundInLog(storeToRead: () => Promise<Store | null>, place: Place) {
  try {
    const store = await storeToRead();
    if (store) return { ...(await read(store, place)), isThere: true, problem: null };
    return { ...NOTHING_YET, isThere: false, problem: null };
  } catch (error) {
    if (!isAppError(error, "STORE_UNAVAILABLE")) throw error;
    return { ...NOTHING_YET, isThere: true, problem: error };
  }
}

async function read(store: Store, { org, environment, now, vendors }: Place) {
  const [overview, all, services, refusals, sources, wanted] = await Promise.all([
    store.overview(org, now),
    store.connections(),
    store.runningServices(),
    store.refusals(null, now - REFUSALS_SHOWN_MS, MOST_REFUSALS),
    store.sources(),
    store.inviteRequests({ org, states: WANTED, limit: MOST_WANTED }),
  ]);
  const known = overview.connections.filter(({ connection }) => connection.environment === environment);
  const running = services.length > 0 ? (await import("../watch/services.ts")).asRunning(services, now) : [];
  return {
    ...{ overview, services, running, refusals, sources, known, all },
    wanted: wanted.filter((request) => request.environment === environment),
    elsewhere: await unconnectedIn(store, { org, now, orgs: overview.orgs, all }),
    askedBy: environment === "production" ? await askedBy(store, { org, vendors, known }) : [],
  };
}

/** The vendors whose candidates have results here, those aside that were connected once: of them that is known anyway. */
async function askedBy(
  store: Pick<Store, "countInvites">,
  { org, vendors, known }: Pick<Place, "org" | "vendors"> & { known: Overview["connections"] },
): Promise<string[]> {
  const found: string[] = [];
  for (const { vendor, destination } of vendors) {
    if (!destination?.isAts || known.some(({ connection }) => connection.vendor === vendor)) continue;
    if ((await store.countInvites({ org, askedBy: vendor }, 1)) > 0) found.push(vendor);
  }
  return found;
}

async function unconnectedIn(
  store: Store,
  { org, now, orgs, all }: { org: string; now: number; orgs: readonly string[]; all: readonly Connection[] },
): Promise<Unconnected[]> {
  const live = [...new Set(all.filter(({ state }) => state !== "not_connected").map((each) => each.org))];
  const without = orgs.filter((each) => each !== org && !live.includes(each)).slice(0, MOST_UNCONNECTED);
  const found = await Promise.all(
    without.map(async (each) => ({
      org: each,
      invites: (await store.overview(each, now)).invites,
      like: live.find((one) => one.toLowerCase() === each.toLowerCase()) ?? null,
    })),
  );
  return found.filter(({ invites }) => invites > 0);
}

const NOTHING_YET: Awaited<ReturnType<typeof read>> = {
  overview: {
    events: { total: 0, unmatched: 0, ignored: 0, conflicts: 0 },
    orgs: [],
    invites: 0,
    connections: [],
    questions: [],
    consents: [],
    removed: null,
    erased: { people: 0, refused: 0 },
  },
  services: [],
  running: [],
  refusals: [],
  sources: [],
  wanted: [],
  elsewhere: [],
  askedBy: [],
  known: [],
  all: [],
};
