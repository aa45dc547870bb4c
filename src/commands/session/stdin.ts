import { addAbortSignal, Readable } from "node:stream";
import type { World } from "../../shared/world.ts";

/** What comes on stdin. Throws the signal's reason as soon as it aborts: a terminal may bring nothing for ever. */
export async function* stdinOf({ io, signal }: World): AsyncGenerator<Buffer | string> {
  const { stdin } = io;
  if (stdin instanceof Readable) addAbortSignal(signal, stdin);
  try {
    yield* stdin;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
