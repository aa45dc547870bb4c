/** The program's doors to the outside, as parameters: the real ones in `bin`, memory in tests. */
export interface Io {
  /** Results, and nothing else. */
  out(text: string): void;
  /** Everything that is not a result. */
  err(text: string): void;
  /** How much of the latter could not be written so far. */
  lost(): Lost;
  stdin: NodeJS.ReadableStream;
  /** For prompts, which draw on it. */
  stderr: NodeJS.WritableStream;
  stdinIsTerminal: boolean;
  stdoutIsTerminal: boolean;
  stderrIsTerminal: boolean;
  /** Columns of the terminal; 80 where there is none. */
  columns(): number;
}

/** Lines that could not be written: dropped, and never waited for. */
export interface Lost {
  lines: number;
  /** Writing works again, or still does. */
  isOver: boolean;
}

/** Why everything ends where whoever read stdout has had enough. */
export const READER_LEFT = "SIGPIPE";

export function hasReaderLeft({ aborted, reason }: AbortSignal): boolean {
  return aborted && reason instanceof DOMException && reason.message === READER_LEFT;
}
