import { watchDirectory } from "../shared/directory-notices.ts";
import type { ServeParts } from "./context.ts";

/** What others change, told as it happens, so that nobody has to look for it each second. */
export interface ChangeNotices {
  /** Would each change be told? Where the system tells nothing, or no more, whoever listens has to look. */
  areWorking(): boolean;
  end(): void;
}

/** Of the log, its faults, the vault, the files in the state directory, and the certificate's. */
export function changeNotices(
  { store, thread, vault, certificate }: ServeParts,
  stateDir: string,
  changed: () => void,
): ChangeNotices {
  /** What we write there ourselves is told as well, and shows that something is. */
  let areFilesTold = false;
  const heard = (isWorking: boolean) => {
    areFilesTold = isWorking;
    changed();
  };
  const watchFiles = () => {
    const watching = watchDirectory(stateDir, () => heard(!watching.hasEnded()));
    return watching.stop;
  };
  // A database's log thread hears nothing of this machine's files.
  const stopFiles = (thread.watchBeside ?? watchFiles)(heard);
  const ofCertificate = certificate?.watch(changed);
  const stops = [
    stopFiles,
    store.watch(changed),
    store.watchFaults(changed),
    vault.notices?.listen(changed),
    ofCertificate?.stop,
  ];
  return {
    areWorking: () =>
      areFilesTold && vault.notices?.isWorking() !== false && ofCertificate?.isWorking() !== false,
    end: () => {
      for (const stop of stops) stop?.();
    },
  };
}
