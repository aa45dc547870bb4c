/** Where a candidate stands on a job: an event names only the application. */
import * as v from "valibot";
import type { Finding } from "../../../core/event.ts";
import type { Caller } from "../calling/api.ts";
import { askIfThere } from "../calling/ask.ts";
import { ENDPOINTS } from "./contract.ts";

const Application = v.object({
  applicationId: v.fallback(v.nullable(v.string()), null),
  status: v.string(),
  subStatus: v.fallback(v.nullable(v.string()), null),
});

/** One call. Nothing where the candidate, or the application, is gone. Throws `VENDOR_*`. */
export async function lookUpApplication(
  caller: Caller,
  { candidateId = "", jobId = "", applicationId = "" }: Readonly<Record<string, string>>,
): Promise<Finding> {
  const found = await askIfThere(caller, {
    endpoint: ENDPOINTS.application,
    params: { candidate: candidateId, job: jobId },
    schema: Application,
    doing: "reading an application",
  });
  if (found === null) return { kind: "nothing" };
  const { status, subStatus } = found;
  const known = found.applicationId ?? applicationId;
  return {
    kind: "application",
    application: { applicationId: known, candidateId, jobId, status, subStatus },
  };
}
