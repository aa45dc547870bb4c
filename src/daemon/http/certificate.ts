import { constants } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { SecureContextOptions } from "node:tls";
import { type Clock, isoTime } from "../../shared/clock.ts";
import { watchDirectory } from "../../shared/directory-notices.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { readTlsPair, SPOKEN, type TlsPair } from "../../shared/tls-pair.ts";
import type { TlsFiles } from "../../shared/tls-files.ts";

/** The certificate that new connections are shown. It is read anew when its files change; open connections keep theirs. */
export interface Certificate {
  options(): SecureContextOptions;
  /** Calls back with each one that is taken later. */
  onNew(take: (options: SecureContextOptions) => void): void;
  /** `problem`: why the files that stand there now were not taken; null where they were. */
  standing(): Pick<TlsPair, "names" | "endsAt"> & { problem: string | null };
  /** To be called about once a second. True where the files were read anew. */
  look(): boolean;
  /** Calls back when something is done where the files are, or where links lead to them, as far as the system tells. */
  watch(heard: () => void): { isWorking(): boolean; stop(): void };
  /** The files have not changed since they were read, as far as the last look saw. */
  isSettled(): boolean;
  /** Reads the files now, changed or not. */
  reread(): void;
}

/** Throws `CONFIG_INVALID` for a pair that cannot be used. */
export function openCertificate({
  files,
  clock,
  log,
}: {
  files: TlsFiles;
  clock: Pick<Clock, "now">;
  log: Log;
}): Certificate {
  const takers: ((options: SecureContextOptions) => void)[] = [];
  /** What the files were when they were read last, and at the last look. */
  let readStamp = stampOf(files);
  let seenStamp = readStamp;
  let current = readTlsPair(files);
  let problem: string | null = null;
  if (current.endsAt <= clock.now())
    log.error("the certificate has ended: senders refuse it", standingWords(current));

  const reread = () => {
    readStamp = stampOf(files);
    try {
      const next = readTlsPair(files);
      refuseUntimely(next, { current, now: clock.now() });
      const isNew = next.cert !== current.cert || next.key !== current.key;
      current = next;
      problem = null;
      if (!isNew) return;
      for (const take of takers) take(optionsOf(current));
      log.info("the new certificate is in use", standingWords(current));
    } catch (error) {
      if (!isAppError(error)) throw error;
      problem = `${error.message}. ${error.hint ?? ""}`.trim();
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      log.error("the new certificate is not taken: the old one stays in use", {
        reason: error.message,
        ...hint,
      });
    }
  };
  return {
    options: () => optionsOf(current),
    onNew: (take) => void takers.push(take),
    standing: () => ({ names: current.names, endsAt: current.endsAt, problem }),
    look: () => {
      const stamp = stampOf(files);
      // Who renews it writes two files: what changed since the last look may be half of a pair.
      const isSettled = stamp === seenStamp;
      seenStamp = stamp;
      if (!isSettled || stamp === readStamp) return false;
      reread();
      return true;
    },
    watch: (heard) => {
      const watching = directoriesOf(files).map((path) => watchDirectory(path, heard));
      return {
        isWorking: () => !watching.some(({ hasEnded }) => hasEnded()),
        stop: () => {
          for (const { stop } of watching) stop();
        },
      };
    },
    isSettled: () => seenStamp === readStamp,
    reread,
  };
}

function directoriesOf({ certFile, keyFile }: TlsFiles): string[] {
  const places = [certFile, keyFile].flatMap((path) => {
    try {
      return [path, realpathSync(path)];
    } catch {
      return [path];
    }
  });
  return [...new Set(places.map((path) => dirname(path)))];
}

function optionsOf({ cert, key }: TlsPair): SecureContextOptions {
  return { cert, key, ...SPOKEN, secureOptions: constants.SSL_OP_NO_RENEGOTIATION };
}

/** A pair that is not valid now does not replace one that is. */
function refuseUntimely(next: TlsPair, { current, now }: { current: TlsPair; now: number }): void {
  if (current.endsAt <= now || (next.beginsAt <= now && next.endsAt > now)) return;
  const when =
    next.endsAt <= now ? `ended at ${isoTime(next.endsAt)}` : `begins at ${isoTime(next.beginsAt)}`;
  throw new AppError("CONFIG_INVALID", `serve.tls_cert: the certificate for ${next.names} ${when}`, {
    hint: "Put one there that is valid now.",
  });
}

function standingWords({ names, endsAt }: TlsPair) {
  return { names, until: isoTime(endsAt) };
}

/** Differs after every change of either file, also of where a link leads. */
function stampOf({ certFile, keyFile }: TlsFiles): string {
  return [certFile, keyFile]
    .map((path) => {
      try {
        const { dev, ino, size, ctimeNs } = statSync(path, { bigint: true });
        return [dev, ino, size, ctimeNs].join(" ");
      } catch {
        return "none";
      }
    })
    .join("\n");
}
