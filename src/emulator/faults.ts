/**
 * Faults a test or an operator switches on. `status`, `delayMs` and `drop` act around one call, and the oldest that
 * matches takes its turn; `rateLimit` and `revoked` change what the vendor itself answers while they are in force.
 */
import { type Call, isRecord, json, type Reply } from "./http.ts";
import { formatRateLimit, parseRateLimit, type RateLimit } from "./rate-limit.ts";

export type Effect =
  | { kind: "status"; reply: Reply }
  | { kind: "delay"; delayMs: number }
  | { kind: "drop" }
  | { kind: "rateLimit"; limit: RateLimit }
  /** `restored`: accounts that consented anew since, and are served again. */
  | { kind: "revoked"; restored: Set<string> };

export interface Fault {
  effect: Effect;
  /** How many answers it still spoils; without it, until it is cleared. */
  times: number | undefined;
  method: string | undefined;
  path: string | undefined;
  match: string | undefined;
}

type TurnEffect = Extract<Effect, { kind: "status" | "delay" | "drop" }>;

/** The effect the call has to bear, counted as used. */
export function takeTurn(faults: Fault[], call: Call): TurnEffect | undefined {
  for (const fault of faults) {
    const { effect } = fault;
    if (effect.kind === "rateLimit" || effect.kind === "revoked" || !matches(fault, call)) continue;
    spend(faults, fault);
    return effect;
  }
  return undefined;
}

/** The limit in force for this call, `usual` without a fault. Call `refused` when a call was turned away because of it. */
export function limitInForce(
  faults: Fault[],
  call: Call,
  usual: RateLimit,
): { limit: RateLimit; refused(): void } {
  for (const fault of faults) {
    if (fault.effect.kind !== "rateLimit" || !matches(fault, call)) continue;
    return { limit: fault.effect.limit, refused: () => spend(faults, fault) };
  }
  return { limit: usual, refused: () => {} };
}

/** Whether the vendor now takes this account's tokens for revoked, counted as used if so. */
export function isRevoked(faults: Fault[], call: Call, account: string): boolean {
  for (const fault of faults) {
    if (fault.effect.kind !== "revoked" || fault.effect.restored.has(account) || !matches(fault, call))
      continue;
    spend(faults, fault);
    return true;
  }
  return false;
}

/** A new consent ends a revocation for that account. */
export function restoreAccount(faults: readonly Fault[], account: string): void {
  for (const { effect } of faults) if (effect.kind === "revoked") effect.restored.add(account);
}

function matches(fault: Fault, call: Call): boolean {
  return (
    (fault.method === undefined || fault.method === call.method) &&
    (fault.path === undefined || call.path.startsWith(fault.path)) &&
    (fault.match === undefined || call.body.includes(fault.match))
  );
}

function spend(faults: Fault[], fault: Fault): void {
  if (fault.times === undefined) return;
  fault.times--;
  if (fault.times === 0) faults.splice(faults.indexOf(fault), 1);
}

/** How each kind reads its own field; text is what was wrong with it. */
const KINDS: Readonly<Record<string, (value: unknown, input: Record<string, unknown>) => Effect | string>> = {
  status: (status, input) => {
    if (!isCount(status) || status < 200 || status > 599) return '"status" must be a number from 200 to 599';
    return readStatus(status, input);
  },
  delayMs: (delayMs) => (isCount(delayMs) ? { kind: "delay", delayMs } : '"delayMs" must be a whole number'),
  drop: (drop) => (drop === true ? { kind: "drop" } : '"drop" must be true'),
  rateLimit: (text) => {
    const limit = typeof text === "string" ? parseRateLimit(text) : undefined;
    return limit ? { kind: "rateLimit", limit } : '"rateLimit" must look like "10/10s", or be "none"';
  },
  revoked: (revoked) =>
    revoked === true ? { kind: "revoked", restored: new Set() } : '"revoked" must be true or false',
};

const COMMON_FIELDS = ["times", "method", "path", "match"];
const STATUS_FIELDS = ["headers", "body"];

/** Reads a posted fault; text is what was wrong with it, for the person who posted it. */
export function readFault(input: unknown): Fault | string {
  if (!isRecord(input)) return "a fault is a JSON object";
  const kinds = Object.keys(KINDS).filter((kind) => kind in input);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1)
    return `a fault has exactly one of ${Object.keys(KINDS).join(", ")}`;
  const known = [kind, ...COMMON_FIELDS, ...(kind === "status" ? STATUS_FIELDS : [])];
  const unknown = Object.keys(input).find((field) => !known.includes(field));
  if (unknown !== undefined)
    return `"${unknown}" is not a field of a ${kind} fault; known: ${known.join(", ")}`;
  const { times, method, path, match } = input;
  if (times !== undefined && (!isCount(times) || times === 0))
    return '"times" must be a whole number above 0';
  if (!isOptionalText(method)) return '"method" must be text such as "POST"';
  if (!isOptionalText(path)) return '"path" must be text such as "/crm"';
  if (!isOptionalText(match)) return '"match" must be text to find in the body';
  const effect = KINDS[kind]?.(input[kind], input) ?? "unknown kind";
  if (typeof effect === "string") return effect;
  return { effect, times, method: method?.toUpperCase(), path, match };
}

function readStatus(status: number, { headers = {}, body }: Record<string, unknown>): Effect | string {
  if (!isRecord(headers)) return '"headers" must be an object of texts';
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value !== "string" && typeof value !== "number") return `header "${name}" must be text`;
    texts[name.toLowerCase()] = String(value);
  }
  if (typeof body === "string") return { kind: "status", reply: { status, headers: texts, body } };
  const answer = body === undefined ? { status: "error", message: "a fault set on the emulator" } : body;
  return { kind: "status", reply: json(status, answer, texts) };
}

/** A fault as `GET …/faults` shows it: in the words it was posted with. */
export function describeFault({ effect, ...filter }: Fault): Record<string, unknown> {
  switch (effect.kind) {
    case "status":
      return { status: effect.reply.status, ...filter };
    case "delay":
      return { delayMs: effect.delayMs, ...filter };
    case "drop":
      return { drop: true, ...filter };
    case "rateLimit":
      return { rateLimit: formatRateLimit(effect.limit), ...filter };
    case "revoked":
      return { revoked: true, ...filter };
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
