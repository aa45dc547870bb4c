import type { Clock } from "../../shared/clock.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";

/** Steps that build on each other, each told to a watcher as it goes. What they made is removed at the end, however it ends. */
export interface Step {
  id: string;
  title: string;
  /** Throws what an operator can act on, which fails the step. `note` tells what it waits for. */
  run(note: (text: string) => void): Promise<Outcome>;
}

export type Outcome =
  | { status: "passed"; evidence: string }
  | { status: "failed"; evidence?: string; cause: string; fix: string | null }
  /** Those after it run all the same. */
  | { status: "skipped"; evidence: string }
  /** A person did not do their part in time. */
  | { status: "waiting"; evidence: string; fix: string };

export interface StepResult {
  id: string;
  title: string;
  status: Outcome["status"];
  ms: number;
  evidence: string | null;
  cause: string | null;
  /** What to do, a line for each thing. */
  fix: string | null;
}

export interface Watcher {
  begin(step: Pick<Step, "id" | "title">): void;
  note(text: string): void;
  end(result: StepResult): void;
}

export interface ChecklistReport {
  passed: boolean;
  steps: StepResult[];
}

export interface Checklist {
  steps: readonly Step[];
  /** Runs after the last step, and after a failure or an interruption too. */
  cleanUp: Step;
  /** In whose words a step's error is told; null for the error's own. */
  explain(error: AppError): { cause: string; fix: string } | null;
  watcher: Watcher;
  signal: AbortSignal;
}

/**
 * Skips what comes after a failure. Rethrows, after cleaning up, what is no step's failure: a `USAGE` error and a bug.
 * Interrupted it does not throw: the steps tell how far it came.
 */
export async function runChecklist(
  { clock }: { clock: Clock },
  checklist: Checklist,
): Promise<ChecklistReport> {
  const { steps, cleanUp, watcher, signal } = checklist;
  const results: StepResult[] = [];
  const finish = (result: StepResult) => {
    results.push(result);
    watcher.end(result);
  };
  const cleaned = () => runStep({ clock }, cleanUp, { ...checklist, signal: null });
  try {
    for (const step of steps) {
      const obstacle = signal.aborted ? "interrupted" : obstacleIn(results);
      if (obstacle === null) finish(await runStep({ clock }, step, checklist));
      else finish(resultOf(step, { status: "skipped", evidence: obstacle }, 0));
    }
  } catch (error) {
    const result = await cleaned();
    if (result.status !== "skipped") finish(result);
    throw error;
  }
  finish(await cleaned());
  const isGood = ({ status }: StepResult) => status === "passed" || status === "skipped";
  return { passed: results.every(isGood) && !signal.aborted, steps: results };
}

async function runStep(
  { clock }: { clock: Clock },
  step: Step,
  {
    explain,
    watcher,
    signal,
    // Null: it runs to its end.
  }: Pick<Checklist, "explain" | "watcher"> & { signal: AbortSignal | null },
): Promise<StepResult> {
  const startedAt = clock.now();
  const done = (outcome: Outcome) => resultOf(step, outcome, clock.now() - startedAt);
  watcher.begin(step);
  try {
    return done(await step.run((text) => watcher.note(text)));
  } catch (error) {
    if (signal?.aborted) return done({ status: "skipped", evidence: "interrupted" });
    if (!isAppError(error) || error.code === "USAGE") throw error;
    const told = explain(error);
    const evidence = told ? { evidence: error.message } : {};
    const { cause, fix } = told ?? { cause: error.message, fix: error.hint ?? null };
    return done({ status: "failed", ...evidence, cause, fix });
  }
}

function obstacleIn(results: readonly StepResult[]): string | null {
  return results.some(({ status }) => status === "failed" || status === "waiting") ? "not reached" : null;
}

function resultOf({ id, title }: Pick<Step, "id" | "title">, outcome: Outcome, ms: number): StepResult {
  const { status, evidence = null } = outcome;
  const cause = status === "failed" ? outcome.cause : null;
  const fix = status === "failed" || status === "waiting" ? outcome.fix : null;
  return { id, title, status, ms, evidence, cause, fix };
}

/**
 * Looks again and again until `look` finds something; null when the time is over. `note` hears how much is left.
 * Throws the signal's reason.
 */
export async function lookUntil<T>(
  { clock, signal }: { clock: Clock; signal: AbortSignal },
  {
    withinMs,
    everyMs,
    look,
    note,
  }: {
    withinMs: number;
    everyMs: number;
    look: () => Promise<T | null>;
    note?: (timeLeft: string) => void;
  },
): Promise<T | null> {
  const endsAt = clock.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    const leftMs = endsAt - clock.now();
    if (leftMs <= 0) return null;
    note?.(minutes(leftMs));
    await clock.sleep(Math.min(everyMs, leftMs), signal);
  }
}

/** "9:05" */
function minutes(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** A fix of several sentences, one to a line. */
export function fixOf(...sentences: readonly string[]): string {
  return sentences.join("\n");
}

/** What an earlier step found: without it the later ones are not reached. */
export function foundBefore<T>(found: T | undefined): T {
  if (found === undefined) throw new Error("a step ran before the one that it builds on");
  return found;
}
