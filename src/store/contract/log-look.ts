/** The log's own file, as who looks at it from beside finds it. */
export interface LogLook {
  bytes: number;
  walBytes: number;
  /** Who keeps a large -wal from being written into the log; null where nobody does. */
  heldUp: { message: string; hint: string } | null;
  /** Where its content contradicts itself. */
  damage: { message: string; hint: string } | null;
  /** False where the time did not suffice for all of it. */
  isLookedThrough: boolean;
}
