import type { Server } from "node:http";
import type { ServeContext, ServeParts } from "./context.ts";
import { connectionsWithinLimit } from "./descriptors.ts";
import { closeServer } from "./listen.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { Notice } from "./pages/notice.ts";
import type { ToldEnds } from "./pages/told-ends.ts";
import { createConsentPages } from "./pages/consent-pages.ts";
import { networks } from "./http/connections.ts";
import { whyNotReady } from "./readiness.ts";
import { appendMarked } from "../flows/erasure/marks.ts";
import { createReceiver } from "./receiving/receiver.ts";
import { createRefusals } from "./receiving/refusals.ts";
import { LAST_CALLS_MS, type Stopping } from "./stopping.ts";
import { createQuietLog } from "./trouble/quiet-log.ts";
import type { Watches } from "./watches.ts";

export interface PublicListener {
  server: Server;
  /** Answers what it has begun, and writes down what it counted. */
  end(): Promise<void>;
}

interface ListenerParts {
  watches: Watches;
  stopping: Stopping;
  metrics: Pick<Metrics, "answered">;
  hurry(job: string): void;
  /** What the admin page is to say. */
  notices: ToldEnds<Notice>;
  /** What the admin page shows may look otherwise now. */
  shownAnew(): void;
}

/** The receiver of webhooks and the pages of a consent, behind one server. */
export function createPublicListener(
  context: ServeContext,
  { store, sources, certificate }: ServeParts,
  { watches, stopping, metrics, hurry, notices, shownAnew }: ListenerParts,
): PublicListener {
  const { clock, log, config } = context;
  const { trouble, secretsOf } = watches;
  const noting = {
    ...store,
    noteRefusals: async (...noted: Parameters<typeof store.noteRefusals>) => {
      await store.noteRefusals(...noted);
      shownAnew();
    },
  };
  const refusals = createRefusals({ store: noting, clock, log, trouble });
  const quiet = createQuietLog({ log, clock });
  const consentPages = createConsentPages({ ...context, quiet, store, notices, signal: stopping.abort });
  const marked = appendMarked(store, context.vault);
  const server = createReceiver({
    store: {
      append: async (events) => {
        const results = await marked.append(events);
        trouble.stored();
        return results;
      },
    },
    clock,
    quiet,
    sources,
    secretsOf,
    hasSecret: secretsOf.hasAny,
    refused: refusals.note,
    answered: metrics.answered,
    leftQuestion: () => hurry("questions"),
    isActivating: async ({ id }) =>
      (await store.connections()).some(
        ({ vendor, subscription }) => vendor === id && (subscription?.activatingUntil ?? 0) > clock.now(),
      ),
    taken: refusals.taken,
    trouble,
    consentPages,
    notReady: () => whyNotReady(watches, stopping),
    mostConnections: connectionsWithinLimit(config["serve.max_connections"], log),
    certificate,
    trustedProxies: networks(config["serve.trusted_proxies"]),
  });
  return {
    server,
    end: async () => {
      await closeServer(server, LAST_CALLS_MS);
      await refusals.end();
      await consentPages.finish();
    },
  };
}
