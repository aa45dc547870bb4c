/** The company's jobs, the steps that their candidates go through, and who a candidate is. */
import * as v from "valibot";
import type { Stage } from "../../../core/catalog.ts";
import type { Person } from "../../contract/ats.ts";
import type { Caller } from "../calling/api.ts";
import { ask, askIfThere } from "../calling/ask.ts";
import { askAll } from "../calling/lists.ts";
import { ENDPOINTS } from "./contract.ts";

/** A step is a name, or a thing with one: the vendor's documents show both. */
const Step = v.union([
  v.string(),
  v.pipe(
    v.object({ name: v.string() }),
    v.transform(({ name }) => name),
  ),
]);
const Processes = v.object({
  content: v.array(
    v.object({
      name: v.string(),
      active: v.fallback(v.boolean(), true),
      subStatuses: v.fallback(v.record(v.string(), v.array(Step)), {}),
    }),
  ),
});

/** The statuses that a hiring process gives no steps of its own. */
const BARE = ["LEAD", "NEW", "IN_REVIEW", "INTERVIEW", "OFFERED", "HIRED"];

/** Of the processes in use. Throws `VENDOR_*`. */
export async function readStages(caller: Caller): Promise<Stage[]> {
  const doing = "listing hiring processes";
  const all = await askAll(caller, { endpoint: ENDPOINTS.hiringProcesses, schema: Processes, doing });
  return all
    .filter(({ active }) => active)
    .flatMap(({ name: process, subStatuses }) => [
      ...BARE.map((status) => ({ process, status, subStatus: null })),
      ...Object.entries(subStatuses).flatMap(([status, steps]) =>
        steps.map((subStatus) => ({ process, status, subStatus })),
      ),
    ]);
}

/** Throws `VENDOR_*`. */
export async function hasJob(caller: Caller, job: string): Promise<boolean> {
  const schema = v.object({});
  const call = { endpoint: ENDPOINTS.job, params: { job }, schema, doing: "reading a job" };
  return (await askIfThere(caller, call)) !== null;
}

const text = v.fallback(v.nullable(v.string()), null);
const Candidate = v.object({ email: text, firstName: text, lastName: text });

/** Throws `VENDOR_*`. */
export async function readPerson(caller: Caller, candidate: string): Promise<Person> {
  const doing = "reading a candidate";
  return await ask(caller, {
    endpoint: ENDPOINTS.candidate,
    params: { candidate },
    schema: Candidate,
    doing,
  });
}
