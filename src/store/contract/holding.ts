export interface Holding {
  /**
   * Is what was claimed under this lease surely still ours? From memory, to be asked right before each call that tells the vendor
   * of it: whoever was frozen, or cut off, may find it in another's hands, who told something newer.
   */
  isHolding(lease: number): boolean;
}
