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
}

export interface AccessToken {
  grant: Grant;
  expiresAt: number;
}
