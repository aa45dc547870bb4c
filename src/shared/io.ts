/** The program's doors to the outside, as parameters: the real ones in `bin`, memory in tests. */
export interface Io {
  /** Results, and nothing else. */
  out(text: string): void;
  /** Everything that is not a result. */
  err(text: string): void;
  stdin: NodeJS.ReadableStream;
  /** For prompts, which draw on it. */
  stderr: NodeJS.WritableStream;
  stdinIsTerminal: boolean;
  stdoutIsTerminal: boolean;
  stderrIsTerminal: boolean;
  /** Columns of the terminal; 80 where there is none. */
  columns(): number;
}
