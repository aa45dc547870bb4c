import type { IncomingMessage } from "node:http";
import { OWN_BYTES, type Room } from "./room.ts";

/** `no room`: others' bodies needed it more. `cut off`: there is nobody left to answer. */
export type Unread = "too large" | "no room" | "cut off";

/** A body in memory; whoever is done with it calls `leave`. */
export interface Body {
  bytes: Buffer | Unread;
  leave(): void;
}

export function readBody(
  request: IncomingMessage,
  { room, largestBytes }: { room: Room; largestBytes: number },
): Promise<Body> {
  const announced = Number(request.headers["content-length"] ?? Number.NaN);
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    let size = 0;
    const end = (result: Buffer | Unread) => {
      request.off("data", take).off("end", whole).off("error", cutOff).off("close", cutOff);
      bytes = Buffer.alloc(0);
      if (typeof result === "string") place.leave();
      else place.whole();
      resolve({ bytes: result, leave: place.leave });
    };
    const place = room.enter(() => end("no room"));
    const take = (chunk: Buffer) => {
      const from = size;
      size += chunk.length;
      if (size > largestBytes) return end("too large");
      // Most bodies come in one piece, which is taken as it is; else pieces of one byte would each cost a hundred.
      if (chunk.length === announced) bytes = chunk;
      else {
        if (size > bytes.length)
          bytes = grown(bytes, { from, needed: size, most: announced || largestBytes });
        chunk.copy(bytes, from);
      }
      place.holds(bytes.length);
    };
    const whole = () => end(bytes.subarray(0, size));
    const cutOff = () => end("cut off");
    if (request.destroyed) cutOff();
    else request.on("data", take).on("end", whole).on("error", cutOff).on("close", cutOff);
  });
}

function grown(
  bytes: Buffer,
  { from, needed, most }: { from: number; needed: number; most: number },
): Buffer {
  const larger = Buffer.allocUnsafeSlow(
    Math.max(needed, Math.min(most, Math.max(OWN_BYTES, bytes.length * 2))),
  );
  bytes.copy(larger, 0, 0, from);
  return larger;
}
