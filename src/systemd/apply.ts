import { randomBytes } from "node:crypto";
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { AppError } from "../shared/errors.ts";
import type { ServicePlan, Step } from "./plan.ts";
import { type Runner, runOrThrow } from "./runner.ts";

/** Throws `CONFIG_INVALID` at the step that fails; those before it stay done, and the next plan leaves them out. */
export async function apply(runner: Runner, { steps }: ServicePlan): Promise<void> {
  for (const step of steps) {
    if (step.does === "run") await runOrThrow(runner, step.command);
    else change(step);
  }
}

function change(step: Exclude<Step, { does: "run" }>): void {
  try {
    if (step.does === "remove") rmSync(step.path);
    else if (step.does === "make-directory") makeDirectory(step.path, step.mode);
    else if (step.does === "write-key") place(step, randomBytes(step.randomBytes), false);
    else place(step, step.content, step.isChange);
  } catch (cause) {
    throw new AppError("CONFIG_INVALID", `${step.path} cannot be changed`, {
      hint: "Check who may write there, then run this again: it goes on where it stopped.",
      cause,
    });
  }
}

/** Its mode is as planned, whatever the operator's umask says. */
function makeDirectory(path: string, mode: number): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, mode);
}

/** Appears whole or not at all; what is there meanwhile is replaced only when that was the plan. */
function place({ path, mode }: { path: string; mode: number }, content: string | Buffer, replaces: boolean) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    writeFileSync(draft, content, { mode: 0o600, flag: "wx", flush: true });
    chmodSync(draft, mode);
    if (replaces) renameSync(draft, path);
    else linkSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}
