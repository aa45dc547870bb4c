import { LONGEST_EMAIL } from "../../core/event.ts";
import { AppError } from "../../shared/errors.ts";
import { stdinOf } from "./stdin.ts";
import type { Session } from "./with-app.ts";

/** Said by every `--email`: what stands in a command line, others on the machine may read. */
export const EMAIL_OPTION = "--email <address>";
export const EMAIL_WORDS = "(- reads the address from stdin)";

/** For commands that take it as their argument. */
export const ADDRESS_NOTE = `What stands in a command line, others on this machine may read (ps): with - the
address is read from stdin.`;

const LONGEST_LINE = 1_000;

/** The address that was meant; `-` reads it from stdin. Throws `USAGE` where that holds none, or more than one line. */
export async function emailFrom({ world }: Session, given: string | undefined): Promise<string | undefined> {
  if (given !== "-") return given;
  let text = "";
  for await (const chunk of stdinOf(world)) {
    text += chunk.toString();
    // Who types has said it with Enter; what is piped in may go on.
    if (text.length > LONGEST_LINE || (world.io.stdinIsTerminal && text.includes("\n"))) break;
  }
  const address = text.trim();
  if (/[\r\n]/.test(address))
    throw new AppError("USAGE", "stdin holds more than one line", {
      hint: "Give one address, and run it once for each.",
    });
  if (address !== "" && text.length <= LONGEST_LINE) return address;
  throw new AppError("USAGE", "stdin holds no address", {
    hint: "Pipe one line in, or type it and press Enter.",
  });
}

/** The same for an argument. Throws `USAGE` for a blank one. */
export async function addressFrom(session: Session, given: string): Promise<string> {
  const address = (await emailFrom(session, given))?.trim() ?? "";
  if (address !== "") return address;
  throw new AppError("USAGE", "the address is blank", { hint: "Type it, or - to read it from stdin." });
}

/** Asked where nothing is held under it: what came as an address is taken as it is. Throws `USAGE`. */
export function refuseNoAddress(address: string): void {
  if (address.includes("@") && address.length <= LONGEST_EMAIL) return;
  const why = address.includes("@") ? `it is longer than ${LONGEST_EMAIL} characters` : "it has no @";
  throw new AppError("USAGE", `that is no address: ${why}, and nothing is held under it`, {
    hint: "Type the whole address. Nothing was changed.",
  });
}
