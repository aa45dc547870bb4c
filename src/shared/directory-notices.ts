import { watch } from "node:fs";

/** What the system tells of a directory: that somebody wrote to a file in it, brought one or took one away. */
export interface DirectoryNotices {
  /** Nobody tells any more, or ever did. */
  hasEnded(): boolean;
  stop(): void;
}

/** `heard`: with the file's name where the system says which; null for that, and for the end of it. Keeps no process alive. */
export function watchDirectory(path: string, heard: (name: string | null) => void): DirectoryNotices {
  try {
    let hasEnded = false;
    const watching = watch(path, { persistent: false }, (_, name) => heard(name));
    watching.on("error", () => {
      hasEnded = true;
      watching.close();
      heard(null);
    });
    return { hasEnded: () => hasEnded, stop: () => watching.close() };
  } catch {
    // As many are watched as the system allows, or it watches none.
    return { hasEnded: () => true, stop: () => {} };
  }
}
