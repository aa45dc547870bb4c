import { certificateTrouble } from "../../core/advice/certificate.ts";
import { type AppError, isAppError } from "../../shared/errors.ts";
import type { TlsFiles } from "../../shared/tls-files.ts";
import type { RunningService } from "../watch/services.ts";

/** Why senders are shown no good certificate, or will not be once `serve` starts anew. */
export interface TlsTrouble {
  message: string;
  hint: string | null;
}

/**
 * A running service says what it thinks of the files, which nobody else may be able to read; without one they are read
 * here. `tlsFiles` throws where half of a pair is set. Null where all is well, or no TLS is spoken.
 */
export async function tlsTrouble(
  tlsFiles: () => TlsFiles | null,
  { running, now }: { running: readonly RunningService[]; now: number },
): Promise<TlsTrouble | null> {
  const [told] = running.flatMap(({ tls }) => (tls ? [tls] : []));
  if (told) {
    const ended = endedWords({ names: told.names, endsAt: Date.parse(told.endsAt) }, now);
    return told.problem === null
      ? ended
      : { message: `the new certificate is not taken: ${told.problem}`, hint: null };
  }
  try {
    const files = tlsFiles();
    if (files === null) return null;
    const { readTlsPair } = await import("../../shared/tls-pair.ts");
    return endedWords(readTlsPair(files), now);
  } catch (error) {
    if (!isAppError(error)) throw error;
    return asTrouble(error);
  }
}

function asTrouble({ message, hint }: AppError): TlsTrouble {
  return { message, hint: hint ?? null };
}

function endedWords(certificate: { names: string; endsAt: number }, now: number): TlsTrouble | null {
  const trouble = certificateTrouble(certificate, now);
  return trouble?.kind === "ended" ? { message: trouble.words, hint: null } : null;
}
