export interface CommonErrors {
  /** The redirect URI, this one, is not registered. */
  redirectUri(uri: string): CommonError;
  /** No secret of ours signed a webhook. */
  signature: CommonError;
  /** A scope was not granted. */
  scope: CommonError;
}

/** In the guide's own words, sentences without their full stop. */
export interface CommonError {
  title: string;
  cause: string;
  /** In the guide's order. */
  fixes: readonly string[];
}
