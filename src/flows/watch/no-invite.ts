import { inviteCommand, invitesCommand } from "../../core/advice/command-lines.ts";
import { AppError } from "../../shared/errors.ts";
import { grouped, listed, plain } from "../../shared/text.ts";
import type { Store } from "../../store/contract/store.ts";

const NAMED_AT_MOST = 5;

type InviteStore = Pick<Store, "invite" | "invites" | "orgs">;

/** The org has no such invite. Whoever mistook the org is told which one has it. */
export async function noInvite(
  store: InviteStore | null,
  { org, ids, email }: { org: string; ids: readonly string[]; email?: string | undefined },
): Promise<AppError> {
  const more = ids.length - NAMED_AT_MOST;
  const named =
    email === undefined
      ? ids.slice(0, NAMED_AT_MOST).map(plain).join(", ") + (more > 0 ? ` and ${grouped(more)} more` : "")
      : "of that candidate";
  const has = async (other: string, id: string | undefined) =>
    id === undefined
      ? email !== undefined && ((await store?.invites({ org: other, email, limit: 1 })) ?? []).length > 0
      : Boolean(await store?.invite(other, id));
  const [id] = ids;
  const others: string[] = [];
  for (const other of (await store?.orgs()) ?? [])
    if (other !== org && others.length < NAMED_AT_MOST && (await has(other, id))) others.push(other);
  const [other] = others;
  if (other === undefined)
    return new AppError("USAGE", `${org} has no invite ${named}`, {
      hint: `${invitesCommand({ org })} shows the newest ones.`,
    });
  const verb = others.length === 1 ? "has" : "have";
  const what = id === undefined ? "one" : plain(id);
  return new AppError("USAGE", `${org} has no invite ${named}; ${listed(others)} ${verb} ${what}`, {
    hint: id === undefined ? invitesCommand({ org: other }) : inviteCommand(id, { org: other }),
  });
}
