import type { LookUpContext } from "../flows/intake/look-ups.ts";
import type { Tokens } from "../oauth/tokens.ts";
import type { Http } from "../shared/http.ts";
import type { Lost } from "../shared/io.ts";
import type { Log } from "../shared/log.ts";
import type { CallSeen } from "../shared/observed-http.ts";
import type { TlsFiles } from "../shared/tls-files.ts";
import type { BackupFiles, Store } from "../store/contract/store.ts";
import type { StoreThread, ThreadedStore } from "../store/contract/threaded.ts";
import type { Vault } from "../vault/contract.ts";
import type { Notify } from "../systemd/notify.ts";
import type { VendorDeclaration } from "../vendors/contract/declaration.ts";
import type { InviteDesk } from "../vendors/contract/invite-desk.ts";
import type { Source } from "../vendors/contract/source.ts";
import type { Certificate } from "./http/certificate.ts";

/** What the service needs of the program around it. */
export interface ServeContext extends LookUpContext {
  stateDir: string;
  log: Log;
  /** Commands in a text, as they are to be typed where other places than the usual ones were given. */
  asTypedHere(text: string): string;
  vendors: readonly VendorDeclaration[];
  sources(): Promise<readonly Source[]>;
  vault(): Promise<Vault>;
  inviteDesk(): Promise<InviteDesk | null>;
  http(): Promise<Http>;
  tokens(): Promise<Tokens>;
  threadedStore(): Promise<ThreadedStore>;
  /** Null where our listeners speak no TLS. Throws `CONFIG_INVALID`. */
  tlsFiles(): TlsFiles | null;
  backupFiles(): Promise<BackupFiles>;
  /** Tells of each call to a vendor's API from now on. */
  observeCalls(seen: (call: CallSeen) => void): void;
  reload(): { text: string | null; levelFrom: string; keysForRestart: string[] };
}

/** The process that it is the whole purpose of. */
export interface OwnProcess {
  /** Where the program is installed. */
  directory: string;
  /** What of the log could not be written. */
  lost(): Lost;
  /** From here on no file of the program is opened, and SIGHUP calls back. */
  keepRunning(onReload: () => void): void;
  /** Descriptors of sockets that systemd listens on for us, by their names. */
  sockets: ReadonlyMap<string, number>;
  /** Tells the service manager; silent where there is none. */
  notify: Notify;
  /** The manager ends us when it hears nothing for so long; null where it waits for nothing. */
  watchdogMs: number | null;
}

/** What is opened once, at the start. */
export interface ServeParts {
  store: Store;
  /** The one that the store works in. */
  thread: StoreThread;
  vault: Vault;
  sources: readonly Source[];
  /** Null where our listeners speak no TLS. */
  certificate: Certificate | null;
}
