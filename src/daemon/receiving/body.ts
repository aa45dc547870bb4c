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
    // Most bodies come in one piece.
    let only: Buffer | null = null;
    let several: ReturnType<typeof collectPieces> | null = null;
    let isWhole = false;
    const end = (result: readonly Buffer[] | Unread) => {
      if (typeof result === "string") {
        request.off("data", take).off("end", whole).off("error", cutOff).off("close", cutOff);
        place.leave();
      } else place.whole();
      resolve({ pieces: result, leave: place.leave });
    };
    const place = room.enter(() => end("no room"));
    const take = (chunk: Buffer) => {
      const size = several ? several.size() : (only?.length ?? 0);
      if (size + chunk.length > largestBytes) return end("too large");
      if (size === 0) only = chunk;
      else {
        several ??= collectPieces(only);
        several.add(chunk);
      }
      place.holds(several ? several.held() : chunk.length);
    };
    const whole = () => {
      isWhole = true;
      end(several ? several.all() : only ? [only] : []);
    };
    const cutOff = () => {
      if (!isWhole) end("cut off");
    };
    if (request.destroyed) cutOff();
    else request.on("data", take).on("end", whole).on("error", cutOff).on("close", cutOff);
  });
}

/** Pieces this small are put together: as they come each costs some hundred bytes more, and there may be one a byte. */
const SMALL_BYTES = 4 * 1024;

function collectPieces(first: Buffer | null) {
  const pieces: Buffer[] = first ? [first] : [];
  let tail: Buffer | null = null;
  let inTail = 0;
  let inPieces = first?.length ?? 0;
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
      if (chunk.length >= SMALL_BYTES) {
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
