import type { AuthCode } from "../oauth.ts";
import type { Portal } from "./portal.ts";

export interface Code extends AuthCode {
  portal: Portal;
}

/** One consent: an app in a portal. */
export interface Grant {
  clientId: string;
  portal: Portal;
  scopes: string[];
  refreshToken: string;
}

export interface AccessToken {
  grant: Grant;
  expiresAt: number;
}
