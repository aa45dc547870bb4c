/**
 * Deliveries in simulated time over real HTTP: time stands still while a call is on its way, and moves to the next
 * sleeper once everything waits. So a test can say to the millisecond when a vendor was called, and an hour of
 * outage takes no longer than its calls.
 */
import { setMaxListeners } from "node:events";
import * as v from "valibot";
import { onTestFinished } from "vitest";
import type { Connection } from "../../src/core/connection.ts";
import { runScheduler } from "../../src/daemon/scheduler.ts";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { deliver } from "../../src/flows/deliver/deliver.ts";
import { resync } from "../../src/flows/connect/resync.ts";
import { countedCall, createSlots } from "../../src/flows/account/rate-window.ts";
import { windowFor } from "../../src/core/delivery/rate-window.ts";
import { stuckInAll } from "../../src/core/advice/stuck.ts";
import type { Clock } from "../../src/shared/clock.ts";
import { AppError } from "../../src/shared/errors.ts";
import { createHttp, type Http } from "../../src/shared/http.ts";
import { secret } from "../../src/shared/secret.ts";
import type { PushCounts, Store } from "../../src/store/contract/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import type { Destination } from "../../src/vendors/contract/destination.ts";
import type { Access } from "../../src/vendors/contract/access.ts";
import { createHubspot } from "../../src/vendors/hubspot/hubspot.ts";
import type { Tier } from "../../src/vendors/hubspot/keys.ts";
import { jobcannon } from "../../src/vendors/jobcannon/source.ts";
import { troubleOf } from "../daemon/scheduling.ts";
import { type EmulatedHubspot, emulated, type Fault } from "../emulated.ts";
import { fakeClock } from "../fake-clock.ts";
import { HUBSPOT } from "../store/events.ts";
import { type InviteEvent, invite } from "../world.ts";
import { stuckOf } from "../store/looks.ts";
import { temporaryDirectory } from "../directory.ts";

export const START = Date.UTC(2026, 10, 22, 12, 1);
export const SECOND = 1_000;
export const MINUTE = 60_000;

/** One call to the vendor that writes contacts, in simulated time. */
export interface SeenCall {
  at: number;
  contacts: string[];
  /** Null when nothing was answered. */
  status: number | null;
  endedAt: number | null;
}

export interface StageOptions {
  tier?: Tier;
  /** The vendor's own count: none unless given, as `100/10s`. */
  vendorLimit?: string;
  retryEveryMs?: number;
  /** How long our side waits for an answer: in real time, for which simulated time then waits. Else 30 s simulated. */
  timeoutMs?: number;
}

/** A process that delivers, as `serve` does. */
export interface Process {
  store: Store;
  stop(): Promise<void>;
}

export interface Stage {
  clock: Clock;
  calls: SeenCall[];
  /** What deliveries could not mend by themselves. */
  problems: AppError[];
  /** `through`: what its delivery asks of the store goes this way. */
  start(through?: (store: Store) => Store): Promise<Process>;
  /** A contact for each address, with a finished test each. */
  complete(...emails: string[]): Promise<void>;
  take(...events: InviteEvent[]): Promise<void>;
  portal: EmulatedHubspot;
  fault(fault: Fault): Promise<void>;
  clearFaults(): Promise<void>;
  /** Our properties of every contact, by e-mail. */
  contacts(): Promise<Map<string, Record<string, string>>>;
  counts(): Promise<PushCounts & { stuck: number }>;
  connection(): Promise<Connection>;
  resync(): Promise<void>;
  /** Calls the portal's API as its own admin would. */
  ask(method: string, path: string, body: object): Promise<unknown>;
  /** Lets time pass until it is true; fails when it is not after so long, in simulated time. */
  until(what: string, look: () => boolean | Promise<boolean>, withinMs?: number): Promise<void>;
  pass(ms: number): Promise<void>;
  /** Lets time pass until the work is done. */
  through<Result>(work: Promise<Result>): Promise<Result>;
}

const Tokens = v.object({ access_token: v.string() });
const Batch = v.object({ inputs: v.array(v.object({ id: v.string() })) });

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { tier = "free", vendorLimit = "none", retryEveryMs = 5 * MINUTE, timeoutMs } = options;
  const time = createTime({ isPatient: timeoutMs === undefined });
  const { clock } = time;
  const emulator = await startEmulator({
    port: 0,
    autoApprove: true,
    hubspotLimit: vendorLimit,
    clock: time.vendorClock,
  });
  const http = createHttp({ caFile: null, proxy: null });
  const calls: SeenCall[] = [];
  const problems: AppError[] = [];
  const hubspot = createHubspot(
    {
      apiBase: emulator.hubspot,
      authorizeUrl: `${emulator.hubspot}/oauth/authorize`,
      apiVersion: "v3",
      clientId: "app-1",
      pkce: false,
      redirectPort: 8976,
      resultBase: "https://jobcannon.io",
      tier,
    },
    watched(http, { time, calls, timeoutMs }),
    clock,
  );
  const stateDir = temporaryDirectory();
  const store = await openSqliteStore({ stateDir, clock });
  const running = new Set<Process>();
  onTestFinished(async () => {
    await time.through(Promise.all([...running].map((each) => each.stop())));
    await store.close();
    await http.close();
    await emulator.close();
  });
  const { hubspot: portal } = emulated(emulator);
  // Simulated hours outlive a token's 30 minutes, which are no matter of these tests.
  await portal.settings({ accessTokenSeconds: 86_400 * 30 });
  const token = await consent(hubspot);

  const timeZone = "America/New_York";
  const account = { id: "4711", name: "Acme", kind: null, region: null, timeZone };
  const { id: connectionId } = await store.saveConnection(HUBSPOT, { state: "connected", account });
  const connection = async () => {
    const found = (await store.connections()).find(({ id }) => id === connectionId);
    if (!found) throw new Error("the connection is gone");
    return found;
  };
  const accessOf = (own: Store, signal: AbortSignal): Access => {
    setMaxListeners(0, signal);
    const window = windowFor(hubspot, { account });
    const slots = window && createSlots({ store: own, clock }, window);
    return {
      signal,
      timeZone,
      token: async () => secret(token),
      slot: () => countedCall(slots, signal),
      heed: async (told) => await slots?.heed(told),
    };
  };
  const stage: Stage = {
    clock,
    calls,
    problems,
    start: async (through = (store) => store) => {
      const own = await openSqliteStore({ stateDir, clock });
      const ending = new AbortController();
      const deliverNow = async (_id: number, stop: AbortSignal) =>
        await deliver(
          {
            store: through(own),
            clock,
            destination: hubspot,
            access: accessOf(own, ending.signal),
            random: () => 0,
            retryEveryMs,
            insists: false,
            stop,
            onProblem: (problem) => problems.push(problem),
          },
          await connection(),
        );
      const trouble = troubleOf(own, { clock, log: SILENT });
      const scheduler = runScheduler(
        {
          store: own,
          clock,
          random: () => 0.5,
          log: SILENT,
          trouble,
          jobs: [],
          isLeftToOthers: async () => false,
          deliver: deliverNow,
        },
        ending.signal,
      );
      const process: Process = {
        store: own,
        stop: async () => {
          if (!running.delete(process)) return;
          ending.abort(new Error("the process ends"));
          await scheduler;
          await own.close();
        },
      };
      running.add(process);
      return process;
    },
    take: async (...events) => {
      // Whoever receives an event sees it at once; another process looks in real time, which does not pass here.
      const [receiver = { store }] = running;
      await receiver.store.append(
        events.map((event) => {
          const body = Buffer.from(JSON.stringify(event));
          return jobcannon.parse(body, { eventId: jobcannon.idOfBody(body), receivedAt: clock.now() });
        }),
      );
    },
    complete: (...emails) => stage.take(...emails.map((email) => invite({ email }))),
    portal,
    fault: portal.fault,
    clearFaults: portal.clearFaults,
    contacts: async () =>
      new Map((await portal.wholeContacts()).map(({ email, properties }) => [email, properties])),
    counts: async () => {
      const { connections } = await store.overview(HUBSPOT.org, clock.now());
      const [only] = connections;
      if (!only) throw new Error("there is no connection");
      return { ...only.pushes, stuck: stuckInAll(await stuckOf(store, connectionId, clock.now())) };
    },
    connection,
    resync: async () => {
      const access = accessOf(store, new AbortController().signal);
      const context = { store, clock, destination: hubspot, access };
      await resync(context, await connection(), await hubspot.planFields(access));
    },
    ask: async (method, path, body) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const answer = await fetch(emulator.hubspot + path, { method, headers, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(await answer.text());
      return await answer.json();
    },
    until: time.until,
    pass: time.pass,
    through: time.through,
  };
  await time.through(stage.resync());
  calls.length = 0;
  return stage;
}

/** Contacts by number, whose addresses no other one's is a part of. */
export function people(n: number, from = 0): string[] {
  return Array.from({ length: n }, (_, index) => `p${String(from + index).padStart(5, "0")}@example.org`);
}

/** The most calls that were sent within one window of that length. */
export function mostWithin(windowMs: number, calls: readonly SeenCall[]): number {
  return Math.max(
    0,
    ...calls.map(({ at: from }) => calls.filter(({ at }) => at >= from && at < from + windowMs).length),
  );
}

/** The most calls that were under way at once. */
export function mostAtOnce(calls: readonly SeenCall[]): number {
  const isUnderWay = ({ at, endedAt }: SeenCall, when: number) =>
    at <= when && (endedAt ?? Number.POSITIVE_INFINITY) > when;
  return Math.max(0, ...calls.map(({ at }) => calls.filter((call) => isUnderWay(call, at)).length));
}

const PATIENCE_MS = 30 * SECOND;
/** In real time, in which a busy machine may take a minute for a simulated hour: a call ends by simulated time alone. */
const FOREVER_MS = 60 * MINUTE;

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface Time {
  clock: Clock;
  /** The same time, for a vendor: a call that sleeps there is not on its way. */
  vendorClock: Clock;
  onItsWay<Result>(call: Promise<Result>): Promise<Result>;
  until: Stage["until"];
  pass: Stage["pass"];
  through: Stage["through"];
}

/** `isPatient`: a call may take as long as the vendor sleeps. */
function createTime({ isPatient }: { isPatient: boolean }): Time {
  const fake = fakeClock(START);
  const wakes = new Set<{ at: number }>();
  let [calls, answersAsleep] = [0, 0];
  const clock: Clock = {
    now: fake.now,
    monotonic: fake.monotonic,
    sleep: async (ms, signal) => {
      const wake = { at: fake.now() + ms };
      wakes.add(wake);
      await fake.sleep(ms, signal).finally(() => wakes.delete(wake));
    },
  };
  const vendorClock: Clock = {
    now: fake.now,
    monotonic: fake.monotonic,
    sleep: async (ms, signal) => {
      answersAsleep += 1;
      if (signal) setMaxListeners(0, signal);
      await clock.sleep(ms, signal).finally(() => {
        answersAsleep -= 1;
      });
    },
  };
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  /** Until all that runs waits for time to pass. */
  const settle = async () => {
    do {
      for (let turns = 0; turns < 4; turns += 1) await turn();
    } while (calls > (isPatient ? answersAsleep : 0));
  };
  /** Moves to the next sleeper, but not beyond `limit`; false when that is reached, or nobody sleeps. */
  const step = async (limit: number): Promise<boolean> => {
    await settle();
    const next = Math.min(limit, ...[...wakes].map(({ at }) => at));
    if (next === Number.POSITIVE_INFINITY || fake.now() >= limit) return false;
    await fake.advance(Math.max(0, next - fake.now()));
    return true;
  };
  return {
    clock,
    vendorClock,
    onItsWay: async (call) => {
      calls += 1;
      return await call.finally(() => {
        calls -= 1;
      });
    },
    until: async (what, look, withinMs = 60 * MINUTE) => {
      const deadline = fake.now() + withinMs;
      while (!(await look()))
        if (!(await step(deadline))) throw new Error(`${what}: not within ${withinMs} ms`);
    },
    pass: async (ms) => {
      const deadline = fake.now() + ms;
      while (await step(deadline));
    },
    through: async (work) => {
      const done = work.then(
        () => true,
        () => true,
      );
      while (!(await Promise.race([done, turn().then(() => false)]))) await step(Number.POSITIVE_INFINITY);
      return await work;
    },
  };
}

/** Notes each call that writes contacts, with when it was sent and how it was answered. */
function watched(
  http: Http,
  { time, calls, timeoutMs }: { time: Time; calls: SeenCall[]; timeoutMs: number | undefined },
): Http {
  return {
    close: () => http.close(),
    request: async (call) => {
      const batch = v.safeParse(Batch, call.json);
      const contacts = batch.success ? batch.output.inputs.map(({ id }) => id) : [];
      const seen: SeenCall = { at: time.clock.now(), contacts, status: null, endedAt: null };
      if (batch.success) calls.push(seen);
      const [timeout, done] = [new AbortController(), new AbortController()];
      const giveUp = () => timeout.abort(new AppError("VENDOR_UNAVAILABLE", "the vendor did not answer"));
      if (timeoutMs === undefined) time.clock.sleep(PATIENCE_MS, done.signal).then(giveUp, () => {});
      const signal = AbortSignal.any([timeout.signal, ...(call.signal ? [call.signal] : [])]);
      try {
        const answer = await time.onItsWay(
          http.request(
            timeoutMs === undefined ? { ...call, signal, timeoutMs: FOREVER_MS } : { ...call, timeoutMs },
          ),
        );
        seen.status = answer.status;
        return answer;
      } finally {
        done.abort();
        seen.endedAt = time.clock.now();
      }
    },
  };
}

/** Goes through the consent page, which approves by itself, and exchanges the code. */
async function consent({ authorization }: Destination): Promise<string> {
  const { authorizeUrl, tokenUrl, clientId, scopes, redirectPort, redirectPath } = authorization;
  const redirectUri = `http://localhost:${redirectPort}${redirectPath}`;
  const query = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: scopes.join(" "),
  });
  const page = await fetch(`${authorizeUrl}?${query}`, { redirect: "manual" });
  const code = new URL(page.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const form = { grant_type: "authorization_code", code, redirect_uri: redirectUri, client_id: clientId };
  const answer = await fetch(tokenUrl, {
    method: "POST",
    body: new URLSearchParams({ ...form, client_secret: "any" }),
  });
  return v.parse(Tokens, await answer.json()).access_token;
}
