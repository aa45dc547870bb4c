import * as v from "valibot";
import { isAppError } from "../shared/errors.ts";
import { type Secret, secret } from "../shared/secret.ts";
import { deserialize, serialize, type TokenSet } from "./token-set.ts";

/**
 * What one machine knows of a connection's tokens besides the vault, where that lies on another machine: an answer that the
 * vault has not taken yet, since a one-use refresh token brings it once; and how far the newest tokens reached, since a
 * vault that was put back to an older state does not know of them.
 */
interface Note {
  /** Of the newest tokens that were seen here, ms since the epoch. */
  expiresAt: number | null;
  /** `from`: the access token that it is to replace. */
  answer: { from: string; set: string } | null;
}

/** Where this machine alone keeps something, sealed. */
export interface MachineNotes {
  read(name: string): Promise<Secret | null>;
  write(name: string, value: Secret | null): Promise<void>;
}

interface Deps {
  vault: { notes?: MachineNotes | undefined };
}

const Stored = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    expiresAt: v.nullable(v.number()),
    answer: v.nullable(v.object({ from: v.string(), set: v.string() })),
  }),
);

/** Before the vault is asked to take it. A machine that cannot note it may still reach the vault. */
export async function noteAnswer(deps: Deps, name: string, before: TokenSet, set: TokenSet): Promise<void> {
  const answer = { from: before.accessToken.reveal(), set: serialize(set).reveal() };
  await write(deps, name, { expiresAt: set.expiresAt, answer });
}

/** Once the vault has them, or had them from another machine. */
export async function noteSeen(deps: Deps, name: string, set: TokenSet): Promise<void> {
  if (!deps.vault.notes) return;
  const known = await read(deps, name);
  if (known?.answer && known.answer.from === set.accessToken.reveal()) return;
  if (known && known.answer === null && (known.expiresAt ?? 0) >= (set.expiresAt ?? 0)) return;
  await write(deps, name, { expiresAt: set.expiresAt, answer: null });
}

/** Of an account that was disconnected there is nothing to know. */
export async function forgetNote(deps: Deps, name: string): Promise<void> {
  await deps.vault.notes?.write(name, null);
}

/** The answer that the vault, which still holds `before`, has yet to take; null where there is none. */
export async function notedAnswer(deps: Deps, name: string, before: TokenSet): Promise<TokenSet | null> {
  const answer = (await read(deps, name))?.answer ?? null;
  return answer?.from === before.accessToken.reveal() ? deserialize(secret(answer.set), name) : null;
}

export async function notedExpiry(deps: Deps, name: string): Promise<number | null> {
  return (await read(deps, name))?.expiresAt ?? null;
}

async function read({ vault }: Deps, name: string): Promise<Note | null> {
  const kept: Secret | null = (await vault.notes?.read(name)) ?? null;
  const parsed = v.safeParse(Stored, kept?.reveal());
  return parsed.success ? parsed.output : null;
}

async function write({ vault }: Deps, name: string, note: Note): Promise<void> {
  try {
    await vault.notes?.write(name, secret(JSON.stringify(note)));
  } catch (error) {
    if (!isAppError(error, "VAULT_UNAVAILABLE")) throw error;
  }
}
