import type { AuthCode } from "../oauth.ts";
import type { Company } from "./company.ts";

export interface Code extends AuthCode {
  company: Company;
}

/** One consent: an app in a company. */
export interface Grant {
  clientId: string;
  company: Company;
  scopes: string[];
  /** Of the published face, whose refresh tokens are good once; absent for the guide's. */
  isPublished?: true;
  /** When the refresh token ends, ms; absent where it does not. */
  refreshEndsAt?: number;
}

export interface AccessToken {
  grant: Grant;
  expiresAt: number;
}
