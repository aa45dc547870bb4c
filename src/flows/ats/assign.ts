import { assignCommand, connectCommand, statusCommand } from "../../core/advice/command-lines.ts";
import type { Connection, ConnectionName } from "../../core/connection.ts";
import type { Assigned } from "../../core/invite.ts";
import { UNASKED } from "../../core/subject.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import { plain } from "../../shared/text.ts";
import type { Store } from "../../store/contract/store.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { FoundCandidate } from "../../vendors/contract/destination.ts";
import type { AccountContext } from "../account/context.ts";
import { noInvite } from "../watch/no-invite.ts";

/** Where several candidates fit a result, a person says whose it is. */
export interface AssignContext {
  store: Pick<Store, "assign" | "invite" | "invites" | "orgs" | "selectSubjects">;
  clock: Pick<Clock, "now">;
  connection: Connection;
  access: Access;
  candidatesWith(access: Access, email: string): Promise<FoundCandidate[]>;
  label: string;
  /** Is there such a candidate, with whatever address? True where the vendor does not tell. */
  exists(access: Access, candidateId: string): Promise<boolean>;
}

/** Throws `USAGE` where nobody has to choose, `RECONNECT_NEEDED` where the org is not connected. */
export async function openToAssign(
  account: AccountContext,
  store: Store,
  { signal, ...of }: ConnectionName & { signal: AbortSignal },
): Promise<AssignContext> {
  const { candidatesWith, label, ats } = await account.destination(of);
  const connection = await store.connection(of);
  if (!candidatesWith)
    throw new AppError("USAGE", `${label} is told results by assessment: there is nobody to choose`, {
      hint: `Which results wait, and for what: ${statusCommand({ org: of.org })}`,
    });
  if (!connection?.account || connection.state === "not_connected")
    throw new AppError("RECONNECT_NEEDED", `${of.org} is not connected to ${label}`, {
      hint: connectCommand(of),
    });
  const access = await account.access(connection, { store, signal });
  const exists = async (through: Access, candidateId: string) =>
    (await ats?.person?.(through, candidateId).then(
      () => true,
      (error: unknown) => {
        if (isAppError(error, "VENDOR_REJECTED")) return false;
        throw error;
      },
    )) ?? true;
  return { store, clock: account.clock, connection, access, candidatesWith, label, exists };
}

const MOST_LISTED = 200;

/** The results that wait for it, each with why. */
export async function waitingForCandidate({
  store,
  connection,
}: Pick<AssignContext, "store" | "connection">): Promise<{ invitationId: string; reason: string | null }[]> {
  const { org, vendor } = connection;
  const held = { pushes: { connectionId: connection.id, heldFor: "candidate" } } as const;
  const { subjects } = await store.selectSubjects(held, { after: null, limit: MOST_LISTED });
  const waiting = subjects.map(async (subject) => {
    const [asked] = await store.invites({ org, assessmentId: subject, limit: 1 });
    const invitationId = asked?.invite.invitationId ?? subject.slice(UNASKED.length);
    const history = await store.invite(org, invitationId);
    const last = history?.attempts.findLast((attempt) => attempt.vendor === vendor);
    return history ? [{ invitationId, reason: last?.reason ?? null }] : [];
  });
  return (await Promise.all(waiting)).flat();
}

/** Everybody there with the invite's address. Throws `USAGE` where there is no such invite. */
export async function candidatesFor(context: AssignContext, invitationId: string): Promise<FoundCandidate[]> {
  const { store, connection, access } = context;
  const { org } = connection;
  const history = await store.invite(org, invitationId);
  if (!history) throw await noInvite(store, { org, ids: [invitationId] });
  return await context.candidatesWith(access, history.invite.candidate.email);
}

/** Keeps it, and has the result told. `isMeant`: also a candidate with another address. Throws `USAGE`. */
export async function assign(
  { store, clock, connection, access, label, exists }: AssignContext,
  wanted: {
    invitationId: string;
    candidateId: string;
    jobId: string | null;
    found: readonly FoundCandidate[];
    isMeant: boolean;
  },
): Promise<Assigned> {
  const { invitationId, candidateId } = wanted;
  const { org, vendor } = connection;
  const known = wanted.found.find((each) => each.candidateId === candidateId);
  if (!known && !(await exists(access, candidateId)))
    throw new AppError("USAGE", `${label} has no candidate ${plain(candidateId)}`, {
      hint: `${assignCommand({ org }, invitationId)} lists those that fit. Nothing was changed.`,
    });
  if (!known && !wanted.isMeant)
    throw new AppError("USAGE", `candidate ${plain(candidateId)} has another address than the invite`, {
      hint: `${assignCommand({ org }, invitationId)} lists those that fit. If it is meant, run it again with --yes.`,
    });
  const jobId = wanted.jobId ?? known?.job?.id;
  if (jobId === undefined)
    throw new AppError("USAGE", `candidate ${plain(candidateId)} is on no job that is known`, {
      hint: "Name it with --job <id>",
    });
  const assigned = { vendor, candidateId, jobId };
  await store.assign({ org, invitationId }, assigned, clock.now());
  return assigned;
}
