import { basename, dirname } from "node:path";
import { watchDirectory } from "../../../shared/directory-notices.ts";

/**
 * What the system tells of the log's files: that somebody wrote to one, brought one or took one away. It does not tell
 * who, and of a directory on another machine not all: whoever listens also looks, rarely.
 */
export interface Notices {
  /** Calls back with the name's end: "-wal", "-shm", and "" for the log itself, or its directory. */
  listen(heard: (part: LogPart) => void): () => void;
  /** The same for what lies beside them: soon after a change, and once for all of a moment. */
  listenBeside(heard: (isWorking: boolean) => void): () => void;
  /** Did it tell of anything yet? Our own writes are told as well. */
  isWorking(): boolean;
  stop(): void;
}

export type LogPart = "" | "-wal" | "-shm";

/** A copy that is written beside the log is told of again and again. */
const BESIDE_TOGETHER_MS = 50;

/** Where the system watches nothing, or no more, it tells nothing. */
export function noticesOf(path: string): Notices {
  const [directory, log] = [dirname(path), basename(path)];
  const parts = new Map<string | null, LogPart>([
    [log, ""],
    [`${log}-wal`, "-wal"],
    [`${log}-shm`, "-shm"],
    [basename(directory), ""],
    [null, ""],
  ]);
  const listeners = new Set<(part: LogPart) => void>();
  const besides = new Set<(isWorking: boolean) => void>();
  let isWorking = false;
  let telling: NodeJS.Timeout | undefined;
  const tellBeside = () => {
    telling = undefined;
    for (const heard of besides) heard(isWorking);
  };
  const watching = watchDirectory(directory, (name) => {
    isWorking = !watching.hasEnded();
    const part = parts.get(name);
    if (part !== undefined) for (const heard of listeners) heard(part);
    if (part === undefined || name === null) telling ??= setTimeout(tellBeside, BESIDE_TOGETHER_MS);
  });
  const listenTo = <Heard>(all: Set<Heard>, heard: Heard) => {
    all.add(heard);
    return () => void all.delete(heard);
  };
  return {
    listen: (heard) => listenTo(listeners, heard),
    listenBeside: (heard) => listenTo(besides, heard),
    isWorking: () => isWorking,
    stop: () => {
      clearTimeout(telling);
      watching.stop();
    },
  };
}
