import { type ConnectionName, connectionName } from "../../core/connection.ts";
import { nextTry } from "../../core/delivery/retry.ts";
import type { Finding } from "../../core/event.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { Question, QuestionPage, Store } from "../../store/contract/store.ts";
import type { Access } from "../../vendors/contract/access.ts";
import type { LookUp } from "../../vendors/contract/look-up.ts";
import { EventRefused } from "../../vendors/contract/source.ts";
import { markMustReconnect } from "../account/must-reconnect.ts";
import type { KeyedApi } from "../account/key-access.ts";
import type { AccountContext } from "../account/context.ts";
import { candidateName, namesOf } from "../../core/erasure.ts";
import type { Vault } from "../../vault/contract.ts";
import { createMarking } from "../erasure/marks.ts";
import { readFound } from "./read-event.ts";

/**
 * Events that only name what happened are stored and acknowledged first. Here their vendor is asked, with the org's own
 * connection or key, and the answer is folded. An account that cannot be asked now keeps its questions and holds up no other.
 */
const PAGE = 500;

export interface LookUpContext extends AccountContext {
  vault(): Promise<Vault>;
  /** Null for a vendor that answers no questions. */
  lookUp(of: ConnectionName): Promise<LookUp | null>;
  keyAccess(
    of: ConnectionName,
    api: KeyedApi,
    options: { store: Store; signal: AbortSignal },
  ): Promise<Access>;
}

export interface LookUpOptions {
  /** All of it, also what was put off: somebody wants to know now. Else a run ends after a while, for who came meanwhile. */
  insists: boolean;
  signal: AbortSignal;
}

export interface LookedUp {
  answered: number;
  failed: string[];
  /** The time was over before all was asked. */
  isLeft: boolean;
  /** Is anything still to be asked, then or later? */
  isAnyOpen: boolean;
}

const LONGEST_RUN_MS = 30_000;
/** Where nobody knows the vendor's window. */
const REST_MS = 10_000;

interface Run extends LookUpContext {
  marking: ReturnType<typeof createMarking>;
  store: Store;
  outcome: LookedUp;
  /** Nothing more is begun from then on, ms. */
  endsAt: number;
  signal: AbortSignal;
  /** What may be asked now. */
  due(): Pick<QuestionPage, "dueBy">;
}

/** Asks all that is due, each account by itself. */
export async function answerQuestions(
  context: LookUpContext,
  store: Store,
  { insists, signal }: LookUpOptions,
): Promise<LookedUp> {
  const { clock } = context;
  const outcome: LookedUp = { answered: 0, failed: [], isLeft: false, isAnyOpen: false };
  const endsAt = insists ? Number.POSITIVE_INFINITY : clock.now() + LONGEST_RUN_MS;
  const due = () => (insists ? {} : { dueBy: clock.now() });
  const marking = createMarking(context.vault);
  const run: Run = { ...context, marking, store, outcome, endsAt, signal, due };
  const accounts = new Map<string, Promise<void>>();
  for await (const { org, vendor, environment } of pagesOf(store, due())) {
    const account = { org, vendor, environment };
    const name = connectionName(account);
    if (!accounts.has(name)) accounts.set(name, answerAccount(run, account));
  }
  await allOf(accounts.values());
  const [open] = await store.questions({ after: 0, limit: 1 });
  outcome.isAnyOpen = open !== undefined;
  return outcome;
}

async function answerAccount(run: Run, account: ConnectionName): Promise<void> {
  const { clock, endsAt, signal, outcome } = run;
  const opened = await open(run, account);
  if (opened === null) return;
  const restMs = opened.lookUp.rateLimit?.windowMs ?? REST_MS;
  while ((await answerDue(run, opened)) === "asks for rest") {
    if (clock.now() + restMs >= endsAt) {
      outcome.isLeft = true;
      return;
    }
    await clock.sleep(restMs, signal);
  }
}

/** How asking ended: with nothing left to ask, or because the account cannot be asked on now. */
type Ended = "done" | "stopped" | "asks for rest";

async function answerDue(run: Run, opened: Opened): Promise<Ended> {
  const questions = pagesOf(run.store, { of: opened.account, ...run.due() });
  let ended: Ended = "done";
  const work = async () => {
    // Whoever stops stops all, since they take from one list.
    for await (const question of questions) {
      run.signal.throwIfAborted();
      if (run.clock.now() >= run.endsAt) {
        run.outcome.isLeft = true;
        ended = "stopped";
        return;
      }
      const next = await answer(run, opened, question);
      if (next === "next") continue;
      ended = next;
      return;
    }
  };
  await allOf(Array.from({ length: opened.lookUp.atOnce }, work));
  return ended;
}

/** Waits for all, and only then throws what one threw. */
async function allOf(works: Iterable<Promise<void>>): Promise<void> {
  for (const each of await Promise.allSettled(works)) if (each.status === "rejected") throw each.reason;
}

interface Opened {
  account: ConnectionName;
  lookUp: LookUp;
  access: Access;
}

/** Null while the account's questions are held: its connection brings them back. */
async function open(context: Run, account: ConnectionName): Promise<Opened | null> {
  const { store, signal } = context;
  const lookUp = await context.lookUp(account);
  if (lookUp === null) throw new Error(`nobody can ask ${account.vendor}`);
  const connection = await store.connection(account);
  if (connection?.state === "connected" && connection.isConfirmed)
    return { account, lookUp, access: await context.access(connection, { store, signal }) };
  const { apiKeyName } = lookUp;
  if (apiKeyName === undefined) return null;
  return {
    account,
    lookUp,
    access: await context.keyAccess(account, { ...lookUp, apiKeyName }, { store, signal }),
  };
}

/** `next`: what became of it says nothing about the next. */
async function answer(run: Run, opened: Opened, question: Question): Promise<"next" | Ended> {
  const { store, clock, outcome } = run;
  try {
    const finding = await found(opened, question, run);
    await store.settleQuestion(question.seq, finding, clock.now());
    outcome.answered += 1;
    return "next";
  } catch (error) {
    if (!isAppError(error) && !(error instanceof EventRefused)) throw error;
    return await putOff(run, { opened, question, error });
  }
}

async function found(
  { lookUp, access, account }: Opened,
  question: Question,
  { clock, marking }: Run,
): Promise<Finding> {
  const finding = await lookUp.ask(access, question);
  if (finding.kind === "application") {
    const { candidateId } = finding.application;
    const marks = await marking.marksOf([candidateName(account.org, account.vendor, candidateId)]);
    return { ...finding, marks };
  }
  if (finding.kind !== "snapshot") return finding;
  const snapshot = readFound(finding.snapshot, { ...account, now: clock.now() });
  // Whom it is about shows only now: one who was erased is not taken in.
  return { ...finding, snapshot, marks: await marking.marksOf(namesOf(snapshot)) };
}

/** What keeps the account from being asked, and says nothing about the question. */
const OF_ACCOUNT: readonly AppError["code"][] = ["RECONNECT_NEEDED", "CONFIG_INVALID", "VAULT_UNAVAILABLE"];
/** What says nothing about the next question. */
const OF_QUESTION: readonly AppError["code"][] = ["VENDOR_REJECTED", "VENDOR_UNEXPECTED"];

async function putOff(
  { store, clock, config, outcome }: Run,
  { opened, question, error }: { opened: Opened; question: Question; error: AppError | EventRefused },
): Promise<"next" | Ended> {
  const now = clock.now();
  const isAccounts = isAppError(error) && OF_ACCOUNT.includes(error.code);
  if (isAppError(error, "STORE_UNAVAILABLE")) throw error;
  if (isAppError(error, "RECONNECT_NEEDED")) {
    const connection = await store.connection(opened.account);
    if (connection?.state === "connected") await markMustReconnect(store, connection, error);
  }
  const dueAt = isAccounts
    ? now
    : nextTry({
        tries: question.tries + 1,
        now,
        notBefore: null,
        random: Math.random,
        retryEveryMs: config["schedule.retry_every"],
      });
  const hint = isAccounts && error.hint ? `. Run: ${error.hint}` : "";
  const reason = `${opened.lookUp.label}: ${error.message}${hint}`;
  await store.settleQuestion(question.seq, { kind: "later", dueAt, isCounted: !isAccounts, reason }, now);
  outcome.failed.push(error.message);
  if (error instanceof EventRefused || OF_QUESTION.includes(error.code)) return "next";
  return error.code === "VENDOR_RATE_LIMITED" ? "asks for rest" : "stopped";
}

async function* pagesOf(store: Store, query: Pick<QuestionPage, "of" | "dueBy">): AsyncGenerator<Question> {
  let after = 0;
  for (;;) {
    const page = await store.questions({ ...query, after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.seq;
  }
}
