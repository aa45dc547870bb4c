/** What keeps results from going out, told where people look: on the connection, and in the delivery log. */
import { isDeepStrictEqual } from "node:util";
import type { Connection } from "../../core/connection.ts";
import type { HeldCause } from "../../core/push.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Claim } from "../../store/contract/store.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { DeliverContext } from "./context.ts";
import { connectCommand, resyncCommand } from "../../core/advice/command-lines.ts";
import { scopeFixes } from "../../core/advice/missing-scopes.ts";

/**
 * Says on the connection what holds results back and what to type; what stands there already comes first. The cure
 * may have come while the vendor's answer was on its way: a consent, or fields that are known now and were not when
 * the results were made ready. Then they are released at once.
 */
export async function tellWhyHeld(
  { store, clock, destination }: Pick<DeliverContext, "store" | "clock" | "destination">,
  connection: Connection,
  { cause, detail, claim }: { cause: HeldCause; detail: string | null; claim: Claim },
): Promise<void> {
  const [now, { held }] = await Promise.all([
    store.connection(connection.id),
    store.countPushes({ pushes: { connectionId: connection.id } }),
  ]);
  if (!now || held === 0) return;
  const hasConsent = cause === "scope" && now.connectedAt !== claim.connectedAt;
  const hasFields = cause === "property" && !isDeepStrictEqual(now.knownFields, claim.knownFields);
  if (hasConsent || hasFields) {
    await store.release(connection.id, { held: [cause] }, clock.now());
    return;
  }
  const banner = bannerFor(cause, { connection, destination, detail: detail || "that we fill" });
  if (banner === null) return;
  // That a scope is missing was foreseen at the consent; what it costs is news.
  const isForeseen = cause === "scope" && now.missingScopes.length > 0;
  if (now.banner !== null && !isForeseen) return;
  await store.saveConnection(connection, { banner });
}

function bannerFor(
  cause: HeldCause,
  { connection, destination, detail }: { connection: Connection; destination: Destination; detail: string },
): string | null {
  const { label, fieldWords, commonErrors } = destination;
  const results = "results that need it wait";
  switch (cause) {
    case "property":
      return `${label} has no ${fieldWords[0]} ${detail}; ${results}. Run: ${resyncCommand(connection)}`;
    case "scope": {
      const guide = commonErrors ? `${commonErrors.scope.title}: ` : "";
      const fixes = scopeFixes(destination) ?? `Check the integration's scopes in ${label}.`;
      return `${guide}${label} wants a scope that was not granted (${detail}); ${results}. ${fixes} Run: ${connectCommand(connection)}`;
    }
    case "candidate":
    case "reconnect":
    case "vault":
    case "disconnected":
    case "confirm":
    case "gone":
      return null;
  }
}

/**
 * Leaves a trace in the delivery log of a delivery that came to nothing before its first call: one attempt, on the push
 * that was next, which costs it no try. The many behind it met the same.
 */
export async function attemptRefused(
  { store, clock }: Pick<DeliverContext, "store" | "clock">,
  connectionId: number,
  { message: reason }: AppError,
): Promise<void> {
  const now = clock.now();
  const { claims } = await store.claim({ connectionId, limit: 1, now });
  const [claim] = claims;
  if (!claim) return;
  const attempt = { outcome: "retry", httpStatus: null, correlationId: null, durationMs: 0, reason } as const;
  await store.settle([{ claim, now, attempt, outcome: { kind: "pending", dueAt: now, counted: false } }]);
}
