/** Cuts the power at random instants of what was recorded, and asks the program what is left. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as v from "valibot";
import { createDisk, type Random } from "./disk.ts";
import { type Recorded, tokensIn } from "./load.ts";
import type { Operation } from "./trace.ts";

const Invites = v.object({ invites: v.array(v.object({ invitationId: v.string() })) });

/** One line for each cut after which something was missing. */
export interface Losses {
  events: string[];
  tokens: string[];
}

export async function cutPower(recorded: Recorded, cuts: number, random: Random): Promise<Losses> {
  const disk = createDisk(recorded.before);
  const losses: Losses = { events: [], tokens: [] };
  const stateDir = join(recorded.world.dir, "after-a-cut");
  const instants = Array.from({ length: cuts }, () => instantOf(recorded, random));
  let applied = 0;
  for (const at of instants.toSorted((one, other) => one - other)) {
    const next = recorded.operations.findIndex((operation, n) => n >= applied && !hasBegun(operation, at));
    const until = next === -1 ? recorded.operations.length : next;
    for (const operation of recorded.operations.slice(applied, until)) disk.apply(operation);
    applied = until;
    putFiles(stateDir, disk.afterCut(random));
    const events = await missingEvents(recorded, stateDir, at);
    if (events) losses.events.push(`cut at ${at}: ${events}`);
    const tokens = await missingTokens(recorded, stateDir, at);
    if (tokens) losses.tokens.push(`cut at ${at}: ${tokens}`);
  }
  return losses;
}

/** Right when something was promised, by a 202 or by the use of a token, or anywhere in what was done to the disk. */
function instantOf({ acknowledged, tokens, operations }: Recorded, random: Random): number {
  const one = <T>(all: readonly T[]): T | undefined => all[Math.floor(random() * all.length)];
  const draw = random();
  if (draw < 0.35) return one(acknowledged)?.at ?? 0;
  if (draw < 0.7) return one(tokens)?.at ?? 0;
  const { startedAt = 0, endedAt = 0 } = one(operations) ?? {};
  return startedAt + random() * (endedAt - startedAt);
}

/** A write under way may be on the disk in part; a sync under way has promised nothing. */
function hasBegun({ kind, startedAt, endedAt }: Operation, at: number): boolean {
  return (kind === "sync" ? endedAt : startedAt) <= at;
}

function putFiles(stateDir: string, files: ReadonlyMap<string, Buffer>): void {
  rmSync(stateDir, { recursive: true, force: true });
  mkdirSync(stateDir, { mode: 0o700 });
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(stateDir, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(stateDir, path), bytes, { mode: 0o600 });
  }
}

async function missingEvents({ world, acknowledged }: Recorded, stateDir: string, at: number) {
  const argv = ["--state-dir", stateDir, "invites", "list", "--json", "--limit", "10000"];
  const { code, json, err } = await world.run(argv);
  if (code !== 0) return `the log cannot be read: ${err}`;
  const found = new Set(v.parse(Invites, json).invites.map(({ invitationId }) => invitationId));
  const missing = acknowledged.filter((event) => event.at <= at && !found.has(event.invitationId));
  return missing.map(({ invitationId }) => invitationId).join(", ");
}

/**
 * A pair whose access token was used, or a younger one, must be there; and where a refresh token was spent, its successor
 * or the mark that it was, since a vendor takes it only once.
 */
async function missingTokens({ world, firstToken, tokens }: Recorded, stateDir: string, at: number) {
  const past = tokens.filter((token) => token.at <= at);
  const kept = await tokensIn(world, stateDir).catch(String);
  if (kept === null || typeof kept === "string") return `the vault cannot be read: ${kept}`;
  const pairs = [firstToken, ...tokens.filter(({ kind }) => kind === "given").map(({ token }) => token)];
  const used = past.findLast(({ kind }) => kind === "used");
  const isYounger = pairs.indexOf(kept.accessToken.reveal()) >= pairs.indexOf(used?.token ?? firstToken);
  if (!isYounger) return "a pair that was used";
  const spent = past.findLast(({ kind }) => kind === "spent");
  const isUntold = kept.refreshToken?.reveal() === spent?.token && kept.refreshBegunAt === null;
  return isUntold ? "the mark of a refresh" : "";
}
