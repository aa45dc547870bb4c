/** A person's yes to what cannot be taken back. */
import { AppError } from "../../shared/errors.ts";
import type { Output, World } from "../../shared/world.ts";
import { tell } from "./told.ts";

type Asked = Pick<Output, "globals" | "world">;

/** Throws `USAGE` where nobody can be asked and `--yes` is missing, and `CANCELLED` for a no. `loss`: a sentence without its end. */
export async function agreed({ globals, world }: Asked, loss: string): Promise<void> {
  if (globals.yes) return;
  if (!canAsk({ globals, world })) {
    throw new AppError("USAGE", `${loss}: that needs a yes`, {
      hint: "If that is meant, run it again with --yes. Nothing was changed.",
    });
  }
  tell(world, `${loss}.`);
  if (!(await saysYes(world, "Go on?"))) throw new AppError("CANCELLED", "Cancelled. Nothing was changed");
}

export function canAsk({ globals, world }: Asked): boolean {
  return globals.input && world.io.stdinIsTerminal;
}

/** No is the answer of who only presses Enter, or Ctrl-C. */
export async function saysYes({ io, signal }: World, question: string): Promise<boolean> {
  const { confirm } = await import("@inquirer/prompts");
  const at = { input: io.stdin, output: io.stderr, signal };
  return await confirm({ message: question, default: false }, at).catch(() => false);
}
