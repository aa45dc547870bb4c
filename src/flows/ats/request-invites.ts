import { nextTry } from "../../core/delivery/retry.ts";
import type { InviteRequest } from "../../core/invite-request.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { RequestNote, Store } from "../../store/contract/store.ts";
import { readSecrets, type SecretReader } from "../../vault/secrets.ts";
import type { Person } from "../../vendors/contract/ats.ts";
import type { DeskAnswer, InviteDesk } from "../../vendors/contract/invite-desk.ts";
import type { AccountContext } from "../account/context.ts";
import { markMustReconnect } from "../account/must-reconnect.ts";
import { openAts } from "./ats.ts";

/**
 * Asks JobCannon for the invites that stages want. Each stands in the store until it was taken: what cannot be asked now
 * is asked again, and JobCannon knows it by its id.
 */
export interface RequestContext extends AccountContext {
  store: Store;
  inviteDesk(): Promise<InviteDesk | null>;
  secrets(): Promise<SecretReader>;
  /** Was this person erased, and is refused? Throws `VAULT_UNAVAILABLE` where nobody can tell. */
  isErased(org: string, address: string): Promise<boolean>;
}

const ERASED = "the candidate was erased: what is told of them later is refused";

export interface Requested {
  sent: number;
  failed: string[];
  /** The time was over before all were asked for. */
  isLeft: boolean;
  /** Is any still to be asked for, then or later? */
  isAnyOpen: boolean;
}

const PAGE = 100;
const LONGEST_RUN_MS = 30_000;
const SECRET = "jobcannon.webhook-secret";

/** `insists`: also what was put off. */
export async function requestInvites(
  context: RequestContext,
  { insists, signal }: { insists: boolean; signal: AbortSignal },
): Promise<Requested> {
  const { store, clock } = context;
  const outcome: Requested = { sent: 0, failed: [], isLeft: false, isAnyOpen: false };
  const desk = await context.inviteDesk();
  if (desk === null) return outcome;
  const endsAt = clock.now() + LONGEST_RUN_MS;
  const due = insists ? {} : { dueBy: clock.now() };
  const asked = new Set<number>();
  for (;;) {
    const page = await store.inviteRequests({ states: ["open"], ...due, limit: PAGE + asked.size });
    const next = page.filter(({ id }) => !asked.has(id));
    for (const request of next) {
      signal.throwIfAborted();
      asked.add(request.id);
      const note = await askFor(context, desk, { request, signal });
      await store.noteRequest(request.id, note, clock.now());
      if (note.state === "sent") outcome.sent += 1;
      else outcome.failed.push(note.reason ?? "");
    }
    outcome.isLeft = next.length > 0 && clock.now() >= endsAt;
    if (next.length > 0 && !outcome.isLeft) continue;
    const [open] = await store.inviteRequests({ states: ["open"], limit: 1 });
    outcome.isAnyOpen = open !== undefined;
    return outcome;
  }
}

/** Asks for one; what becomes of it is the store's to keep. Throws what says nothing about it. */
async function askFor(
  context: RequestContext,
  desk: InviteDesk,
  { request, signal }: { request: InviteRequest; signal: AbortSignal },
): Promise<RequestNote> {
  try {
    const person = await personOf(context, request, signal);
    const email = person.email?.trim() ?? "";
    if (email === "") return { state: "refused", reason: "the candidate has no e-mail address there" };
    if (await context.isErased(request.org, email)) return { state: "refused", reason: ERASED };
    const secrets = await readSecrets(await context.secrets(), {
      name: SECRET,
      org: request.org,
      environment: "production",
    });
    const answer = await desk.ask(request, { ...person, email }, { secrets, signal });
    return noteOf(context, request, answer);
  } catch (error) {
    if (!isAppError(error) || error.code === "STORE_UNAVAILABLE") throw error;
    return putOff(context, request, error);
  }
}

/** As the vendor knows them now: nothing of them is kept here. */
async function personOf(
  context: RequestContext,
  { org, vendor, environment, candidateId }: InviteRequest,
  signal: AbortSignal,
): Promise<Person> {
  const { store } = context;
  const { ats, access, connection } = await openAts(context, store, { org, vendor, environment, signal });
  if (!ats.person) throw new Error(`${vendor} tells of nobody`);
  return await ats.person(access, candidateId).catch(async (error: unknown) => {
    if (isAppError(error, "RECONNECT_NEEDED")) await markMustReconnect(store, connection, error);
    throw error;
  });
}

function noteOf(context: RequestContext, request: InviteRequest, answer: DeskAnswer): RequestNote {
  const { httpStatus, durationMs, reason, kind } = answer;
  const attempt = { httpStatus, durationMs, reason };
  switch (kind) {
    case "taken":
      return { attempt: { ...attempt, outcome: "sent" }, state: "sent", reason: null };
    case "refused":
      return { attempt: { ...attempt, outcome: "refused" }, state: "refused", reason };
    case "later":
      return {
        attempt: { ...attempt, outcome: "retry" },
        state: "open",
        dueAt: dueAt(context, request, answer.notBefore),
        reason,
      };
  }
}

/** The vendor's no to a candidate, as to one who is gone, is final; all else may pass. */
function putOff(context: RequestContext, request: InviteRequest, error: AppError): RequestNote {
  const { message: reason } = error;
  if (error.code === "VENDOR_REJECTED") return { state: "refused", reason };
  return { state: "open", dueAt: dueAt(context, request, null), reason };
}

function dueAt(
  { clock, config }: RequestContext,
  { tries }: InviteRequest,
  notBefore: number | null,
): number {
  const retryEveryMs = config["schedule.retry_every"];
  return nextTry({ tries: tries + 1, now: clock.now(), notBefore, random: Math.random, retryEveryMs });
}
