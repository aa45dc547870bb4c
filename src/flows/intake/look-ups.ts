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
import type { Vendors } from "../account/vendors.ts";
import { readFound } from "./read-event.ts";

/**
 * Events that only name what happened are stored and acknowledged first. Here their vendor is asked, with the org's own
 * connection or key, and the answer is folded. An account that cannot be asked now keeps its questions and holds up no other.
 */
const PAGE = 500;

export interface LookUpContext extends Vendors {
  /** Null for a vendor that answers no questions. */
  lookUp(of: ConnectionName): Promise<LookUp | null>;
  keyAccess(
    of: ConnectionName,
    api: KeyedApi,
    options: { store: Store; signal: AbortSignal },
  ): Promise<Access>;
}

export interface LookUpOptions {
  /** Also what was put off: somebody wants to know now. */
  insists: boolean;
  signal: AbortSignal;
}

interface Outcome {
  answered: number;
  failed: string[];
}

/** Asks all that is due, each account by itself. */
export async function answerQuestions(
  context: LookUpContext,
  store: Store,
  options: LookUpOptions,
): Promise<Outcome> {
  const outcome: Outcome = { answered: 0, failed: [] };
  const due = options.insists ? {} : { dueBy: context.clock.now() };
  const accounts = new Map<string, Promise<void>>();
  for await (const { org, vendor, environment } of pagesOf(store, due)) {
    const account = { org, vendor, environment };
    if (!accounts.has(connectionName(account)))
      accounts.set(
        connectionName(account),
        answerAccount({ ...context, store, outcome }, account, { ...options, ...due }),
      );
  }
  const ended = await Promise.allSettled(accounts.values());
  for (const each of ended) if (each.status === "rejected") throw each.reason;
  return outcome;
}

type AccountContext = LookUpContext & { store: Store; outcome: Outcome };

async function answerAccount(
  context: AccountContext,
  account: ConnectionName,
  { dueBy, signal }: Pick<QuestionPage, "dueBy"> & { signal: AbortSignal },
): Promise<void> {
  const opened = await open(context, account, signal);
  if (opened === null) return;
  const questions = pagesOf(context.store, { of: account, ...(dueBy === undefined ? {} : { dueBy }) });
  const work = async () => {
    // Whoever stops for an account that cannot be asked stops all, since they take from one list.
    for await (const question of questions) {
      signal.throwIfAborted();
      if (!(await answer(context, opened, question))) return;
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: opened.lookUp.atOnce }, work));
  for (const each of ended) if (each.status === "rejected") throw each.reason;
}

interface Opened {
  account: ConnectionName;
  lookUp: LookUp;
  access: Access;
}

/** Null while the account's questions are held: its connection brings them back. */
async function open(
  context: AccountContext,
  account: ConnectionName,
  signal: AbortSignal,
): Promise<Opened | null> {
  const { store } = context;
  const lookUp = await context.lookUp(account);
  if (lookUp === null) throw new Error(`nobody can ask ${account.vendor}`);
  const connection = await store.connection(account);
  if (connection?.state === "connected")
    return { account, lookUp, access: await context.access(connection, { store, signal }) };
  const { apiKeyName } = lookUp;
  if (apiKeyName === undefined) return null;
  return {
    account,
    lookUp,
    access: await context.keyAccess(account, { ...lookUp, apiKeyName }, { store, signal }),
  };
}

/** False where the account cannot be asked anything now. */
async function answer(context: AccountContext, opened: Opened, question: Question): Promise<boolean> {
  const { store, clock, outcome } = context;
  try {
    const finding = await found(opened, question, clock.now());
    await store.settleQuestion(question.seq, finding, clock.now());
    outcome.answered += 1;
    return true;
  } catch (error) {
    if (!isAppError(error) && !(error instanceof EventRefused)) throw error;
    return await putOff(context, { opened, question, error });
  }
}

async function found({ lookUp, access, account }: Opened, question: Question, now: number): Promise<Finding> {
  const finding = await lookUp.ask(access, question);
  if (finding.kind !== "snapshot") return finding;
  return { ...finding, snapshot: readFound(finding.snapshot, { ...account, now }) };
}

/** What keeps the account from being asked, and says nothing about the question. */
const OF_ACCOUNT: readonly AppError["code"][] = ["RECONNECT_NEEDED", "CONFIG_INVALID", "VAULT_UNAVAILABLE"];
/** What says nothing about the next question. */
const OF_QUESTION: readonly AppError["code"][] = ["VENDOR_REJECTED", "VENDOR_UNEXPECTED"];

async function putOff(
  { store, clock, config, outcome }: AccountContext,
  { opened, question, error }: { opened: Opened; question: Question; error: AppError | EventRefused },
): Promise<boolean> {
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
  return error instanceof EventRefused || OF_QUESTION.includes(error.code);
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
