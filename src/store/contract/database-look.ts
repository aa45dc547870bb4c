/** The database's server, as far as what was acknowledged depends on how it is set up. */
export interface DatabaseLook {
  /** As `15.18`. */
  version: string;
  major: number;
  /** Settings that are off, without which a server that loses its power loses what was committed. */
  unsafe: string[];
  /** How many servers follow it. */
  followers: number;
  /** Do commits wait for one of them? */
  isSynchronous: boolean;
}
