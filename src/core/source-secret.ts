import type { Secret } from "../shared/secret.ts";
import type { Environment } from "./connection.ts";

/** A webhook secret and the org whose it is; null where one secret serves all orgs. */
export interface SourceSecret {
  org: string | null;
  environment: Environment;
  secret: Secret;
}
