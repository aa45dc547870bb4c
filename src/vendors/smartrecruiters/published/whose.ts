/** Whose result it is: the application that it belongs to, by its source, or else by e-mail and job. */
import * as v from "valibot";
import { emailKey } from "../../../core/event.ts";
import type { FoundCandidate } from "../../contract/destination.ts";
import { type ApiAnswer, callApi, type Caller } from "../calling/api.ts";
import { ask, read } from "../calling/ask.ts";
import { verdictOf } from "../calling/verdict.ts";
import { ENDPOINTS } from "./contract.ts";

/** A candidate on a job. */
export interface Application {
  candidate: string;
  job: string;
}

export type Whose =
  | { kind: "one"; application: Application }
  | { kind: "several"; candidates: readonly FoundCandidate[] }
  /** Why, in words that name nobody. */
  | { kind: "none"; reason: string };

const text = v.fallback(v.nullable(v.string()), null);
const Assignment = v.object({
  job: v.object({ id: v.string(), title: text }),
  status: text,
});
const Candidate = v.object({
  id: v.string(),
  email: text,
  firstName: text,
  lastName: text,
  primaryAssignment: v.fallback(v.nullable(Assignment), null),
});
type Candidate = v.InferOutput<typeof Candidate>;
const Page = v.object({ content: v.array(Candidate) });

/** So many are looked through: more than share one address. */
const MOST = "100";

/** All that the vendor's search finds and that have this very address. Throws `VENDOR_*`. */
export async function candidatesWith(caller: Caller, email: string): Promise<FoundCandidate[]> {
  const query = { q: email, limit: MOST };
  const doing = "looking for a candidate";
  const { content } = await ask(caller, { endpoint: ENDPOINTS.candidates, query, schema: Page, doing });
  return withAddress(content, email);
}

function withAddress(found: readonly Candidate[], email: string): FoundCandidate[] {
  return found.filter((each) => emailKey(each.email ?? "") === emailKey(email)).map(foundOf);
}

function foundOf({ id, firstName, lastName, primaryAssignment }: Candidate): FoundCandidate {
  const name = [firstName, lastName].filter((part) => part !== null).join(" ");
  const job = primaryAssignment && { id: primaryAssignment.job.id, title: primaryAssignment.job.title };
  return { candidateId: id, name, job, status: primaryAssignment?.status ?? null };
}

/** Pure. `job`: where the source names it. */
export function choose(found: readonly FoundCandidate[], job: string | undefined): Whose {
  const [only, ...others] = found;
  if (!only) return { kind: "none", reason: "SmartRecruiters has no candidate with this address" };
  if (others.length > 0) return { kind: "several", candidates: found };
  const jobId = job ?? only.job?.id;
  if (jobId === undefined)
    return { kind: "none", reason: `the candidate ${only.candidateId} is on no job of SmartRecruiters` };
  return { kind: "one", application: { candidate: only.candidateId, job: jobId } };
}

/** What finds the application: one call at most, none where it is named. */
export async function findWhose(
  caller: Caller,
  { candidate, job, email }: { candidate?: string; job?: string; email?: string },
): Promise<{ whose: Whose; answer: ApiAnswer | null } | { refused: ApiAnswer }> {
  if (candidate !== undefined && job !== undefined)
    return { whose: { kind: "one", application: { candidate, job } }, answer: null };
  const isNamed = candidate !== undefined;
  const answer = isNamed
    ? await callApi(caller, { endpoint: ENDPOINTS.candidate, params: { candidate } })
    : await callApi(caller, {
        endpoint: ENDPOINTS.candidates,
        query: { q: email ?? "", limit: MOST, ...(job === undefined ? {} : { jobId: job }) },
      });
  if (verdictOf(answer, caller).kind !== "done") return { refused: answer };
  const doing = "looking for a candidate";
  const found = isNamed
    ? [foundOf(read(caller, answer, { schema: Candidate, doing }))]
    : withAddress(read(caller, answer, { schema: Page, doing }).content, email ?? "");
  return { whose: choose(found, job), answer };
}
