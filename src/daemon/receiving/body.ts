import type { IncomingMessage } from "node:http";
import { OWN_BYTES, type Room } from "./room.ts";

/** `no room`: others' bodies needed it more. `cut off`: there is nobody left to answer. */
export type Unread = "too large" | "no room" | "cut off";

/** A body in memory, in pieces; whoever is done with it calls `leave`. */
export interface Body {
  pieces: readonly Buffer[] | Unread;
  leave(): void;
}

export function readBody(
  request: IncomingMessage,
  { room, largestBytes }: { room: Room; largestBytes: number },
): Promise<Body> {
  return new Promise((resolve) => {
    const pieces = collectPieces();
    const end = (result: readonly Buffer[] | Unread) => {
      request.off("data", take).off("end", whole).off("error", cutOff).off("close", cutOff);
      if (typeof result === "string") place.leave();
      else place.whole();
      resolve({ pieces: result, leave: place.leave });
    };
    const place = room.enter(() => end("no room"));
    const take = (chunk: Buffer) => {
      if (pieces.size() + chunk.length > largestBytes) return end("too large");
      pieces.add(chunk);
      place.holds(pieces.held());
    };
    const whole = () => end(pieces.all());
    const cutOff = () => end("cut off");
    if (request.destroyed) cutOff();
    else request.on("data", take).on("end", whole).on("error", cutOff).on("close", cutOff);
  });
}

/** Pieces this small are put together: as they come each costs some hundred bytes more, and there may be one a byte. */
const SMALL_BYTES = 4 * 1024;

function collectPieces() {
  const pieces: Buffer[] = [];
  let tail: Buffer | null = null;
  let inTail = 0;
  let inPieces = 0;
  const add = (piece: Buffer) => {
    pieces.push(piece);
    inPieces += piece.length;
  };
  const endTail = () => {
    if (tail !== null && inTail > 0) add(Buffer.from(tail.subarray(0, inTail)));
    inTail = 0;
  };
  return {
    add: (chunk: Buffer) => {
      // Most bodies come in one.
      const isFirst = pieces.length === 0 && tail === null;
      if (isFirst || chunk.length >= SMALL_BYTES) {
        endTail();
        add(chunk);
        return;
      }
      tail ??= Buffer.allocUnsafeSlow(OWN_BYTES);
      if (inTail + chunk.length > tail.length) endTail();
      inTail += chunk.copy(tail, inTail);
    },
    /** Of the body so far. */
    size: () => inPieces + inTail,
    /** Of the memory that it takes. */
    held: () => inPieces + (tail?.length ?? 0),
    all: (): readonly Buffer[] => {
      endTail();
      return pieces;
    },
  };
}
