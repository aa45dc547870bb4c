import { unbroken } from "../../core/advice/unbroken.ts";
import { widthOf, wrapped } from "../../shared/layout.ts";
import type { World } from "../../shared/world.ts";

/** Says to whoever is at the terminal what belongs to no result, whatever the format of those. */
export function tell({ io, env, redact }: World, text: string): void {
  io.err(`${redact(wrapped(text, widthOf(io, env, "err"), unbroken))}\n`);
}
