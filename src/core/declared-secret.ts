/** A secret that an operator sets in the vault, as `hubspot.client-secret`. */
export interface DeclaredSecret {
  name: string;
  /** Of one org each, and never of all: whose secret it is tells whose event it signed. */
  isOrgs: boolean;
  /** Of the service itself: no org and no sandbox has one of its own. */
  isService?: true;
  /** A webhook's: a new one is added beside the old one, so that it is rotated without a gap. */
  rotates: boolean;
  /** What it looks like; absent where anything will do. */
  shape?: { pattern: RegExp; words: string; hint: string };
}
