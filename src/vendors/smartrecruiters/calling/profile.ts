/** What every contract that a SmartRecruiters connection can speak says of its calls. */
import type { RateLimit } from "../../../core/delivery/rate-window.ts";
import type { CallLimits } from "../../contract/access.ts";
import type { Problem } from "./problem.ts";

export type ProfileName = "v1" | "published";

export interface Profile {
  scopes: readonly string[];
  /** Does a 403 with that code and those words speak of a scope, where it names none? */
  speaksOfScope(problem: Problem): boolean;
  /** A 401 that refuses the thing and not the credential; absent where there is none. */
  refusesThing?(problem: Problem): boolean;
  /** Of the account as a whole, and how fast results go out. */
  rateLimit: RateLimit;
  /** The limits of one endpoint; absent where the account has but one. */
  limitsOf?(endpoint: Endpoint): CallLimits;
}

/** Scheme and host of each, without a slash at the end. */
export interface Hosts {
  api: string;
  identity: string;
}

export interface Endpoint {
  method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `{names}` for what a call fills in. */
  path: string;
  /** What a 403 is blamed on when it names no scope itself. */
  scope: string;
  /** What says that it was done, where no body is read: the status that its documents name, or any 2xx without a page. */
  doneBy?: number | "no page";
}
