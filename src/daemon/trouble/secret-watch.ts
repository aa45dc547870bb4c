import { setSecretCommand, subscribeCommand } from "../../core/advice/command-lines.ts";
import type { Connection } from "../../core/connection.ts";
import type { SourceSecret } from "../../core/source-secret.ts";
import type { ServeFault } from "../../flows/watch/serve-faults.ts";
import type { Clock } from "../../shared/clock.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Store } from "../../store/contract/store.ts";
import type { VendorDeclaration } from "../../vendors/contract/declaration.ts";
import type { Source } from "../../vendors/contract/source.ts";

/** Whether every source that somebody relies on has a secret: without one all its events hear 503. */
export interface SecretWatch {
  /** One for each source that has none. */
  faults(): readonly ServeFault[];
  isAnyConnected(): boolean;
  /** To be called about once a second. Throws `STORE_UNAVAILABLE`. Nothing where nothing has changed. */
  look(): Promise<void> | undefined;
}

/** What could not be read when the vault changed is tried again. */
const JUDGED_FOR_MS = 60_000;

export function createSecretWatch({
  store,
  clock,
  sources,
  vendors,
  secretsOf,
}: {
  store: Pick<Store, "connections" | "watch">;
  clock: Pick<Clock, "now">;
  sources: readonly Source[];
  vendors: readonly VendorDeclaration[];
  secretsOf: {
    (source: Source, options: { now: true }): Promise<readonly SourceSecret[]>;
    /** Of the vault; null where it does not tell. */
    revision(): number | null;
  };
}): SecretWatch {
  let faults: ServeFault[] = [];
  let isAnyConnected = false;
  /** As they stand since the last change; null where they are to be read again. */
  let known: readonly Connection[] | null = null;
  /** Of the vault, when these connections were looked at last; null where the look has to be had again. */
  let judged: { revision: number | null; untilMs: number } | null = null;
  let changes = 0;
  store.watch(() => {
    changes += 1;
    known = null;
  });
  const connected = async (): Promise<readonly Connection[]> => {
    if (known) return known;
    const before = changes;
    const found = (await store.connections()).filter(({ state }) => state !== "not_connected");
    // What changed while they were read is read the next time.
    if (changes === before) known = found;
    return found;
  };
  const faultOf = async (
    source: Source,
    connections: readonly Connection[],
  ): Promise<ServeFault | "unknown" | null> => {
    const vendor = vendors.find((each) => each.vendor === source.id);
    const [first, ...others] = vendor ? usersOf(vendor, connections) : [];
    if (!vendor || first === undefined) return null;
    // What was read before the secret was set would be told as missing, to who has just set it.
    const secrets = await secretsOf(source, { now: true }).catch((error: unknown) => {
      if (isAppError(error, "VAULT_UNAVAILABLE")) return null;
      throw error;
    });
    if (secrets === null) return "unknown";
    if (secrets.length > 0) return null;
    const missing = missingSecret(source, vendor, [first, ...others]);
    return { kind: "secrets", refuses: true, since: clock.now(), ...missing };
  };
  const lookNow = async (revision: number | null) => {
    judged = null;
    const connections = await connected();
    isAnyConnected = connections.length > 0;
    const found = await Promise.all(sources.map((source) => faultOf(source, connections)));
    // A vault that cannot be read tells nothing new.
    if (found.includes("unknown")) return;
    const now = found.filter((each) => each !== null && each !== "unknown");
    faults = now.map((each) => faults.find(({ message }) => message === each.message) ?? each);
    if (connections === known) judged = { revision, untilMs: performance.now() + JUDGED_FOR_MS };
  };
  return {
    faults: () => faults,
    isAnyConnected: () => isAnyConnected,
    look: () => {
      const revision = secretsOf.revision();
      const isJudged =
        revision !== null && revision === judged?.revision && performance.now() < judged.untilMs;
      if (known !== null && isJudged) return;
      return lookNow(revision);
    },
  };
}

/** Who tells us only is relied on as soon as anybody is connected; an account's own webhooks by those who have one. */
function usersOf({ vendor, destination }: VendorDeclaration, connections: readonly Connection[]) {
  return connections.filter((each) =>
    destination ? each.vendor === vendor : each.environment === "production",
  );
}

/** What is wrong, and what gives that source a secret. */
function missingSecret(
  source: Source,
  { label, destination }: VendorDeclaration,
  users: readonly [Connection, ...Connection[]],
): Pick<ServeFault, "message" | "hint" | "isStep"> {
  const message = `${label} has no webhook secret here: all its webhooks hear 503, to be sent again`;
  if (!destination?.isAts) return { message, hint: setSecretCommand(source.secretName) };
  const subscribed = users.find(({ subscription }) => subscription !== null);
  if (subscribed) return { message, hint: subscribeCommand(subscribed) };
  return {
    message: `${label} was not asked for webhooks yet, and has no secret for them here`,
    hint: subscribeCommand(users[0]),
    isStep: true,
  };
}
