/** Whose account a credential opens, and which of our scopes it lacks. */
import * as v from "valibot";
import type { Account } from "../../../core/connection.ts";
import { type ApiCall, callApi, type Caller } from "../calling/api.ts";
import { read } from "../calling/ask.ts";
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

type Probe = Pick<ApiCall, "endpoint" | "params" | "query" | "json">;

/** An id that nothing there has. */
const NOTHING = "00000000-0000-4000-8000-000000000000";
const NOBODY = { candidate: NOTHING, job: NOTHING };
const ONE = { limit: "1" };

/**
 * One for each scope, and none changes anything: reads, and writes that lack what each of them requires, or name what does
 * not exist. Whoever may not write is refused for that; everybody else for the rest, which says nothing.
 */
const PROBES: readonly Probe[] = [
  { endpoint: ENDPOINTS.candidates, query: ONE },
  { endpoint: ENDPOINTS.hiringProcesses, query: ONE },
  { endpoint: ENDPOINTS.subscriptions, query: ONE },
  { endpoint: { method: "GET", path: "/jobs", scope: "jobs_read" }, query: ONE },
  { endpoint: ENDPOINTS.createCandidate, json: {} },
  { endpoint: ENDPOINTS.setValues, params: NOBODY, json: [] },
  { endpoint: ENDPOINTS.share, json: {} },
  { endpoint: ENDPOINTS.subscribe, json: {} },
  { endpoint: ENDPOINTS.unsubscribe, params: { id: NOTHING } },
];

/** Those whose calls are refused for want of them. Throws `VENDOR_*`. */
export async function missingScopes(caller: Caller): Promise<string[]> {
  const missing: string[] = [];
  for (const probe of PROBES) {
    const verdict = verdictOf(await callApi(caller, probe), caller);
    if (verdict.kind === "scope") missing.push(verdict.scope);
  }
  return missing;
}
