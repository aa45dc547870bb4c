/** What a fuzzer sends: requests that follow from a number alone. Most keep the form of a good one, and break it in places. */
import { createHmac } from "node:crypto";
import type { Dispatcher } from "undici";
import { WEBHOOK_SECRET } from "../world.ts";

export interface Input {
  method: Dispatcher.HttpMethod;
  target: string;
  headers: Record<string, string>;
  body: Buffer;
  /** The whole of it as it is to stand on the wire, where no client would write it so; else null. */
  raw: Buffer | null;
}

/** What the fuzzer knows that strangers do not: it would else never come behind the first door. */
export interface Known {
  smartrecruitersSecret: string;
  /** Of a link that waits for its answer. */
  link: string;
  cookie: string;
  state: string;
  now: number;
}

export interface Dice {
  /** A whole number below n. */
  below(n: number): number;
  chance(share: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
}

/** Mulberry32: the same numbers for the same seed, on every machine. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number) => Math.floor(next() * n);
  return { below, chance: (share) => next() < share, pick: (list) => list[below(list.length)] ?? list[0] };
}

export function inputOf(seed: number, known: Known): Input {
  const dice = diceOf(seed);
  const kind = dice.pick([ofJobcannon, ofJobcannon, ofSmartrecruiters, ofSmartrecruiters, ofPages]);
  const input = kind(dice, known);
  return dice.chance(0.04) ? asBrokenBytes(dice, input) : input;
}

function ofJobcannon(dice: Dice, { now }: Known): Input {
  const body = bodyFrom(dice, inviteOf(dice));
  const id = dice.chance(0.1) ? dice.pick(NAMES) : `msg_${dice.below(1e9)}`;
  const at = String(Math.floor(now / 1000) + (dice.chance(0.05) ? dice.below(1_000) - 500 : 0));
  const key = Buffer.from(dice.chance(0.85) ? WEBHOOK_SECRET.slice("whsec_".length) : "AAAA", "base64");
  const signature = createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest("base64");
  const headers = {
    "webhook-id": headerText(id),
    "webhook-timestamp": at,
    "webhook-signature": `${"v1,AAAA ".repeat(dice.chance(0.05) ? dice.below(20) : 0)}v1,${signature}`,
  };
  return posted(dice, "/jobcannon/events", headers, body);
}

function ofSmartrecruiters(dice: Dice, { smartrecruitersSecret }: Known): Input {
  const event = {
    id: `evt_${dice.below(1e9)}`,
    event: dice.pick(["candidate.assessment.completed", "candidate.assessment.completed", "candidate.other"]),
    occurredAt: momentOf(dice),
    data: {
      candidateId: `c${dice.below(300)}`,
      jobId: dice.pick(["j1", null]),
      assessmentId: `a${dice.below(300)}`,
      invitationId: dice.pick([`inv_${dice.below(300)}`, null]),
      status: "completed",
      result: dice.pick([null, resultOf(dice)]),
    },
  };
  const body = bodyFrom(dice, event);
  const key = dice.chance(0.85) ? smartrecruitersSecret : "somebody else's";
  const hex = createHmac("sha256", key).update(body).digest("hex");
  const headers = { "x-smartrecruiters-signature": dice.pick([`sha256=${hex}`, hex]) };
  return posted(dice, "/smartrecruiters/webhooks", headers, body);
}

/** The pages of a link, and where a vendor sends the browser back to. */
function ofPages(dice: Dice, { link, cookie, state }: Known): Input {
  const vendor = dice.pick(["hubspot", "hubspot", "smartrecruiters", "jobcannon", "__proto__", "x"]);
  const isCallback = dice.chance(0.5);
  const query = new URLSearchParams();
  const put = (name: string, good: string) => {
    const times = dice.chance(0.1) ? dice.below(3) : 1;
    for (let n = 0; n < times; n += 1)
      query.append(name, dice.chance(0.4) ? good : dice.pick([...NAMES, spoiledText(dice, good)]));
  };
  for (const [name, good] of isCallback
    ? ([
        ["code", "a-code"],
        ["state", state],
        ["error", "access_denied"],
      ] as const)
    : ([["link", link]] as const))
    if (dice.chance(0.8)) put(name, good);
  const [name = "", value = ""] = cookie.split("=");
  // The page that says how it ended has the vendor's own refusal as 502: no cookie here leads to it.
  const kept = dice.chance(0.1) && isCallback ? value : `${spoiledText(dice, value)}~`;
  const site = dice.pick(["same-origin", "cross-site", "none", "\t"]);
  return {
    method: dice.pick<Input["method"]>(["GET", "GET", "HEAD", "POST", "PUT", "OPTIONS"]),
    target: `/${vendor}/${isCallback ? "oauth-callback" : "connect"}?${query}${dice.chance(0.1) ? "&%=%zz" : ""}`,
    headers: {
      ...(dice.chance(0.7) ? { cookie: headerText(`${name}=${kept}`) } : {}),
      ...(dice.chance(0.3) ? { "sec-fetch-site": site } : { origin: dice.pick(["null", "http://x", "::"]) }),
    },
    body: Buffer.alloc(0),
    raw: null,
  };
}

function posted(dice: Dice, path: string, signature: Record<string, string>, body: Buffer): Input {
  const headers: Record<string, string> = { "content-type": "application/json", ...signature };
  if (dice.chance(0.05)) headers["content-type"] = dice.pick(["text/plain", "application/json;x", ""]);
  if (dice.chance(0.03)) headers["content-encoding"] = dice.pick(["gzip", "identity", "x"]);
  const names = Object.keys(headers);
  const broken = names[dice.below(names.length)];
  if (dice.chance(0.08) && broken !== undefined) {
    if (dice.chance(0.5)) delete headers[broken];
    else headers[broken] = headerText(spoiledText(dice, headers[broken] ?? ""));
  }
  const method = dice.chance(0.97) ? "POST" : dice.pick<Input["method"]>(["GET", "PUT", "DELETE", "PATCH"]);
  const target = dice.chance(0.97) ? path : path + dice.pick(["/", "?a=%zz", "%00", "/../x", "//"]);
  return { method, target, headers, body, raw: null };
}

/** The right road on the wire, with wrong bytes in it. */
function asBrokenBytes(dice: Dice, { method, target, headers, body }: Input): Input {
  const length = dice.pick([String(body.length), String(body.length), "-1", "0", "1e3", "99999999999"]);
  const lines = Object.entries({ host: "x", connection: "close", "content-length": length, ...headers });
  const head = `${method} ${target} HTTP/1.1\r\n${lines.map(([n, v]) => `${n}: ${v}\r\n`).join("")}\r\n`;
  const raw = spoiledBytes(dice, Buffer.concat([Buffer.from(head, "latin1"), body]), 200);
  return { method, target, headers, body, raw };
}

function bodyFrom(dice: Dice, event: object): Buffer {
  const changes = dice.chance(0.35) ? 0 : 1 + dice.below(4);
  for (let n = 0; n < changes; n += 1) spoil(dice, event);
  // Deeper than a structure here could be written.
  const text = JSON.stringify(event).replace(/"nested (\d+)"/g, (_, depth) => nested(Number(depth)));
  const whole = dice.chance(0.05) ? text.replace("{", `{${dice.pick(ODD_MEMBERS)},`) : text;
  return dice.chance(0.08) ? spoiledBytes(dice, Buffer.from(whole), whole.length) : Buffer.from(whole);
}

function nested(depth: number): string {
  return `${"[".repeat(depth)}0${"]".repeat(depth)}`;
}

function inviteOf(dice: Dice): object {
  const n = dice.below(2_000);
  const person = { email: `person.${n}@example.org`, first_name: "Maya", last_name: dice.pick(NAMES) };
  const status = dice.pick(["completed", "started", "assigned"]);
  const test = { slug: dice.pick(["disc", "big-five", "x"]), status, completed_at: momentOf(dice) };
  return {
    type: `invite.${dice.pick(["sent", "progress", "completed", "expired", "cancelled", "other"])}`,
    timestamp: momentOf(dice),
    data: {
      invitation_id: `inv_${n}`,
      org: dice.pick(["acme", "acme", "globex"]),
      status: dice.pick([null, "invited", "in_progress", "completed"]),
      sent_at: momentOf(dice),
      completed_at: dice.pick([null, momentOf(dice)]),
      candidate: person,
      tests: [{ ...test, result: dice.pick([null, resultOf(dice)]) }],
      result_url: dice.pick([null, "https://jobcannon.io/r/1"]),
      source: dice.pick([
        null,
        { vendor: "smartrecruiters", candidate_id: `c${n % 300}`, assessment_id: "a1" },
      ]),
    },
  };
}

function resultOf(dice: Dice): object {
  const dimensions = ["Dominance", "Influence"].map((name) => ({ name, score: dice.below(101) }));
  return { dimensions, duration_seconds: dice.below(1_000) };
}

function momentOf(dice: Dice): string {
  return new Date(Date.UTC(2024, 0, 1) + dice.below(1e9) * 20).toISOString();
}

/** One place of a tree becomes something else, appears twice, or is gone. */
function spoil(dice: Dice, root: object): void {
  const places: [object, string][] = [];
  const walk = (node: object) => {
    for (const [key, value] of Object.entries(node)) {
      places.push([node, key]);
      if (typeof value === "object" && value !== null) walk(value);
    }
  };
  walk(root);
  const place = places[dice.below(places.length)];
  if (place === undefined) return;
  const [node, key] = place;
  if (dice.chance(0.15)) Reflect.deleteProperty(node, key);
  else Reflect.set(node, dice.chance(0.1) ? dice.pick(NAMES) : key, otherValue(dice, Reflect.get(node, key)));
}

function otherValue(dice: Dice, present: unknown): unknown {
  if (typeof present === "string" && dice.chance(0.4)) return spoiledText(dice, present);
  const deep = () => `nested ${dice.below(30_000)}`;
  const long = () => dice.pick(["a", "\u202e", "[", "\ud800", "e\u0301"]).repeat(dice.below(12_000));
  const others: [() => unknown, ...(() => unknown)[]] = [
    () => null,
    () => dice.pick(NAMES),
    () => dice.pick(NUMBERS),
    () => dice.pick(MOMENTS),
    () => [present, present],
    () => ({ [dice.pick(NAMES)]: present }),
    deep,
    long,
    () => [],
    () => ({}),
    () => true,
  ];
  return dice.pick(others)();
}

/** Texts that have surprised programs before. */
const NAMES: [string, ...string[]] = [
  "__proto__",
  "constructor",
  "toString",
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "x\udfff",
  "\u202eabc",
  "\u009b2J",
  "\u001b[2J",
  "\ufeff",
  "Zoe\u0301\u200d",
  "😀".repeat(70),
  "' OR 1=1 --",
  "%s%n",
  "../../etc/passwd",
  "$&$1",
  "null",
  "NaN",
  "a@b",
  "ANN@EXAMPLE.ORG",
  "İ@example.org",
];
const NUMBERS: [number, ...number[]] = [0, -0, -1, 1e308, 5e-324, 2 ** 53, 0.1, 101, -2_147_483_649];
const MOMENTS: [string, ...string[]] = [
  "2024-02-30T00:00:00Z",
  "9999-12-31T23:59:59.999999999+23:59",
  "1970-01-01T00:00:00+23:59",
  "2024-05-15",
  "2024-05-15T10:15:60Z",
];
/** In front of the others, so that a later one of the same name counts. */
const ODD_MEMBERS: [string, ...string[]] = [
  '"__proto__":{"org":"globex"}',
  '"data":null',
  '"type":"invite.sent","type":"x"',
  '"n":1e999',
  '"s":"\\ud800"',
];

function spoiledText(dice: Dice, text: string): string {
  const at = dice.below(text.length + 1);
  const rest = text.slice(at + (dice.chance(0.5) ? 1 : 0));
  return text.slice(0, at) + (dice.chance(0.7) ? dice.pick(NAMES) : "") + rest;
}

function spoiledBytes(dice: Dice, bytes: Buffer, within: number): Buffer {
  const at = dice.below(Math.min(bytes.length, within) + 1);
  if (dice.chance(0.3)) return bytes.subarray(0, at);
  const wrong = Buffer.from(Array.from({ length: 1 + dice.below(4) }, () => dice.below(256)));
  return Buffer.concat([bytes.subarray(0, at), wrong, bytes.subarray(at + dice.below(3))]);
}

/** What a client may write into a header. */
function headerText(text: string): string {
  return Buffer.from(text, "utf8")
    .toString("latin1")
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, "?");
}
