import type { ServicePlan, Step } from "./plan.ts";

/** A plan for a person: each step, and for a dry run what the files will hold, else what comes `next`. */
export function planText(
  { steps, notes }: ServicePlan,
  { isDryRun, next = [] }: { isDryRun: boolean; next?: readonly string[] },
): string {
  const heading = isDryRun ? "Would do, in this order:" : "Done:";
  const lines = steps.flatMap((step) => [
    `  ${stepText(step)}`,
    ...(isDryRun && step.does === "write" ? indented(step.content) : []),
  ]);
  return [
    ...(steps.length === 0 ? ["Nothing to change: all is as it should be."] : [heading, ...lines]),
    ...notes.map((note) => `\nNote: ${note}`),
    ...(isDryRun || next.length === 0 ? [] : ["", ...next.map((line) => `→ ${line}`)]),
  ].join("\n");
}

export function planJson({ steps, notes }: ServicePlan): object {
  return {
    steps: steps.map((step) => ("mode" in step ? { ...step, mode: octal(step.mode) } : step)),
    notes,
  };
}

function stepText(step: Step): string {
  switch (step.does) {
    case "make-directory":
      return `create  ${step.path}/ (${octal(step.mode)})`;
    case "write":
      return `${step.isChange ? "change" : "create"}  ${step.path} (${octal(step.mode)})`;
    case "write-key":
      return `create  ${step.path} (${octal(step.mode)}, ${step.randomBytes} random bytes)`;
    case "remove":
      return `remove  ${step.path}`;
    case "run":
      return `run     ${step.command.join(" ")}`;
  }
}

function indented(text: string): string[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `            ${line}`.trimEnd());
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
