import { AppError } from "../../shared/errors.ts";
import type { Session } from "./with-app.ts";

/** Said by every `--email`: what stands in a command line, others on the machine may read. */
export const EMAIL_OPTION = "--email <address>";
export const EMAIL_WORDS = "(- reads the address from stdin)";

const LONGEST_LINE = 1_000;

/** The address that was meant; `-` takes the first line of stdin. Throws `USAGE` where that holds none. */
export async function emailFrom({ world }: Session, given: string | undefined): Promise<string | undefined> {
  if (given !== "-") return given;
  let text = "";
  for await (const chunk of world.io.stdin) {
    text += chunk.toString();
    if (text.includes("\n") || text.length > LONGEST_LINE) break;
  }
  const [line = ""] = text.split(/\r?\n/, 1);
  if (line.trim() !== "" && line.length <= LONGEST_LINE) return line.trim();
  throw new AppError("USAGE", "stdin holds no address", {
    hint: "Pipe one line in, or type it and press Enter.",
  });
}
