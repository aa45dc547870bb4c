/** What the stages of a job trigger (setup guide, step 4). */
import * as v from "valibot";
import type { CatalogEntry, StagePlace } from "../../contract/ats.ts";
import { ENDPOINTS } from "./profile.ts";
import type { Caller } from "../calling/api.ts";
import { askIfThere } from "../calling/ask.ts";
import { askAll } from "../calling/lists.ts";

/** The guide's default for when an assessment is due. */
const DUE_DAYS = 7;

const Entry = v.object({
  test: v.string(),
  required: v.fallback(v.boolean(), false),
  trigger: v.picklist(["auto", "manual"]),
  dueDays: v.fallback(v.number(), DUE_DAYS),
  emailTemplate: v.fallback(v.picklist(["branded", "default"]), "default"),
});
const Entries = v.object({ content: v.array(v.object({ stage: v.string(), ...Entry.entries })) });

export async function listCatalog(
  caller: Caller,
  jobId: string,
): Promise<(CatalogEntry & { stage: string })[]> {
  const params = { job: jobId };
  const doing = "listing a job's assessments";
  return await askAll(caller, { endpoint: ENDPOINTS.catalog, params, schema: Entries, doing });
}

/** Null when the stage triggers nothing. */
export async function readCatalogEntry(caller: Caller, place: StagePlace): Promise<CatalogEntry | null> {
  const params = { job: place.jobId, stage: place.stage };
  const doing = "reading a stage's assessment";
  return await askIfThere(caller, { endpoint: ENDPOINTS.catalogEntry, params, schema: Entry, doing });
}

/** Answers what SmartRecruiters now holds; null where it knows no such job or stage. */
export async function setCatalogEntry(
  caller: Caller,
  { jobId, stage }: StagePlace,
  { test, required, trigger, dueDays, emailTemplate }: CatalogEntry,
): Promise<CatalogEntry | null> {
  return await askIfThere(caller, {
    endpoint: ENDPOINTS.setCatalogEntry,
    params: { job: jobId, stage },
    json: { test, required, trigger, dueDays, emailTemplate },
    schema: Entry,
    doing: "setting a stage's assessment",
  });
}
