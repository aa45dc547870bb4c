import { createRequire } from "node:module";
import { dirname } from "node:path";
import { execPath, version } from "node:process";
import { AppError } from "./errors.ts";

export type NativePart = "better-sqlite3" | "keytar";

/**
 * A native part that was never built, since install scripts were skipped, or was built for another Node: with the one
 * command that builds it, whichever package manager installed it. Null for any other trouble.
 */
export function unfitNativePart(part: NativePart, error: unknown): AppError | null {
  const why = unfitness(error);
  const directory = why === null ? null : directoryOf(part);
  if (why === null || directory === null) return null;
  return new AppError("CONFIG_INVALID", `${part}, a native part of jc-integrations, ${why}`, {
    hint: `sudo env "PATH=${dirname(execPath)}:$PATH" npm --prefix '${directory}' run install`,
    cause: error,
  });
}

function unfitness(error: unknown): string | null {
  if (!(error instanceof Error && "code" in error)) return null;
  const { code, message } = error;
  if (code === "MODULE_NOT_FOUND" && /build\/Release\//.test(message))
    return "was not built when it was installed";
  if (code !== "ERR_DLOPEN_FAILED") return null;
  // To whoever tries a second time, Node says no more than that it registered nothing.
  if (/NODE_MODULE_VERSION|did not self-register/.test(message))
    return `was built for another Node than this one (${version})`;
  // Cut off, or of another machine's kind.
  return /invalid ELF header|file too short|wrong ELF class|slice is not valid|incompatible architecture/.test(
    message,
  )
    ? "is damaged, or was built for another kind of machine"
    : null;
}

function directoryOf(part: NativePart): string | null {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${part}/package.json`));
  } catch {
    return null;
  }
}
