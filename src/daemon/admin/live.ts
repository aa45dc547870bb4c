import type { ServerResponse } from "node:http";

/** Tells browsers that something changed, by server-sent events; they fetch what they show anew. */
export interface Live {
  /** A browser listens from now on. `isStillIn`: is its session good? Asked again and again. */
  add(response: ServerResponse, isStillIn: () => Promise<boolean>): void;
  changed(): void;
  end(): void;
}

/** So many pages are kept open at once: each holds a connection, of which there are few. */
const MOST = 8;
/** However much happens, a page is told no more often. */
const SPACED_MS = 1_000;
const BEAT_MS = 15_000;

export function createLive(): Live {
  const open = new Map<ServerResponse, () => Promise<boolean>>();
  let timer: NodeJS.Timeout | null = null;
  let isLeft = false;
  const tell = () => {
    for (const response of open.keys()) response.write("event: changed\ndata:\n\n");
  };
  const rest = () => {
    timer = setTimeout(() => {
      timer = null;
      if (!isLeft) return;
      isLeft = false;
      tell();
      rest();
    }, SPACED_MS);
    timer.unref();
  };
  const beat = setInterval(() => {
    for (const [response, isStillIn] of open)
      isStillIn().then(
        (isGood) => (isGood ? response.write(":\n\n") : response.end()),
        () => response.end(),
      );
  }, BEAT_MS);
  beat.unref();

  return {
    add: (response, isStillIn) => {
      // The one that listens longest gives way; its page comes back by itself.
      const [oldest] = open.keys();
      if (open.size >= MOST) oldest?.end();
      response.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      });
      response.write("retry: 3000\n\n");
      open.set(response, isStillIn);
      response.once("close", () => open.delete(response));
    },
    changed: () => {
      if (open.size === 0) return;
      if (timer !== null) {
        isLeft = true;
        return;
      }
      tell();
      rest();
    },
    end: () => {
      clearInterval(beat);
      if (timer !== null) clearTimeout(timer);
      for (const response of open.keys()) response.end();
    },
  };
}
