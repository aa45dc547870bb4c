import type { Connection } from "../../core/connection.ts";
import { isAppError } from "../../shared/errors.ts";
import type { Question, Store } from "../../store/contract/store.ts";
import type { Vendors } from "../account/vendors.ts";
import { atsOf } from "../ats/ats.ts";
import { markMustReconnect } from "../account/must-reconnect.ts";

/** What a webhook left to be asked of its vendor, long after it was answered. */
const PAGE = 500;

/** Asks which test each result belongs to, and gives it to the invite. One that cannot be asked now waits. */
export async function answerQuestions(
  vendors: Vendors,
  store: Store,
  signal: AbortSignal,
): Promise<{ answered: number; failed: string[] }> {
  const outcome = { answered: 0, failed: [] as string[] };
  const connections = await store.connections();
  const silent = new Set<Connection>();
  // All of them: those that nobody can answer now must not stand before the others.
  for await (const question of pagesOf(store)) {
    signal.throwIfAborted();
    const connection = connections.find((each) => isAskedOf(question, each));
    if (connection?.state !== "connected" || silent.has(connection)) continue;
    try {
      const test = await ask(vendors, store, { question, connection, signal });
      await store.nameTest(question.seq, test, vendors.clock.now());
      outcome.answered += 1;
    } catch (error) {
      if (!isAppError(error)) throw error;
      if (error.code === "RECONNECT_NEEDED") await markMustReconnect(store, connection, error);
      // A no to one question says nothing about the next.
      if (error.code !== "VENDOR_REJECTED" && error.code !== "VENDOR_UNEXPECTED") silent.add(connection);
      outcome.failed.push(error.message);
    }
  }
  return outcome;
}

async function* pagesOf(store: Store): AsyncGenerator<Question> {
  let after = 0;
  for (;;) {
    const page = await store.questions({ after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.seq;
  }
}

async function ask(
  vendors: Vendors,
  store: Store,
  { question, connection, signal }: { question: Question; connection: Connection; signal: AbortSignal },
): Promise<string | null> {
  const [destination, access] = await Promise.all([
    vendors.destination(connection),
    vendors.access(connection, { store, signal }),
  ]);
  return await atsOf(destination).testOf(access, question);
}

function isAskedOf(question: Question, { org, vendor, environment }: Connection): boolean {
  return org === question.org && vendor === question.vendor && environment === question.environment;
}
