import { connectCommand, emulatedTrialCommand } from "../../core/advice/command-lines.ts";
import { randomBytes } from "node:crypto";
import type { Authorization } from "../../core/authorization.ts";
import type { Connection, Environment } from "../../core/connection.ts";
import { authorizeUrl, newAttempt } from "../../oauth/consent/authorize.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Vault } from "../../vault/contract.ts";
import type { Destination } from "../../vendors/contract/destination.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { CommonError } from "../../core/advice/common-errors.ts";
import type { ChecklistReport, Outcome, Step, Watcher } from "./checklist.ts";
import type { Vendors } from "../account/vendors.ts";

/** What every trial in a vendor's sandbox begins with: whose account it is, and that it is none in production. */
export interface TrialContext extends Vendors {
  http(): Promise<Http>;
  vault(): Promise<Vault>;
}

export interface TrialRequest {
  org: string;
  vendor: string;
  /** The operator's Ctrl-C. */
  signal: AbortSignal;
  /** Leaves what it made, for people to look at. */
  keep: boolean;
  watcher: Watcher;
}

export type TrialReport = ChecklistReport;

/** The opened sandbox account. */
export interface TrialAccount {
  connection: Connection;
  destination: Destination;
  access: Access;
  /** For what must come to its end once begun: it heeds no Ctrl-C, and gives up by itself. */
  lastingAccess: Access;
}

const ENVIRONMENT: Environment = "sandbox";
/** Once told to stop, cleaning up gets this long. */
const CLEAN_UP_MS = 20_000;

/** Throws `USAGE` where the vendor or the account is none for trials, before anything was asked of it. */
export async function openTrial(
  context: Pick<TrialContext, "destination">,
  { org, vendor }: Pick<TrialRequest, "org" | "vendor">,
): Promise<Destination> {
  const destination = await context.destination({ org, vendor, environment: ENVIRONMENT });
  refuse(destination, null);
  return destination;
}

function refuse(destination: Destination, account: Connection["account"]): void {
  const { vendor } = destination;
  const reason = destination.refuseTrial?.(account) ?? null;
  if (reason === null) return;
  throw new AppError("USAGE", `${reason}. Nothing was written`, {
    hint: `Name the sandbox under [sandbox.${vendor}], then: ${connectCommand({ vendor, environment: ENVIRONMENT })}. Without any account: ${emulatedTrialCommand(vendor)}`,
  });
}

/** The first step: connected, with every scope, to an account for trials. `then` gets the account. */
export function connectedStep(
  context: TrialContext,
  store: Store,
  { org, signal }: TrialRequest,
  { destination, then }: { destination: Destination; then: (account: TrialAccount) => void },
): Step {
  const { vendor, label, authorization } = destination;
  return {
    id: "connected",
    title: "connected",
    run: async () => {
      const connection = await store.connection({ org, vendor, environment: ENVIRONMENT });
      if (!connection?.account || connection.state !== "connected")
        return await explainNotConnected(context, destination, {
          org,
          connection,
          signal,
        });
      const { missingScopes } = connection;
      if (missingScopes.length > 0) {
        const told = missingScope(destination, org, missingScopes);
        return { status: "failed", evidence: `not granted: ${missingScopes.join(", ")}`, ...told };
      }
      const access = await context.access(connection, { store, signal });
      const account = await destination.account(access);
      refuse(destination, account);
      const lastingAccess = await context.access(connection, { store, signal: afterwards(signal) });
      then({ connection, destination, access, lastingAccess });
      const kind = account.kind ? `, ${account.kind}` : "";
      return {
        status: "passed",
        evidence: `${label} ${account.name}${kind}; ${authorization.scopes.length} scopes`,
      };
    },
  };
}

/** Aborts a while after the other does. */
function afterwards(signal: AbortSignal): AbortSignal {
  const late = new AbortController();
  const begin = () => setTimeout(() => late.abort(signal.reason), CLEAN_UP_MS).unref();
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return late.signal;
}

/** Asks for the consent page as a browser would, to learn whether the vendor knows our redirect URIs. Follows nothing. */
async function explainNotConnected(
  context: TrialContext,
  { vendor, label, authorization, commonErrors }: Destination,
  { org, connection, signal }: { org: string; connection: Connection | null; signal: AbortSignal },
): Promise<Outcome> {
  const name = { vendor, org, environment: ENVIRONMENT };
  const connect = connectCommand(name);
  if (!authorization.clientId) {
    return {
      status: "failed",
      cause: `there is no client id for ${label}'s sandbox`,
      fix: `Put it into the configuration: [sandbox.${vendor}] client_id = "…"\nThen run: ${connect}`,
    };
  }
  if (commonErrors) {
    const { redirectPath, redirectPort } = authorization;
    const publicUrl = context.config["serve.public_url"].replace(/\/+$/, "");
    // `connect` listens at the first one.
    const [loopback, published] = [
      `http://localhost:${redirectPort}${redirectPath}`,
      publicUrl + redirectPath,
    ];
    const ask = { http: await context.http(), authorization, signal };
    const error = commonErrors.redirectUri(loopback);
    if (await showsRefusal(ask, { title: error.title, uri: loopback })) {
      const isPublicToo = await showsRefusal(ask, { title: error.title, uri: published });
      const next = isPublicToo
        ? [`Nor is this one registered: ${published}`, `Then run: ${connect}`]
        : [`Or go by ${published}, which is registered. Run: ${connectCommand(name, "--via-service")}`];
      const fix = lines(...error.fixes, ...next);
      return { status: "failed", evidence: error.title, cause: error.cause, fix };
    }
  }
  const mustReconnect = connection?.state === "must_reconnect";
  const cause = `${org} is not connected to ${label}'s sandbox${mustReconnect ? " any more: it has taken back its consent" : ""}`;
  return { status: "failed", cause, fix: `Run: ${connect}` };
}

/** The words are those of a page for people, where no code tells the same. */
async function showsRefusal(
  { http, authorization, signal }: { http: Http; authorization: Authorization; signal: AbortSignal },
  { title, uri }: { title: string; uri: string },
): Promise<boolean> {
  const url = authorizeUrl(authorization, newAttempt(authorization), uri);
  const page = await http.request({ method: "GET", url, signal, headers: { accept: "text/html" } });
  return page.text.toLowerCase().includes(title.toLowerCase());
}

/** The guide's words where the vendor has such a guide. `scopes`: none where nobody can tell which. */
export function missingScope(
  { vendor, commonErrors }: Destination,
  org: string,
  scopes: readonly string[],
): { cause: string; fix: string } {
  const fixes = commonErrors?.scope.fixes ?? ["Approve all scopes"];
  const named = scopes.map((scope) => `\`${scope}\``).join(", ");
  return {
    cause: `OAuth scopes don't include ${named || "one that is needed"}`,
    fix: lines(...fixes, `Run: ${connectCommand({ vendor, org, environment: ENVIRONMENT })}`),
  };
}

/** A step's error in the guide's words, where its hint holds them; null for the error's own. */
export function explainBy({ vendor, commonErrors }: Destination, org: string) {
  const known = commonErrors ? [commonErrors.signature, commonErrors.scope] : [];
  return ({ hint = "" }: AppError): { cause: string; fix: string } | null => {
    const error = known.find(({ fixes }) => fixes.every((fix) => hint.includes(fix)));
    if (!error) return null;
    const again = `Run: ${connectCommand({ vendor, org, environment: ENVIRONMENT })}`;
    return { cause: causeIn(hint, error), fix: lines(...error.fixes, again) };
  };
}

/** The hint's own first sentence, which may name another scope than the guide's. */
function causeIn(hint: string, { cause, fixes }: CommonError): string {
  const [first = ""] = fixes;
  return hint.slice(0, hint.indexOf(first)).trim().replace(/\.$/, "") || cause;
}

/** A fix of several sentences, one to a line. */
export function lines(...sentences: readonly string[]): string {
  return sentences.join("\n");
}

/** Nobody's address: example.com never gets mail (RFC 2606). */
export function madeUpPerson(): { firstName: string; lastName: string; email: string } {
  const mark = randomBytes(4).toString("hex");
  return { firstName: "Trial", lastName: `JobCannon ${mark}`, email: `jobcannon-trial-${mark}@example.com` };
}

/** The last step of every trial; `what` is null where nothing was made. What our own log holds stays: it is the proof. */
export async function removeMade(
  what: string | null,
  { keep, label, remove }: { keep: boolean; label: string; remove(): Promise<boolean> },
): Promise<Outcome> {
  if (what === null) return { status: "skipped", evidence: "nothing was made" };
  if (keep) return { status: "skipped", evidence: `${what} stays, as asked` };
  try {
    const wasThere = await remove();
    return { status: "passed", evidence: wasThere ? `${what} removed` : `${what} was not there` };
  } catch (error) {
    const cause = isAppError(error) ? error.message : "the program was told to stop";
    const fix = `Remove ${what} in ${label} by hand`;
    return { status: "failed", evidence: `${what} could not be removed`, cause, fix };
  }
}

/** When a trial of the connection last passed, ms; null before the first. */
export async function lastPassed(
  store: Pick<Store, "lastTick">,
  { id }: Pick<Connection, "id">,
): Promise<number | null> {
  return await store.lastTick(tickOf(id));
}

export async function notePassed(
  store: Pick<Store, "openTick">,
  account: TrialAccount | undefined,
  { report, startedAt }: { report: ChecklistReport; startedAt: number },
): Promise<void> {
  if (report.passed && account) await store.openTick(tickOf(account.connection.id), startedAt);
}

function tickOf(connectionId: number): string {
  return `sandbox-test ${connectionId}`;
}

/** What an earlier step found: without it the later ones are not reached. */
export function the<T>(found: T | undefined): T {
  if (found === undefined) throw new Error("a step ran before the one that it builds on");
  return found;
}
