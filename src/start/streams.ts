import type { Lost } from "../shared/io.ts";

/** As much as may wait for a reader that is slow: a log must never become the process's memory. */
const MOST_WAITING_CHARACTERS = 1024 * 1024;

export interface Lossy {
  write(text: string): void;
  lost(): Lost;
}

/**
 * Writes to a stream; what cannot be written is dropped and counted. A reader that left, a full disk or a journal that was
 * stopped fail each write alone: Node keeps the streams of a process usable, so that writes arrive again once they can.
 */
export function lossy(stream: NodeJS.WritableStream & { writableLength: number }): Lossy {
  const lost: Lost = { lines: 0, isOver: true };
  const count = (error?: Error | null) => {
    lost.isOver = !error;
    if (error) lost.lines += 1;
  };
  stream.on("error", () => {});
  return {
    write: (text) => {
      if (stream.writableLength > MOST_WAITING_CHARACTERS) count(new Error("its reader is too slow"));
      else stream.write(text, count);
    },
    lost: () => ({ ...lost }),
  };
}

/** Why results cannot be written; null for a reader that had enough (`… | head`), which is no error of ours. */
export function outputTrouble(error: Error): string | null {
  const code = "code" in error ? String(error.code) : "";
  if (code === "EPIPE") return null;
  return `the output cannot be written: ${code === "ENOSPC" ? "the disk is full" : code || error.message}`;
}
