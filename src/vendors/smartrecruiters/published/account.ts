/** Whose account a credential opens, and which of our scopes it lacks. */
import * as v from "valibot";
import type { Account } from "../../../core/connection.ts";
import { callApi, type Caller } from "../calling/api.ts";
import { read } from "../calling/ask.ts";
import type { Endpoint } from "../calling/profile.ts";
import { verdictOf } from "../calling/verdict.ts";
import { ENDPOINTS } from "./contract.ts";

const text = v.fallback(v.nullable(v.string()), null);
const Company = v.object({ identifier: text, id: text, name: text });

/** Throws `VENDOR_*`. `region` is what the operator declared: no call tells it. */
export async function readAccount(caller: Caller, region: string | null, clientId: string): Promise<Account> {
  const doing = "reading the company";
  const answer = await callApi(caller, { endpoint: ENDPOINTS.company });
  // Which scope opens the company is not certain: without it the credential's own name stands in.
  if (verdictOf(answer, caller).kind === "scope" && clientId !== "")
    return { id: clientId, name: clientId, kind: null, region };
  const { identifier, id, name } = read(caller, answer, { schema: Company, doing });
  const known = identifier ?? id ?? name ?? clientId;
  return { id: known, name: name ?? known, kind: null, region };
}

/** Reads that change nothing, one for each scope that can be seen so. */
const PROBES: readonly Endpoint[] = [
  ENDPOINTS.candidates,
  ENDPOINTS.hiringProcesses,
  ENDPOINTS.subscriptions,
  { method: "GET", path: "/jobs", scope: "jobs_read" },
];

/** Those whose calls are refused for want of them; what only a write would show is not among them. Throws `VENDOR_*`. */
export async function missingScopes(caller: Caller): Promise<string[]> {
  const missing: string[] = [];
  for (const endpoint of PROBES) {
    const verdict = verdictOf(await callApi(caller, { endpoint, query: { limit: "1" } }), caller);
    if (verdict.kind === "scope") missing.push(verdict.scope);
  }
  return missing;
}
