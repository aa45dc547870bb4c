import type { Connection } from "../../core/connection.ts";
import type { DueTimes } from "../../core/due-times.ts";
import type { Tokens } from "../../oauth/tokens.ts";
import type { Config } from "../../shared/config.ts";
import type { AppError } from "../../shared/errors.ts";
import type { Http } from "../../shared/http.ts";
import type { BackupFiles, Store } from "../../store/contract/store.ts";
import type { Source } from "../../vendors/contract/source.ts";
import type { Vault } from "../../vault/contract.ts";
import type { SecretReader } from "../../vault/secrets.ts";
import type { InviteDesk } from "../../vendors/contract/invite-desk.ts";
import type { LookUpContext } from "../intake/look-ups.ts";

/** One thing that is done at set times by `serve`, and at once by `run <name>`. */
export interface Job {
  name: string;
  /** What it does, for help: one line that begins with a verb. */
  does: string;
  /** When `serve` runs it; null for what the service does anyway as work comes. */
  due(config: Config): DueTimes | null;
  /** What `run` takes beside its name. */
  takes?: readonly JobOption[];
  /** Its code, so that help and a usage error load none of it. */
  load(): Promise<RunJob>;
}

/**
 * `dry-run`: says what it would do. `compact`: afterwards the log is written anew without what is free in it. `org`: what is
 * that org's alone; a job that does not take it is of the whole log.
 */
export type JobOption = "dry-run" | "compact" | "org";

/** Throws what an operator can act on where nothing could be done; then `serve` runs it again after a pause. */
export type RunJob = (context: JobContext, signal: AbortSignal) => Promise<JobReport>;

export interface JobContext extends LookUpContext {
  /** Commands in a text, as they are to be typed where other places than the usual ones were given. */
  asTypedHere(text: string): string;
  store: Store;
  stateDir: string;
  backupFiles(): Promise<BackupFiles>;
  /** A person wants it done now, also what was put off. */
  insists: boolean;
  /** It shall say what it would do, and change nothing; of a job that takes this. */
  isDryRun?: boolean;
  /** How many rows are done, for whoever watches; of a job that goes over many. */
  onProgress?: (rows: number) => void;
  http(): Promise<Http>;
  tokens(): Promise<Tokens>;
  vault(): Promise<Vault>;
  inviteDesk(): Promise<InviteDesk | null>;
  sources(): Promise<readonly Source[]>;
  /** The vault's secrets; in `serve` as they were when it could last be read. */
  secrets(): Promise<SecretReader>;
  tokenTrouble: TokenTrouble;
}

/** Who looks after tokens that cannot be read: `serve` all the time, a command while it runs. */
export interface TokenTrouble {
  /** Releases what can be read again; returns what still cannot be, null when all can. */
  release(signal: AbortSignal): Promise<AppError | null>;
  /** Notes that this connection's cannot be. */
  note(connection: Connection, problem: AppError): Promise<unknown>;
}

/** What a run did. */
export interface JobReport {
  /** How many of what, by the names that scripts read: `{ sent: 2 }`. */
  counts: Readonly<Record<string, number>>;
  /** The same for a person. */
  text: string;
  /** What the journal says beside the counts; null where they are not worth a line. */
  event: string | null;
  /** What the journal warns of, in words. */
  warning?: string | null;
  /** More is due at once: it ended to let others have their turn. */
  isLeft?: boolean;
  /** Nothing can be due before then, ms since the epoch, unless the log changes; infinite where only such a change brings something. */
  restsUntil?: number;
  /** The job that has work from what this one did. */
  hurries?: string;
  /** Of a job with several tasks: those that could not be done now and are tried again. */
  failed?: { event: string; tasks: readonly FailedTask[] };
  /** Why not all is as it should be: what `run` ends with. */
  problem?: AppError | null;
}

export interface FailedTask {
  reason: string;
  /** The journal hears of it from elsewhere. */
  isTold?: boolean;
}
