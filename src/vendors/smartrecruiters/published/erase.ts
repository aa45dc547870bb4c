/** Takes our values out of applications. Notes stay: no call removes one, so a person is told of them. */
import { count } from "../../../shared/text.ts";
import type { ErasedPerson, Erasure } from "../../contract/destination.ts";
import { callApi, type Caller, isSegment } from "../calling/api.ts";
import { check, isGone, read } from "../calling/ask.ts";
import { ENDPOINTS } from "./contract.ts";
import { planProperties, propertyOf } from "./properties.ts";
import { receiptOf } from "./receipt.ts";
import { writeValues } from "./results.ts";
import { Values } from "./values.ts";
import { type Application, findWhose } from "./whose.ts";

/** Throws `VENDOR_*`. */
export async function clearResults(caller: Caller, person: ErasedPerson): Promise<Erasure> {
  const kept = person.receipts.flatMap((receipt) => receiptOf(receipt) ?? []);
  const applications = await applicationsOf(
    caller,
    person,
    kept.flatMap(({ places }) => places),
  );
  const ours = await ourProperties(caller);
  const refused: string[] = [];
  for (const application of applications) refused.push(...(await clearValues(caller, application, ours)));
  const all = count(applications.length, "application");
  const stays = [
    ...(refused.length > 0 ? [`it refused to clear ${[...new Set(refused)].join(", ")}`] : []),
    ...(kept.some(({ note }) => note !== undefined) ? [noteStays(applications)] : []),
  ];
  return {
    words: `SmartRecruiters holds no${refused.length > 0 ? " other" : ""} property value of ours any more for ${all}`,
    left: stays.length === 0 ? null : stays.join("; "),
  };
}

function noteStays(applications: readonly Application[]): string {
  const where = applications.map(({ candidate, job }) => `candidate ${candidate}, job ${job}`).join("; ");
  return `no call removes a note, so a person has to delete ours from the activity feed (${where || "of that candidate"})`;
}

/** Where results were written, or were on their way to; else where the address leads. */
async function applicationsOf(
  caller: Caller,
  { places, addresses }: ErasedPerson,
  written: readonly Application[],
): Promise<Application[]> {
  const named = places.map(({ candidateId, jobId }) => ({
    candidate: candidateId,
    ...(jobId === null ? {} : { job: jobId }),
  }));
  const isKnown = written.length + named.length > 0;
  const wanted = isKnown ? [...written, ...named] : addresses.map((email) => ({ email }));
  const found = new Map<string, Application>();
  for (const each of wanted) {
    const answer = await findWhose(caller, each);
    if ("refused" in answer) {
      if (!isGone(answer.refused)) check(caller, answer.refused, "looking for a candidate");
    } else if (answer.whose.kind === "one") {
      const { application } = answer.whose;
      if (Object.values(application).every(isSegment)) found.set(JSON.stringify(application), application);
    }
  }
  return [...found.values()];
}

/** Keys of our properties, by the ids that the company knows them by. */
async function ourProperties(caller: Caller): Promise<Map<string, string>> {
  const { existing } = await planProperties(caller);
  const known = existing.flatMap((name) => propertyOf(name) ?? []);
  return new Map(known.map(({ id, key }) => [id, key]));
}

/** Returns the keys of those that the vendor refused to clear. */
async function clearValues(
  caller: Caller,
  application: Application,
  ours: ReadonlyMap<string, string>,
): Promise<string[]> {
  const params = { ...application };
  const answer = await callApi(caller, { endpoint: ENDPOINTS.values, params });
  if (isGone(answer)) return [];
  const doing = "reading an application's values";
  const { content } = read(caller, answer, { schema: Values, doing });
  const held = content.flatMap(({ id }) => {
    const key = ours.get(id);
    return key === undefined ? [] : [{ key, body: { id } }];
  });
  const written = await writeValues(caller, application, held);
  if ("answer" in written) {
    if (written.last && !isGone(written.last))
      check(caller, written.last, "clearing an application's values");
    return [];
  }
  return written.refused.map(({ key }) => key);
}
